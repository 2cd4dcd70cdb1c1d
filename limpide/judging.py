"""How sure a share is, and whether two models differ, where images may belong together: the sums of all verdicts, on plain arrays.

Ten pictures of one patient are right or wrong together: they say less than ten pictures of ten patients. Every function here
takes `groups`, int (n,): images with the same number belong together; None, or a number each, means that each stands alone.
What an interval promises is simulated by benchmarks/judging.py and written in docs/judging.md.

Sources: Wilson 1927; Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts
estimated from survey data", Survey Methodology 24; Kish 1965 for the design effect; McNemar 1947; Newcombe 1998, method 10,
Statistics in Medicine 17:873; Agresti & Min 2005, Statistics in Medicine 24:729.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, ndtri, stdtrit

PRIOR = 4.0  # groups: so many count as wholly right or wrong together until the data say otherwise
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A share, or a difference of two, with its interval."""

    value: float
    low: float
    high: float
    n: int  # images
    groups: int  # that these fall into; n where each stands alone
    effective: float  # so many independent images would say as much

    @property
    def alone(self) -> bool:
        return self.groups == self.n


@dataclass(frozen=True)
class Difference:
    """How two models compare on the same images: the first minus the second."""

    interval: Interval  # of the difference in accuracy
    p: float  # probability of a difference at least as large, in either direction, if the two were equally good
    gained: int  # images that the first names correctly and the second does not
    lost: int

    @property
    def better(self) -> bool:
        """Whether the test rejects that the first is no better (5 %, two-sided)."""
        return self.p < 1 - LEVEL and self.interval.value > 0

    @property
    def worse(self) -> bool:
        return self.p < 1 - LEVEL and self.interval.value < 0


