"""A small convolutional network for small images: LeNet's idea (LeCun et al. 1998) with batch normalisation and ReLU.

For 28×28 grey images and 10 classes it has 33,658 parameters, 10,250 of them in the last layer. One epoch on the 48,000
training images of MNIST gives the score that docs/explanation/performance.md states; `benchmarks/mnist.py` reproduces
it.
"""

from __future__ import annotations

from torch import Tensor, nn


class Block(nn.Sequential):
    """3×3 convolution → halve the resolution by maximum → batch normalisation → ReLU.

    Pooling first leaves a quarter of the values to normalise, and a maximum may be taken before ReLU as well as after
    it.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class SmallCNN(nn.Module):
    """Images (batch, channels, size, size), at most about 64 pixels wide."""

    def __init__(
        self, *, classes: int, channels: int = 1, size: int = 28, widths: tuple[int, ...] = (16, 32, 64)
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in zip((channels, *widths), widths, strict=False)))
        side = -(-size // 2 ** len(widths))  # halved and rounded up by every block
        self.head = nn.Linear(widths[-1] * side * side, classes)

    def features(self, x: Tensor) -> Tensor:
        x = self.blocks(x)  # (batch, channels, size, size) → (batch, widths[-1], side, side)
        return x.flatten(1)  # → (batch, widths[-1] · side²): positions in the image still count

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]  # (batch, classes)
