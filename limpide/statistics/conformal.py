"""A threshold below which a promised share of good parts stays, from good parts alone: split-conformal (Vovk, Gammerman
& Shafer 2005, section 4.2; Papadopoulos et al. 2002).

The promise: let n good parts, and one more, be exchangeable: every order in which they come is equally likely. Then the
new one scores above the ⌈(n + 1)(1 − α)⌉-th smallest of the n scores with a probability of at most α, whatever the
scores are. Nothing is assumed about their distribution.

Images that belong together are not independent. Each group counts once, its images share its weight, and the promise is
about an image of a new group (Lee, Barber & Willett 2023, arXiv 2306.06342, theorem 1).

The promise is an average over all thresholds that might have resulted. `rate_interval` gives the interval of the rate
of this one: with independent scores and k − 1 of n below the threshold it is drawn from Beta(n + 1 − k, k) (Vovk 2012,
"Conditional validity of inductive conformal predictors", proposition 2a).
"""

from __future__ import annotations

import math

import numpy as np

ROUNDING = 1e-9  # error of sums of weights


def fewest_scores(rate: float) -> int:
    """The smallest number of independent good parts that can promise this rate of false alarms: ⌈1 / rate⌉ − 1."""
    return max(1, math.ceil(1 / rate - ROUNDING) - 1)


def lowest_rate(n: int) -> float:
    """The lowest rate of false alarms that n independent good parts can promise."""
    return 1 / (n + 1)


def weights_of(groups: np.ndarray | None, n: int) -> np.ndarray:
    """float (n,): the weight of each score in its group, which counts once. groups: int (n,), as in intervals.py."""
    from limpide.statistics.intervals import number_groups  # not at the top: prediction must not load SciPy

    place, sizes = number_groups(groups, n)
    return np.asarray(1 / sizes[place])


def threshold_of(scores: np.ndarray, rate: float, weights: np.ndarray | None = None) -> float:
    """The smallest score that at most `rate` of new good parts exceed; infinite if there are too few scores to promise
    that.

    scores: float (n,), of good parts that the model did not learn from · weights: as `weights_of` returns them.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    needed = (float(weights.sum()) + 1) * (1 - rate)
    place = int(np.searchsorted(reached, needed - ROUNDING))
    return float(scores[order][place]) if place < len(scores) else math.inf


def p_values(scores: np.ndarray, calibration: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float (n,): how rarely a good part scores as high as each of these: (1 + those as high) / (1 + all). For good
    parts it is at most any p with a probability of p or less.
    """
    weights = np.ones(len(calibration)) if weights is None else weights
    order = np.argsort(calibration, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    total = float(weights.sum())
    higher = total - below[np.searchsorted(calibration[order], scores, side="left")]
    return np.asarray((1 + np.maximum(higher, 0.0)) / (1 + total))


def rate_interval(n: int, rate: float, level: float = 0.95) -> tuple[float, float]:
    """The interval of the rate of false alarms of one threshold that n independent scores gave for this promise."""
    from scipy.stats import beta

    k = math.ceil((n + 1) * (1 - rate) - ROUNDING)
    if k > n:
        return 0.0, 0.0  # the threshold is infinite
    tail = (1 - level) / 2
    low, high = beta.ppf([tail, 1 - tail], n + 1 - k, k)
    return float(low), float(high)
