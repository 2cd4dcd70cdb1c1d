"""A network for small colour images on a processor: the idea of airbench, made smaller (Jordan 2024, arXiv 2404.00498).

The first layer is not learned. It whitens patches of 3×3 pixels, every second pixel: its filters are the 16 principal
directions with the largest variance among the patches of the training images, each divided by its standard deviation,
with both signs (section 3.1, where patches are 2×2). So the first learned layer sees values of equal variance without
correlations, at half the resolution: a quarter of the work.

For 32×32 colour images and 10 classes it has 278,570 parameters, and 11.1 million multiply-adds.
docs/explanation/performance.md states its accuracy on CIFAR-10; `benchmarks/small_color.py` reproduces it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PATCH, STRIDE = 3, 2  # pixels
DIRECTIONS = 16  # at most; with both signs, 32 maps: processors multiply matrices in blocks of as many
NOISE = 5e-4  # added to the variances, as in airbench: directions without variance stay finite


def patches_of(images: Tensor) -> Tensor:
    """The patches that the first layer sees, row by row: (n, channels, height, width) → (patches, channels · 9)."""
    return nn.functional.unfold(images, PATCH, stride=STRIDE).transpose(1, 2).flatten(0, 1)


def principal_directions(patches: Tensor) -> tuple[Tensor, Tensor]:
    """(directions (values, values), one a row, by falling variance; variances (values,)) of patches (n, values).

    The largest component of each direction is positive, as the sign of an eigenvector is arbitrary.
    """
    variances, directions = torch.linalg.eigh(torch.cov(patches.T, correction=0))
    directions = directions.T.flip(0)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign(), variances.flip(0).clamp_min(0)


class Whitening(nn.Conv2d):
    """Patches of 3×3 pixels → maps, whitened, with both signs.

    The weights are no parameters: they come from images, and no step changes them. Until then, each map is one value of
    the patch. The biases, which start by taking off the mean of the patches, are learned.
    """

    def __init__(self, channels: int) -> None:
        values = channels * PATCH * PATCH
        directions = min(DIRECTIONS, values)
        super().__init__(channels, 2 * directions, PATCH, STRIDE)
        del self.weight
        plain = torch.eye(values)[:directions].reshape(directions, channels, PATCH, PATCH)
        self.register_buffer("weight", torch.cat((plain, -plain)))

    @torch.no_grad()
    def set_from(self, images: Tensor) -> None:
        """images: float (n, channels, height, width), normalised."""
        patches = patches_of(images).double()
        directions, variances = (found[: self.out_channels // 2] for found in principal_directions(patches))
        rows = directions / (variances + NOISE).sqrt()[:, None]
        means = rows @ patches.mean(0)
        self.weight.copy_(torch.cat((rows, -rows)).reshape(self.weight.shape))
        assert self.bias is not None
        self.bias.copy_(torch.cat((-means, means)))


class Block(nn.Sequential):
    """3×3 convolution → halve the resolution by maximum → batch normalisation → ReLU → the same without halving.

    At first, the convolutions pass on their inputs, as far as there are maps for them (section 3.2).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                nn.init.dirac_(layer.weight.data[: layer.in_channels])


class SmallColorNet(nn.Module):
    """Images (batch, channels, size, size), at most about 64 pixels wide."""

    def __init__(self, *, classes: int, channels: int = 3, widths: tuple[int, ...] = (64, 128)) -> None:
        super().__init__()
        self.whiten = Whitening(channels)
        inputs = self.whiten.out_channels
        self.relu = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in zip((inputs, *widths), widths, strict=False)))
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.head = nn.Linear(widths[-1], classes)

    def set_from(self, images: Tensor) -> None:
        """Before the first step: whiten as these training images need it. images: (n, channels, size, size),
        normalised.
        """
        self.whiten.set_from(images)

    def features(self, x: Tensor) -> Tensor:
        x = self.relu(self.whiten(x))  # (batch, channels, size, size) → (batch, 32, size / 2, size / 2)
        x = self.blocks(x)  # → (batch, widths[-1], size / 8, size / 8)
        return self.pool(x).flatten(1)  # → (batch, widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]  # (batch, classes)