def numbered(groups: np.ndarray | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(place of each image's group, int (n,); images in each, int (G,))."""
    if groups is None:
        return np.arange(n), np.ones(n, int)
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return place.reshape(-1), sizes


def effective_groups(sizes: np.ndarray) -> float:
    """n² / Σ size²: as many groups of equal size say as much (Kish). One large group among small ones counts for little more than one."""
    return float(sizes.sum() ** 2 / max(1.0, float((sizes.astype(float) ** 2).sum())))


def design_effect(right: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """By how much the variance of the share exceeds that of independent images, (...,); never below 1.

    right: how many of each group are right, (..., G) · sizes: images of each group, (G,)
    The variance between groups by linearisation, as in surveys, gives the correlation within; it is drawn towards 1, the worst
    case, with the weight of PRIOR groups against the groups that hold an image of the rarer kind (those tell about it).
    """
    n, count = float(sizes.sum()), len(sizes)
    most = n / effective_groups(sizes)  # the design effect of groups that are right or wrong as a whole
    share = right.sum(-1) / n
    if count < 2 or most <= 1.0:
        return np.full(share.shape, most)
    residual = ((right - share[..., None] * sizes) ** 2).sum(-1)
    spread = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = count / (count - 1) * (n - 1) / n**2 * residual / spread
    correlation = np.clip((np.where(spread > 0, found, most) - 1) / (most - 1), 0.0, None)
    telling = np.where(share >= 0.5, (right < sizes).sum(-1), (right > 0).sum(-1))
    return np.asarray(1 + (most - 1) * (telling * correlation + PRIOR) / (telling + PRIOR))


def effective_images(right: np.ndarray, sizes: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """n / design effect, less what is not known of a variance that few groups show: × (normal / t quantile)² with G − 1 degrees of freedom.

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


def wilson_of(share: np.ndarray, n: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of each share, for any number of images, whole or not: (0, 1) for none."""
    squared = z * z
    half = z * np.sqrt(share * (1 - share) * n + squared / 4) / (n + squared)
    centre = (share * n + squared / 2) / (n + squared)
    return np.where(share == 0, 0.0, np.maximum(centre - half, 0.0)), np.where(share == 1, 1.0, np.minimum(centre + half, 1.0))


def shares(right: np.ndarray, sizes: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(share, low, high, effective images), each (...,). right: (..., G), sizes: (G,), as in `design_effect`."""
    n = effective_images(right, sizes, level)
    share = right.sum(-1) / sizes.sum()
    low, high = wilson_of(share, n, float(ndtri((1 + level) / 2)))
    return share, np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0), n


def interval_of_share(right: np.ndarray, groups: np.ndarray | None = None, level: float = LEVEL) -> Interval:
    """The share of True in `right`, bool (n,), with its interval: Wilson's where each image stands alone. (0, 1) of no image."""
    n = len(right)
    if n == 0:
        return Interval(0.0, 0.0, 1.0, 0, 0, 0.0)
    place, sizes = numbered(groups, n)
    share, low, high, effective = (float(value) for value in shares(np.bincount(place, weights=right, minlength=len(sizes)), sizes, level))
    return Interval(share, low, high, n, len(sizes), effective)


def sign_test(differences: np.ndarray) -> np.ndarray:
    """p, two-sided, (...,): how often sums as far from 0 come about when the sign of each group's sum is a coin's. differences: whole numbers (..., G)

    Exact whatever the correlation within groups, for models that are equally good; McNemar's exact test where every sum is −1, 0 or 1.
    The distribution of the sum is found through its characteristic function, the product of cos(d·t) over the groups.
    """
    size = np.abs(differences)
    total = np.abs(differences.sum(-1))
    most = int(size.max(initial=0))
    if most <= 1:
        n = np.asarray(size.sum(-1)).astype(int)
        return np.minimum(1.0, np.where(n > 0, 2 * bdtr((n - total) // 2, np.maximum(n, 1), 0.5), 1.0))
    span = int(size.sum(-1).max(initial=0))
    points = 1 << int(2 * span + 1).bit_length()
    cosines = np.cos(2 * np.pi * np.arange(points) / points)
    turns = np.arange(points)
    product = np.ones((*total.shape, points))
    for value in range(1, most + 1):
        product *= cosines[turns * value % points] ** (size == value).sum(-1)[..., None]
    mass = np.fft.fft(product, axis=-1).real / points  # of the sum k at k, of −k at points − k
    beyond = np.minimum(turns, points - turns) >= total[..., None]
    return np.clip((mass * beyond).sum(-1), 0.0, 1.0)


def differences(gained: np.ndarray, lost: np.ndarray, sizes: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (...,), of the difference in accuracy. gained, lost: images of each group that only the first, only the second, names correctly, (..., G)

    Agresti & Min's interval for paired shares, with as many images as would say as much: both kinds of disagreement are counted
    as correlated as the groups show (the larger design effect of the two).
    """
    n = float(sizes.sum())
    effective = np.minimum(effective_images(gained, sizes, level), effective_images(lost, sizes, level))
    scale, z = effective / n, float(ndtri((1 + level) / 2))
    a, b, total = gained.sum(-1) * scale + 0.5, lost.sum(-1) * scale + 0.5, effective + 2
    centre = (a - b) / total
    half = z * np.sqrt(np.maximum(a + b - (a - b) ** 2 / total, 0.0)) / total
    return np.where(effective > 0, np.maximum(centre - half, -1.0), -1.0), np.where(effective > 0, np.minimum(centre + half, 1.0), 1.0)


def compare(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None = None, level: float = LEVEL) -> Difference:
    """Two models on the same images. first, second: whether each names each image correctly, bool (n,). Raises ValueError for no image."""
    n = len(first)
    if n == 0 or len(second) != n:
        raise ValueError(f"Two models are compared on the same images, at least one. Got {n} and {len(second)} instead.")
    place, sizes = numbered(groups, n)
    gained, lost = (np.bincount(place, weights=only, minlength=len(sizes)) for only in (first & ~second, second & ~first))
    low, high = differences(gained, lost, sizes, level)
    value = float((gained.sum() - lost.sum()) / n)
    effective = float(min(effective_images(gained, sizes), effective_images(lost, sizes)))
    interval = Interval(value, min(float(low), value), max(float(high), value), n, len(sizes), effective)
    return Difference(interval, float(sign_test(gained - lost)), int(gained.sum()), int(lost.sum()))


def lag(inside: tuple[np.ndarray, np.ndarray, np.ndarray], outside: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of how far the share inside lies below the share outside; each a share with its interval (Newcombe 1998, method 10)."""
    (a, a_low, a_high), (b, b_low, b_high) = inside, outside
    return (b - a) - np.hypot(b - b_low, a_high - a), (b - a) + np.hypot(b_high - b, a - a_low)
