"""Areas under ROC curves: how well scores separate two kinds of images, and which of two scores does it better."""

from __future__ import annotations

import numpy as np

from limpide.statistics.metrics import area_under_roc, wilson

DRAWS = 2_000


def interval_of_area(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray | None) -> tuple[float, float, float]:
    """(area, low, high). The interval is as wide as that of a share over the images, or groups of images, of the rarer
    kind. scores: float (n,), higher where more likely positive · positive: bool (n,), both kinds must occur · groups:
    int (n,), images with the same number belong together; None: each image alone.
    """
    area = area_under_roc(scores[positive], scores[~positive])
    few = min(int(positive.sum()), int((~positive).sum()))
    if groups is not None:
        few = min(len(np.unique(groups[positive])), len(np.unique(groups[~positive])))
    return area, *wilson(area * few, few)


def compare_areas(
    first: np.ndarray, second: np.ndarray, positive: np.ndarray, groups: np.ndarray | None, seed: int = 0
) -> float:
    """Two-sided p-value of the hypothesis that two scores of the same images separate them equally well: how often a
    difference as large occurs if the ranks of an image, or of all images of a group, are exchanged by chance (Bandos,
    Rockette & Gur 2005, Statistics in Medicine 24:2873). Parameters as in `interval_of_area`.
    """
    ranks = np.stack([_ranks(first), _ranks(second)])
    _, group = np.unique(np.arange(len(positive)) if groups is None else groups, return_inverse=True)
    observed, random, as_large = abs(_difference(ranks, positive)), np.random.default_rng(seed), 1
    for _ in range(DRAWS):
        change = random.integers(0, 2, group.max() + 1).astype(bool)[group]
        as_large += abs(_difference(np.where(change, ranks[::-1], ranks), positive)) >= observed - 1e-12
    return as_large / (DRAWS + 1)


def _difference(ranks: np.ndarray, positive: np.ndarray) -> float:
    one, other = (area_under_roc(own[positive], own[~positive]) for own in ranks)
    return one - other


def _ranks(scores: np.ndarray) -> np.ndarray:
    """float (n,), from 0; equal scores have their mean rank."""
    ordered = np.sort(scores)
    return np.asarray((np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right") - 1) / 2)
