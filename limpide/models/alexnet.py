"""AlexNet (Krizhevsky, Sutskever & Hinton 2012), in its form for one card (Krizhevsky 2014, arXiv 1404.5997).

For 224×224 photographs and 1,000 classes it has 61,100,840 parameters, 37,752,832 of them in the first linear layer. It
combined the elements of today's networks: ReLU, dropout, augmentation, and training on a graphics card.
"""

from __future__ import annotations

from torch import Tensor, nn

# maps out, kernel, stride, padding, and whether a 3×3 max pooling with stride 2 follows
LAYERS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)


class AlexNet(nn.Module):
    """Images (batch, channels, size, size), size 63 or more. width: units of the two hidden linear layers."""

    def __init__(
        self, *, classes: int = 1000, channels: int = 3, size: int = 224, width: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for maps, kernel, stride, padding, pool in LAYERS:
            layers += [nn.Conv2d(channels, maps, kernel, stride, padding), nn.ReLU(inplace=True)]
            size, channels = (size + 2 * padding - kernel) // stride + 1, maps
            if pool:
                layers.append(nn.MaxPool2d(3, 2))
                size = (size - 3) // 2 + 1
        self.convolutions = nn.Sequential(*layers)
        self.hidden = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(channels * size * size, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(width, classes)

    def features(self, x: Tensor) -> Tensor:
        x = self.convolutions(x)  # (batch, 256, 6, 6) for 224 pixels
        return self.hidden(x.flatten(1))  # type: ignore[no-any-return]  # (batch, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]
