"""A threshold that a promised share of good ones stays below, from good ones alone: split-conformal (Vovk, Gammerman &
Shafer 2005, section 4.2; Papadopoulos et al. 2002).

The promise: let n good parts, and one more, be exchangeable: no order in which they came is likelier than another. Then
the new one scores above the ⌈(n + 1)(1 − α)⌉-th smallest of the n scores with a probability of at most α, whatever the
scores are. Nothing is supposed of their distribution.

Images that belong together are no independent ones. Each group counts once, its images share its weight, and the
promise is about an image of a new group (Lee, Barber & Willett 2023, arXiv 2306.06342, theorem 1).

What is promised is an average over all thresholds that might have come out. `rate_interval` says where the rate of this
one may lie: with independent scores and k − 1 of n below the threshold it is drawn from Beta(n + 1 − k, k) (Vovk 2012,
"Conditional validity of inductive conformal predictors", proposition 2a).
"""

from __future__ import annotations

import math

import numpy as np

ROUNDING = 1e-9  # of sums of weights


def fewest_scores(rate: float) -> int:
    """Independent good ones without which no such rate of false alarms can be promised: ⌈1 / rate⌉ − 1."""
    return max(1, math.ceil(1 / rate - ROUNDING) - 1)


def lowest_rate(n: int) -> float:
    """The lowest rate of false alarms that so many independent good ones can promise."""
    return 1 / (n + 1)


def weights_of(groups: np.ndarray | None, n: int) -> np.ndarray:
    """float (n,): of each score in its group, which counts once. groups: int (n,), as in intervals.py."""
    from limpide.statistics.intervals import number_groups  # not above: whoever predicts loads no SciPy

    place, sizes = number_groups(groups, n)
    return np.asarray(1 / sizes[place])


def threshold_of(scores: np.ndarray, rate: float, weights: np.ndarray | None = None) -> float:
    """The smallest score that at most `rate` of new good ones exceed; infinite where these are too few to promise that.

    scores: float (n,), of good ones that nothing was learned from · weights: as `weights_of` gives them.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    needed = (float(weights.sum()) + 1) * (1 - rate)
    place = int(np.searchsorted(reached, needed - ROUNDING))
    return float(scores[order][place]) if place < len(scores) else math.inf


def p_values(scores: np.ndarray, calibration: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """float (n,): how rarely a good one scores as high as each of these: (1 + those as high) / (1 + all). For good ones
    it is at most any p with a probability of p or less.
    """
    weights = np.ones(len(calibration)) if weights is None else weights
    order = np.argsort(calibration, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    total = float(weights.sum())
    higher = total - below[np.searchsorted(calibration[order], scores, side="left")]
    return np.asarray((1 + np.maximum(higher, 0.0)) / (1 + total))


def rate_interval(n: int, rate: float, level: float = 0.95) -> tuple[float, float]:
    """Where the rate of false alarms of one threshold may lie, that n independent scores gave for this promise."""
    from scipy.stats import beta

    k = math.ceil((n + 1) * (1 - rate) - ROUNDING)
    if k > n:
        return 0.0, 0.0  # it is infinite
    tail = (1 - level) / 2
    low, high = beta.ppf([tail, 1 - tail], n + 1 - k, k)
    return float(low), float(high)
