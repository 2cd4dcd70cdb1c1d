"""The uncertainty of a share where images may belong together: the arithmetic behind all verdicts, on plain arrays.

Ten pictures of one patient are right or wrong together: they say less than ten pictures of ten patients. Every function
here takes `groups`, int (n,): images with the same number belong together; None, or a different number for each, means
that each image is alone. benchmarks/judging.py simulates the promise of an interval, and docs/explanation/judging.md
describes it.

Sources: Wilson 1927; Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive
counts estimated from survey data", Survey Methodology 24; Kish 1965 for the design effect; Newcombe 1998, method 10,
Statistics in Medicine 17:873.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtri, stdtrit
from scipy.stats import hypergeom

PRIOR = 4.0  # groups that count as wholly right or wrong together until the data say otherwise
LEVEL = 0.95
# factor on the variance of independent images, if the model of a fold judged each: these models share most of their
# training images, and err together (Bengio & Grandvalet 2004; the number: docs/explanation/folds.md)
OF_FOLDS = 1.6
CHANCE_LEVEL = 0.025  # one-sided probability below which a part of the images is said to fall behind
CLOSE_MARGIN = 0.2  # share: a lag that is shown to be smaller is negligible

Counts = tuple[np.ndarray, np.ndarray]  # (right images of each group, images of each group)


@dataclass(frozen=True)
class Interval:
    """A share, or a difference of two, with its interval."""

    value: float
    low: float
    high: float
    n: int  # images
    groups: int  # number of groups of these; n if each image is alone
    effective: float  # number of independent images that would say as much

    def above(self, bound: float, luck: float = CHANCE_LEVEL) -> bool:
        """Whether a test rejects that the true value is `bound` or less."""
        return bool(exceeds(np.asarray(self.value), np.asarray(self.effective), bound, luck))

    def below(self, bound: float, luck: float = CHANCE_LEVEL) -> bool:
        """Whether a test rejects that the true value is `bound` or more."""
        return bool(falls_short(np.asarray(self.value), np.asarray(self.effective), bound, luck))

    @property
    def alone(self) -> bool:
        return self.groups == self.n


def number_groups(groups: np.ndarray | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(index of the group of each image, int (n,); number of images in each group, int (G,))."""
    if groups is None:
        return np.arange(n), np.ones(n, int)
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return place.reshape(-1), sizes


def count_by_group(right: np.ndarray, groups: np.ndarray | None) -> Counts:
    """Number of right images and number of images in each group. right: bool (n,)"""
    place, sizes = number_groups(groups, len(right))
    return np.bincount(place, weights=right, minlength=len(sizes)), sizes


def effective_groups(sizes: np.ndarray) -> float:
    """n² / Σ size²: the number of groups of equal size that say as much (Kish). One large group among small ones counts
    for little more than one.
    """
    return float(sizes.sum() ** 2 / max(1.0, float((sizes.astype(float) ** 2).sum())))


