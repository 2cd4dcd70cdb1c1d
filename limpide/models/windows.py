"""Search for small things: a network runs over a large square, and each feature counts where it is strongest.

The mean over all positions, with which networks end, drowns the signal of a few of them: a scratch of 40 pixels in a
photograph of 1,600. Here the last maps are averaged in windows of 3 × 3 cells, which together see about 100 pixels of
the square and their surroundings, and each feature is taken from the window where it is largest (max pooling over
positions: Oquab et al. 2015, "Is object localization for free?", section 3.2). The weights are those of the network as
it was published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELLS = 3  # cells of the last maps along a side of a window: 1 to 7 were tried (docs/LOG.md)


def strongest_windows(maps: Tensor) -> Tensor:
    """(batch, channels, height, width) → (batch, channels): the largest window mean."""
    return F.adaptive_max_pool2d(_window_means(maps), 1).flatten(1)


def _window_means(maps: Tensor) -> Tensor:
    """(batch, channels, windows down, windows across)."""
    return F.avg_pool2d(maps, _cells(maps), stride=1)


def _cells(maps: Tensor) -> tuple[int, int]:
    """The cells of a window, (down, across): fewer if the maps are smaller."""
    return min(CELLS, maps.shape[-2]), min(CELLS, maps.shape[-1])


@dataclass(frozen=True)
class DecidingWindow:
    """The window with the most evidence for a class, in pixels of the square."""

    top: int
    left: int
    bottom: int
    right: int
    share: float  # of all evidence for the class against the others, from 0 to 1


@torch.inference_mode()
def deciding_window(model: nn.Module, image: Tensor, label: int) -> DecidingWindow | None:
    """The window with the most evidence for class `label`. image: (1, channels, size, size), normalised. None for a
    network without windows, or if no window is evidence for the class.

    The last layer adds weight · feature, and each feature comes from one window. The evidence of a window is the sum
    over the features that are largest there, each less its mean over all windows of the image, as a texture that is
    everywhere is evidence at no single position. Weights are relative to the mean of the classes, as only differences
    of logits count.
    """
    if not getattr(model, "windows", False):
        return None
    maps = model.last(model.blocks(model.stem(image)))  # type: ignore[operator]
    means = _window_means(maps)[0]  # (channels, windows down, windows across)
    strongest, places = means.flatten(1).max(1)
    more = strongest - means.mean((1, 2))
    weight = model.head.weight  # type: ignore[union-attr]
    given = (weight[label] - weight.mean(0)) * more  # type: ignore[index,operator,union-attr]
    sums = np.bincount(places.numpy(), weights=given.double().numpy(), minlength=means[0].numel())
    best = int(sums.argmax())
    if sums[best] <= 0:
        return None
    cell = image.shape[-1] / maps.shape[-1]  # pixels
    (down, across), (row, column) = _cells(maps), divmod(best, means.shape[-1])
    top, left, bottom, right = (round(cell * k) for k in (row, column, row + down, column + across))
    return DecidingWindow(top, left, bottom, right, float(sums[best] / sums[sums > 0].sum()))
