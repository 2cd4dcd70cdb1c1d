"""Plain convolutional nets of any depth: 3×3 convolutions in stages, the resolution halved between them (Simonyan &
Zisserman 2015, arXiv 1409.1556, table 1: A, B, D and E are VGG11, 13, 16 and 19).

For 224×224 photographs and 1,000 classes: VGG11 132,863,336 parameters, VGG13 133,047,848, VGG16 138,357,544,
VGG19 143,667,240, of which 102,764,544 in the first linear layer.
"""

from __future__ import annotations

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 512)
VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions of each stage


class PlainNet(nn.Module):
    """Images (batch, channels, size, size), size at least 2 to the number of stages.

    depths: convolutions of each stage · widths: maps of each stage · hidden: units of the linear layers before the last
    · norm: batch normalisation after each convolution · padding: pixels of zeros around each map · last_pool: whether
    the last stage is halved, too
    """

    def __init__(
        self,
        *,
        classes: int = 1000,
        channels: int = 3,
        size: int = 224,
        depths: tuple[int, ...] = VGG[16],
        widths: tuple[int, ...] = WIDTHS,
        hidden: tuple[int, ...] = (4096, 4096),
        norm: bool = False,
        padding: int = 1,
        last_pool: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            for _ in range(depth):
                layers += [
                    nn.Conv2d(channels, width, 3, padding=padding),
                    *([nn.BatchNorm2d(width)] if norm else []),
                    nn.ReLU(inplace=True),
                ]
                channels, size = width, size + 2 * padding - 2
            if last_pool or k < len(depths) - 1:
                layers.append(nn.MaxPool2d(2))
                size //= 2
        self.convolutions = nn.Sequential(*layers)
        inputs, layers = channels * size * size, []
        for units in hidden:
            layers += [nn.Linear(inputs, units), nn.ReLU(inplace=True), nn.Dropout(dropout)]
            inputs = units
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(inputs, classes)
        for layer in self.convolutions:
            # without shortcuts, depth needs weights that keep the spread (He et al. 2015)
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def features(self, x: Tensor) -> Tensor:
        x = self.convolutions(x)  # (batch, widths[-1], size / 2^stages, size / 2^stages)
        return self.hidden(x.flatten(1))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]
