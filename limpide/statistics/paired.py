"""Two models on the same images: which is right more often, if images may belong together.

`groups` are int (n,), the group of each image; None if each image is alone. All tests use d, the difference of the two
answers to an image: 1 where only the first model is right, −1 where only the second is, 0 where they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limpide.statistics.intervals import effective_groups, number_groups

ENOUGH_GROUPS = 10  # groups with a difference that are needed to estimate the similarity within groups


@dataclass(frozen=True)
class Paired:
    """The p-values are one-sided: the probability of a difference like this one, or a larger one, by chance."""

    n: int  # images that both models classified
    first: int  # of these, number that only the first had right
    second: int  # number that only the second had right
    better: float  # p if the first is not better
    worse: float  # p if the second is not better
    close: float  # p if the second is behind the first by the margin or more


def compare_paired(
    first: np.ndarray, second: np.ndarray, groups: np.ndarray | None, margin: float, variance: float = 1.0
) -> Paired:
    """first, second: bool (n,), whether each answer is right, for the same images · margin: share of the images ·
    variance: a factor on that of independent groups, OF_FOLDS if folds judged.
    """
    d = first.astype(int) - second.astype(int)
    chances = (*sign_flips(_sums(d, groups)), shown_to_be_close(d, groups, margin))
    better, worse, close = (_soften(chance, variance) for chance in chances)
    return Paired(len(d), int((d > 0).sum()), int((d < 0).sum()), better, worse, close)


def _soften(chance: float, variance: float) -> float:
    """The p-value of a statistic whose variance is `variance` times the one that its test assumed."""
    from scipy.special import ndtr, ndtri

    return chance if variance == 1.0 else float(ndtr(ndtri(chance) / variance**0.5))


def sign_flips(sums: np.ndarray) -> tuple[float, float]:
    """p-values (of a sum at least as large, of one at least as small) if each of these int (groups,) is equally likely
    to have the other sign.

    Exact: the distribution is computed, not drawn. With sums of −1, 0 and 1, where each image is alone, it is the exact
    test of McNemar (1947). With one sum for all images of a group it is the sign-flip test of Canay, Romano & Shaikh
    (2017, section 3): five groups can never reject at 2.5 %.
    """
    size = np.abs(sums)
    positive = int(sums[sums > 0].sum())
    chances = np.ones(1)  # probabilities of the sum of those whose sign is +
    for step, times in zip(*np.unique(size[size > 0], return_counts=True), strict=True):
        distribution = np.zeros(step * times + 1)
        distribution[::step] = _coins(int(times))
        chances = np.convolve(chances, distribution)
    return min(1.0, float(chances[positive:].sum())), min(1.0, float(chances[: positive + 1].sum()))


def shown_to_be_close(d: np.ndarray, groups: np.ndarray | None, margin: float) -> float:
    """p-value of "the mean of d is `margin` or more": the score test of Tango (1998, equation 9) for paired shares.

    Where images belong together, the statistic is divided by the root of the design effect, and Student's t with G − 1
    degrees of freedom replaces the normal distribution (Korn & Graubard 1998). The p-value is not less than the chance
    that a loss of this size, if it were all in a few whole groups, left none of them among these.
    """
    from scipy.special import ndtr, stdtr

    n, first, second = len(d), int((d > 0).sum()), int((d < 0).sum())
    if not n:
        return 1.0
    a, c = 2 * n, -second * margin * (1 - margin)
    b = (2 * n - first + second) * margin - first - second
    # share of images that only the second has right, if it is behind by the margin
    share = ((b * b - 4 * a * c) ** 0.5 - b) / (2 * a)
    z = (first - second - n * margin) / (n * (2 * share + margin * (1 - margin))) ** 0.5
    if groups is None:
        return float(ndtr(z))
    count = len(np.unique(groups))
    unseen = (1 - margin) ** count
    return max(unseen, float(stdtr(count - 1, z / design_effect(d, groups) ** 0.5))) if count > 1 else 1.0


def design_effect(values: np.ndarray, groups: np.ndarray) -> float:
    """The factor by which the variance of the mean exceeds that of independent images (Kish 1965), at least 1.

    If too few groups hold differences, each group counts as one image. (`intervals.design_effect` is that of a share,
    drawn towards the worst case; here most differences are 0, which says nothing about the similarity of the others.)
    """
    sizes = number_groups(groups, len(values))[1]
    if len(np.unique(groups[values != 0])) < ENOUGH_GROUPS:
        return len(values) / effective_groups(sizes)
    between = float((_sums(values - values.mean(), groups) ** 2).sum()) * len(sizes) / (len(sizes) - 1)
    return max(1.0, between / float(((values - values.mean()) ** 2).sum()))


def _sums(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    if groups is None:
        return values
    return np.bincount(number_groups(groups, len(values))[0], weights=values).astype(values.dtype)


def _coins(n: int) -> np.ndarray:
    """Probabilities of 0, 1 … n heads among n coins."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(np.exp(logs[-1] - logs - logs[::-1] - n * np.log(2.0)))