def correlation(right: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """How similar two images of a group are in being right, (...,): from 0, independent, to about 1, right or wrong as
    a whole.

    right: number of right images of each group, (..., G) · sizes: images of each group, (G,)
    It is estimated from the variance between groups by linearisation, as in surveys, and drawn towards 1, the worst
    case, with the weight of PRIOR groups against that of the groups that hold an image of the rarer kind, right or
    wrong: only those are informative.
    """
    n, count = float(sizes.sum()), len(sizes)
    most = n / effective_groups(sizes)
    share = right.sum(-1) / n
    if count < 2 or most <= 1.0:
        return np.ones(share.shape)
    residual = ((right - share[..., None] * sizes) ** 2).sum(-1)
    spread = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance_ratio = count / (count - 1) * (n - 1) / n**2 * residual / spread
    alike = np.clip((np.where(spread > 0, variance_ratio, most) - 1) / (most - 1), 0.0, None)
    telling = np.where(share >= 0.5, (right < sizes).sum(-1), (right > 0).sum(-1))
    return np.asarray((telling * alike + PRIOR) / (telling + PRIOR))


def design_effect(right: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The factor by which the variance of the share exceeds that of independent images, (...,); never below 1 (Kish
    1965). Parameters as in `correlation`.
    """
    most = sizes.sum() / effective_groups(sizes)  # for groups that are right or wrong as a whole
    return np.asarray(1 + (most - 1) * correlation(right, sizes))


def effective_images(right: np.ndarray, sizes: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """n / design effect, less the uncertainty of a variance that few groups show: × (normal / t quantile)² with G − 1
    degrees of freedom.

    (...,), 0 for a single group. G counts groups of unequal size as `effective_groups` does.
    """
    n = float(sizes.sum())
    if (sizes == 1).all():
        return np.full(right.shape[:-1], n)
    free = effective_groups(sizes) - 1
    if free <= 0:
        return np.zeros(right.shape[:-1])
    tail = (1 + level) / 2
    return np.asarray(n / design_effect(right, sizes) * float(ndtri(tail) / stdtrit(free, tail)) ** 2)


def wilson_interval(share: np.ndarray, n: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of each share, for any number of images, whole or not: (0, 1) for none."""
    squared = z * z
    half = z * np.sqrt(share * (1 - share) * n + squared / 4) / (n + squared)
    centre = (share * n + squared / 2) / (n + squared)
    return np.where(share == 0, 0.0, np.maximum(centre - half, 0.0)), np.where(
        share == 1, 1.0, np.minimum(centre + half, 1.0)
    )


def wilson_bounds(
    right: np.ndarray, sizes: np.ndarray, level: float = LEVEL, variance: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(share, low, high, effective images), each (...,). right: (..., G), sizes: (G,), as in `design_effect` ·
    variance: a factor on that of independent groups.
    """
    n = effective_images(right, sizes, level) / variance
    share = right.sum(-1) / sizes.sum()
    low, high = wilson_interval(share, n, float(ndtri((1 + level) / 2)))
    return share, np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0), n


def interval_of_share(
    right: np.ndarray, groups: np.ndarray | None = None, level: float = LEVEL, variance: float = 1.0
) -> Interval:
    """The share of True in `right`, bool (n,), with its interval: Wilson's if each image is alone. (0, 1) without
    images. variance: a factor on that of independent groups, OF_FOLDS if folds judged.
    """
    n = len(right)
    if n == 0:
        return Interval(0.0, 0.0, 1.0, 0, 0, 0.0)
    counts, sizes = count_by_group(right, groups)
    share, low, high, effective = (float(value) for value in wilson_bounds(counts, sizes, level, variance))
    return Interval(share, low, high, n, len(sizes), effective)


def mean_of_shares(shares: Sequence[Interval]) -> Interval:
    """The mean of shares of images that have nothing in common, such as the recalls of classes, with equal weights.
    Squares of the distances to the ends add up (Zou & Donner 2008, Statistics in Medicine 27:1693, equation 3).
    """
    count = len(shares)
    value = sum(one.value for one in shares) / count
    below = np.sqrt(sum((one.value - one.low) ** 2 for one in shares)) / count
    above = np.sqrt(sum((one.high - one.value) ** 2 for one in shares)) / count
    n, groups = sum(one.n for one in shares), sum(one.groups for one in shares)
    # independent images of one share that would say as much: variances of shares add up
    effective = count**2 / sum(1 / one.effective if one.effective else np.inf for one in shares)
    return Interval(value, max(0.0, value - below), min(1.0, value + above), n, groups, float(effective))


def exceeds(share: np.ndarray, n: np.ndarray, bound: float, luck: float = CHANCE_LEVEL) -> np.ndarray:
    """bool (...,): whether the true value is shown to be above `bound`: if it were not, as many of n effective images
    would be right by chance in at most `luck` of cases.

    The exact binomial test (Clopper & Pearson 1934; Korn & Graubard 1998 for effective images): near 0 and 1 one end of
    Wilson's interval errs more often than 2.5 %. An interval may do so, as the other end errs less; an accusation may
    not.
    """
    right = share * n
    return np.asarray(np.where(right > 0, betainc(np.maximum(right, 1e-9), n - right + 1, bound), 1.0) <= luck)


def falls_short(share: np.ndarray, n: np.ndarray, bound: float, luck: float = CHANCE_LEVEL) -> np.ndarray:
    """Whether the true value is shown to be below `bound`: as `exceeds`."""
    return exceeds(1 - share, n, 1 - bound, luck)


def lag(
    inside: tuple[np.ndarray, np.ndarray, np.ndarray], outside: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of the difference by which the share inside is below the share outside; each argument is a share with
    its interval (Newcombe 1998, method 10).
    """
    (a, a_low, a_high), (b, b_low, b_high) = inside, outside
    return (b - a) - np.hypot(b - b_low, a_high - a), (b - a) + np.hypot(b_high - b, a - a_low)


def _falls_effectively(inside: Counts, outside: Counts, of: int) -> np.ndarray:
    """Fisher's test on the counts divided by the design effect of all groups (Rao & Scott 1992): if groups are right or
    wrong as a whole, it counts groups.
    """
    (right, sizes), (others, other_sizes) = inside, outside
    effect = design_effect(np.concatenate([right, others], axis=-1), np.concatenate([sizes, other_sizes]))
    n, rest = sizes.sum(), other_sizes.sum()
    wrong, elsewhere = n - right.sum(-1), rest - others.sum(-1)
    missed, inside_n, all_n = (
        np.floor(wrong / effect + 1e-9),
        np.rint(n / effect),
        np.rint(n / effect) + np.rint(rest / effect),
    )
    return np.asarray(
        of * hypergeom.sf(missed - 1, all_n, np.minimum(missed + np.rint(elsewhere / effect), all_n), inside_n)
        < CHANCE_LEVEL
    )


def falls_behind(inside: Counts, outside: Counts, of: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(whether the images inside are right less often, whether they are not by CLOSE_MARGIN or more), bool (...,); if
    neither holds, the images do not decide it.

    inside, outside: number of right images of each group, (..., G), and the images of each group, (G,), both not empty
    of: the number of such questions that are asked; the first answer allows for it (Bonferroni)

    The first is Fisher's exact test (CHANCE_LEVEL, one-sided); where images belong together, Newcombe's interval has to
    agree.
    """
    (right, sizes), (others, other_sizes) = inside, outside
    n, rest = int(sizes.sum()), int(other_sizes.sum())
    wrong = n - right.sum(-1)
    cases, place = np.unique(
        np.stack([wrong, wrong + rest - others.sum(-1)], axis=-1).reshape(-1, 2), axis=0, return_inverse=True
    )
    chance = hypergeom.sf(cases[:, 0] - 1, n + rest, cases[:, 1], n)[place.reshape(-1)].reshape(wrong.shape)
    falls = of * chance < CHANCE_LEVEL
    if len(sizes) < n or len(other_sizes) < rest:
        level = 1 - 2 * CHANCE_LEVEL / of
        falls = (
            falls
            & _falls_effectively(inside, outside, of)
            & (lag(wilson_bounds(right, sizes, level)[:3], wilson_bounds(others, other_sizes, level)[:3])[0] > 0)
        )
    return np.asarray(falls), np.asarray(
        lag(wilson_bounds(right, sizes)[:3], wilson_bounds(others, other_sizes)[:3])[1] < CLOSE_MARGIN
    )
