"""Areas under ROC curves: how well scores tell two kinds of images apart, and which of two scores does it better."""

from __future__ import annotations

import numpy as np

from limpide.statistics.metrics import area_under_roc, wilson

DRAWS = 2_000


def interval_of_area(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray | None) -> tuple[float, float, float]:
    """(area, low, high). As wide as the interval of a share of so many images, or groups of images, as the rarer kind
    has. scores: float (n,), higher where more likely positive · positive: bool (n,), both kinds there · groups: int
    (n,), which belong together; None: each image alone.
    """
    area = area_under_roc(scores[positive], scores[~positive])
    few = min(int(positive.sum()), int((~positive).sum()))
    if groups is not None:
        few = min(len(np.unique(groups[positive])), len(np.unique(groups[~positive])))
    return area, *wilson(area * few, few)


def compare_areas(
    first: np.ndarray, second: np.ndarray, positive: np.ndarray, groups: np.ndarray | None, seed: int = 0
) -> float:
    """p-value, two-sided, that two scores of the same images tell them apart equally well: how often a difference as
    large comes about where the ranks of an image, or of all images of a group, change sides by chance (Bandos, Rockette
    & Gur 2005, Statistics in Medicine 24:2873). As for `interval_of_area`.
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
    """float (n,), from 0; those that are equal have their mean."""
    ordered = np.sort(scores)
    return np.asarray((np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right") - 1) / 2)
