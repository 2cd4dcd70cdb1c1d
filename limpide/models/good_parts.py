"""How far a part is from good ones: the patches of good parts are kept, and a new part is as strange as its strangest
patches (PatchCore: Roth et al. 2022, arXiv 2106.08265).

A frozen network, pretrained on photographs, describes each patch of 8 × 8 pixels by the outputs of two of its middle
stages at this position, each averaged over 3 × 3 positions (section 3.1). Of all patches of good parts, a few are kept,
such that no other is far from them (section 3.2, training/coreset.py). The strangeness of a patch is its distance from
the nearest kept one; the strangeness of a part is the mean over the farthest fortieth of its patches. A single patch,
as in section 3.3, shows noise rather than a defect (docs/LOG.md has the figures).

The method never uses a defect: the threshold comes from good parts alone (statistics/conformal.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.models.efficientnet import EfficientNet

BACKBONE = "lite0"
FINE, COARSE = 5, 11  # its blocks up to the end of the stages of stride 8 and of stride 16
PATCHES = 512  # the number of patches that are kept
FARTHEST = 1 / 40  # share of a part's patches that determines how strange it is
STEEPNESS = 10.0  # logits per threshold: at 1.2 times the threshold, the two logits of a part differ by 2


class StrangestPatches(nn.Module):
    """Distances of patches, in units of the threshold (batch, patches) → logits (batch, 2) of good and defect."""

    def forward(self, distances: Tensor) -> Tensor:
        half = (strangeness(distances) - 1) * (STEEPNESS / 2)  # (batch,)
        return torch.stack([-half, half], 1)


class GoodParts(nn.Module):
    """Images (batch, 3, size, size), size a multiple of 32 → logits (batch, 2) of good and defect, which are equal if a
    part is as strange as the threshold. They do not give probabilities, as a distance says nothing about defects.

    `features` are the distances of the patches in units of the threshold, row by row: they show where a defect may be.
    """

    def __init__(self, *, patches: int = PATCHES) -> None:
        super().__init__()
        backbone = EfficientNet(BACKBONE, classes=1)
        self.stem, self.fine, self.coarse = backbone.stem, backbone.blocks[:FINE], backbone.blocks[FINE:COARSE]
        width = _width(self.fine) + _width(self.coarse)
        self.register_buffer("mean", torch.zeros(width))  # of the patches of good parts
        self.register_buffer("bank", torch.zeros(patches, width))  # kept patches, minus the mean
        self.register_buffer("threshold", torch.ones(()))
        self.head = StrangestPatches()
        self.requires_grad_(False)
        self.eval()

    mean: Tensor
    bank: Tensor
    threshold: Tensor

    def load_imagenet(self) -> None:
        """Load the published weights. Raises ModelError as EfficientNet does."""
        backbone = EfficientNet(BACKBONE)
        backbone.load_imagenet()
        for mine, published in (
            (self.stem, backbone.stem),
            (self.fine, backbone.blocks[:FINE]),
            (self.coarse, backbone.blocks[FINE:COARSE]),
        ):
            mine.load_state_dict(published.state_dict())

    def patches(self, images: Tensor) -> Tensor:
        """The description of each patch by the network, (batch, width, size / 8, size / 8)."""
        fine = self.fine(self.stem(images))  # (batch, 40, size / 8, size / 8)
        coarse = _averaged(self.coarse(fine))  # (batch, 112, size / 16, size / 16)
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([_averaged(fine), coarse], 1)

    def nearest(self, patches: Tensor) -> Tensor:
        """(batch, width, rows, columns) → distance of each patch to the nearest kept one (batch, rows, columns)."""
        x = patches - self.mean[:, None, None]
        # |x − b|² = |x|² + (|b|² − 2 x·b); the second term is a 1 × 1 convolution
        rest = F.conv2d(x, -2 * self.bank[:, :, None, None], self.bank.square().sum(1))  # (batch, kept, rows, columns)
        return (x.square().sum(1) + rest.amin(1)).clamp(min=0).sqrt()

    def features(self, images: Tensor) -> Tensor:
        return self.nearest(self.patches(images)).flatten(1) / self.threshold

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))  # type: ignore[no-any-return]


def strangeness(distances: Tensor) -> Tensor:
    """(batch, patches) → (batch,): the mean of the largest distances."""
    count = max(1, round(FARTHEST * int(distances.shape[1])))
    return distances.topk(count, dim=1).values.mean(1)


def score_of(logits: Sequence[float]) -> float:
    """How strange a part is, in units of the threshold, from its two logits."""
    return 1 + (logits[1] - logits[0]) / STEEPNESS


def _width(stage: nn.Module) -> int:
    return int(stage[-1].project[0].out_channels)  # type: ignore[index,union-attr,arg-type]


def _averaged(maps: Tensor) -> Tensor:
    """The mean of each position and its neighbours, 3 × 3; at the border, of the neighbours that exist."""
    return F.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)
