"""How far is a part from good ones? The patches of good parts are kept, and a new part is as strange as its strangest
patches (PatchCore: Roth et al. 2022, arXiv 2106.08265).

A frozen network that knows photographs describes each patch of 8 × 8 pixels by what two of its middle stages say there,
each averaged over 3 × 3 places (section 3.1). Of all patches of good parts a few are kept that leave no other far from
them (section 3.2, training/coreset.py). A patch is as strange as it is far from the nearest one that was kept, and a
part as strange as the fortieth of its patches that is farthest, on average: a single patch, as in section 3.3, is more
noise than a defect (docs/LOG.md has the figures).

Nothing here knows a defect: the threshold comes from good parts alone (statistics/conformal.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.models.efficientnet import EfficientNet

BACKBONE = "lite0"
FINE, COARSE = 5, 11  # blocks of it up to the end of the stages of stride 8 and of stride 16
PATCHES = 512  # that are kept
FARTHEST = 1 / 40  # of the patches of a part, which say how strange it is
STEEPNESS = 10.0  # logits a threshold: a part 1.2 times as strange as the threshold has them 2 apart


class StrangestPatches(nn.Module):
    """Distances of patches in thresholds (batch, patches) → logits (batch, 2) of good and defect."""

    def forward(self, distances: Tensor) -> Tensor:
        half = (strangeness(distances) - 1) * (STEEPNESS / 2)  # (batch,)
        return torch.stack([-half, half], 1)


class GoodParts(nn.Module):
    """Images (batch, 3, size, size), size a multiple of 32 → logits (batch, 2) of good and defect, which are equal
    where a part is as strange as the threshold. They are no probabilities: a distance knows no defects.

    `features` are the distances of the patches in thresholds, row after row: where a defect may be.
    """

    def __init__(self, *, patches: int = PATCHES) -> None:
        super().__init__()
        backbone = EfficientNet(BACKBONE, classes=1)
        self.stem, self.fine, self.coarse = backbone.stem, backbone.blocks[:FINE], backbone.blocks[FINE:COARSE]
        width = _width(self.fine) + _width(self.coarse)
        self.register_buffer("mean", torch.zeros(width))  # of the patches of good parts
        self.register_buffer("bank", torch.zeros(patches, width))  # patches that are kept, less the mean
        self.register_buffer("threshold", torch.ones(()))
        self.head = StrangestPatches()
        self.requires_grad_(False)
        self.eval()

    mean: Tensor
    bank: Tensor
    threshold: Tensor

    def load_imagenet(self) -> None:
        """The published weights. Raises ModelError as EfficientNet does."""
        backbone = EfficientNet(BACKBONE)
        backbone.load_imagenet()
        for mine, published in (
            (self.stem, backbone.stem),
            (self.fine, backbone.blocks[:FINE]),
            (self.coarse, backbone.blocks[FINE:COARSE]),
        ):
            mine.load_state_dict(published.state_dict())

    def patches(self, images: Tensor) -> Tensor:
        """What the network says of each patch, (batch, width, size / 8, size / 8)."""
        fine = self.fine(self.stem(images))  # (batch, 40, size / 8, size / 8)
        coarse = _averaged(self.coarse(fine))  # (batch, 112, size / 16, size / 16)
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([_averaged(fine), coarse], 1)

    def nearest(self, patches: Tensor) -> Tensor:
        """(batch, width, rows, columns) → distance of each patch to the nearest one that is kept (batch, rows,
        columns).
        """
        x = patches - self.mean[:, None, None]
        # |x − b|² = |x|² + (|b|² − 2 x·b), of which the second part is a convolution of one pixel
        rest = F.conv2d(x, -2 * self.bank[:, :, None, None], self.bank.square().sum(1))  # (batch, kept, rows, columns)
        return (x.square().sum(1) + rest.amin(1)).clamp(min=0).sqrt()

    def features(self, images: Tensor) -> Tensor:
        return self.nearest(self.patches(images)).flatten(1) / self.threshold

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))  # type: ignore[no-any-return]


def strangeness(distances: Tensor) -> Tensor:
    """(batch, patches) → (batch,): the mean of the farthest."""
    count = max(1, round(FARTHEST * int(distances.shape[1])))
    return distances.topk(count, dim=1).values.mean(1)


def score_of(logits: Sequence[float]) -> float:
    """How strange a part is, in thresholds, from the two logits that it was given."""
    return 1 + (logits[1] - logits[0]) / STEEPNESS


def _width(stage: nn.Module) -> int:
    return int(stage[-1].project[0].out_channels)  # type: ignore[index,union-attr,arg-type]


def _averaged(maps: Tensor) -> Tensor:
    """Each place with its neighbours, 3 × 3; at the border with those that there are."""
    return F.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)
