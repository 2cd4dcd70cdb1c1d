"""Repeated trainings on the same test images: the mean over both, its interval over seeds and images, and comparisons.

Every training draws its own seed and every image its own difficulty; the score of another seed on other images differs
for both reasons. The model is that of two crossed random effects (Searle, Casella & McCulloch 1992, chapter 4):

value[seed, image] = mean + seed effect + image effect + rest

Images that belong together count as one: their sum is one column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from limpide.statistics.intervals import number_groups

MOST = 1000  # repeats that are looked at, to say how many are needed
POWER_QUANTILE = 0.8416  # of the normal distribution: 80 % of such comparisons shall find the difference


@dataclass(frozen=True)
class Components:
    """Variances of one seed's effect, of one column's, and of the rest, in the scale of the mean."""

    seeds: float
    columns: float
    rest: float
    n_seeds: int
    n_columns: int

    def of_mean(self, seeds: int) -> float:
        """The variance of a mean over so many seeds and the same columns."""
        return self.seeds / seeds + self.columns / self.n_columns + self.rest / (seeds * self.n_columns)


@dataclass(frozen=True)
class CrossedMean:
    value: float
    low: float
    high: float
    p: float  # two-sided, of "the mean is 0"
    components: Components


def crossed_mean(values: np.ndarray, groups: np.ndarray | None = None, variance: float = 1.0) -> CrossedMean | None:
    """The mean of values (seeds, images) with its 95 % interval; None for fewer than two seeds or two groups.

    groups: int (images,) · variance: a factor on that over images, OF_FOLDS if folds judged. Each mean square has
    Student's t of its own degrees of freedom, and the squares of the half-widths add up (Howe 1974): few seeds make
    wide intervals. One number of degrees for both (Satterthwaite) called 17 % of equal options different with two
    seeds.
    """
    totals = _totals(np.asarray(values, float), groups)
    n_seeds, n_columns = totals.shape
    if n_seeds < 2 or n_columns < 2:
        return None
    mean, rows, columns = float(totals.mean()), totals.mean(1), totals.mean(0)
    rest = totals - rows[:, None] - columns[None, :] + mean
    degrees = n_seeds - 1, n_columns - 1, (n_seeds - 1) * (n_columns - 1)
    of_seeds = n_columns * float(((rows - mean) ** 2).sum()) / degrees[0]
    of_columns = variance * n_seeds * float(((columns - mean) ** 2).sum()) / degrees[1]
    of_rest = float((rest**2).sum()) / degrees[2]
    parts = [(of_seeds, degrees[0]), (max(0.0, of_columns - of_rest), degrees[1])]
    # Where few answers differ, the squares of one kind may vanish by luck: the mean varies at least as its images say
    # alone, and as its single answers do.
    size = n_seeds * n_columns
    single = float(((totals - mean) ** 2).sum()) / (size - 1)
    choices = [parts, [(of_columns, degrees[1])], [(single, size - 1)]]
    half = max(_half_width(0.05, one, size) for one in choices)
    p = _chance(abs(mean), choices, size) if mean else 1.0
    components = Components(
        max(0.0, (of_seeds - of_rest) / n_columns), max(0.0, (of_columns - of_rest) / n_seeds), of_rest, *totals.shape
    )
    return CrossedMean(mean, mean - half, mean + half, p, components)


Squares = list[tuple[float, int]]  # mean squares and their degrees of freedom


def _half_width(level: float, squares: Squares, size: int) -> float:
    return float(sum(float(stdtrit(freedom, level / 2)) ** 2 * square / size for square, freedom in squares) ** 0.5)


def _chance(distance: float, choices: list[Squares], size: int) -> float:
    """The level at which the widest interval just reaches so far."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if max(_half_width(middle, squares, size) for squares in choices) > distance:
            low = middle
        else:
            high = middle
    return high


def _totals(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """(seeds, groups), with the same mean as the values."""
    if groups is None:
        return values
    place, sizes = number_groups(groups, values.shape[1])
    sums = np.stack([np.bincount(place, weights=row, minlength=len(sizes)) for row in values])
    return np.asarray(sums * len(sizes) / values.shape[1])


def repeats_for(difference: float, components: Components) -> int | None:
    """The fewest seeds with which a difference this large would be found in 80 of 100 comparisons, at the 5 % level, on
    these images; None where no number of seeds suffices.
    """
    if images_for(difference, components) > 1:
        return None
    for seeds in range(2, MOST + 1):
        quantile = float(stdtrit(seeds - 1, 0.975)) + POWER_QUANTILE
        if quantile * components.of_mean(seeds) ** 0.5 <= difference:
            return seeds
    return None


def images_for(difference: float, components: Components) -> int:
    """How many times these images such a comparison would need, with any number of seeds."""
    needed = (difference / (1.96 + POWER_QUANTILE)) ** 2
    return max(1, int(np.ceil(components.columns / components.n_columns / needed)))


def holm(p_values: list[float]) -> list[float]:
    """Adjusted so that the chance of any false claim among them stays below the level (Holm 1979)."""
    order, adjusted, highest = np.argsort(p_values), [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
