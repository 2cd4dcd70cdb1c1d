"""A small convolutional network for small images, LeNet's idea (LeCun et al. 1998) with batch normalisation and ReLU.

For 28×28 grey images and 10 classes it has 99,226 parameters. On MNIST one pass over 48,000 images gives the score that
docs/performance.md states; `benchmarks/mnist.py` reproduces it.
"""

from __future__ import annotations

from torch import Tensor, nn


class Block(nn.Sequential):
    """3×3 convolution → batch normalisation → ReLU → halve the resolution by maximum."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.MaxPool2d(2, ceil_mode=True),  # before ReLU: the same result, a quarter of the work
            nn.ReLU(inplace=True),
        )


class SmallCNN(nn.Module):
    def __init__(self, *, classes: int, channels: int = 1, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in zip((channels, *widths), widths, strict=False)))
        self.head = nn.Linear(widths[-1], classes)

    def features(self, x: Tensor) -> Tensor:
        x = self.blocks(x)  # (batch, channels, size, size) → (batch, widths[-1], size / 8, size / 8)
        return x.amax((2, 3))  # → (batch, widths[-1]): does this shape occur anywhere?

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]  # (batch, classes)
