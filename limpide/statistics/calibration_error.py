"""The distance of stated probabilities from outcomes, compared with that of a predictor whose probabilities are exactly
correct.

The expected calibration error (Guo et al. 2017, equation 3) of a perfect predictor is not 0: with few images it is
often 0.1. So the measured error is compared with the errors of this number of images, in these groups, if each answer
is correct with exactly its stated probability (parametric bootstrap; Vaicenavicius et al. 2019, arXiv 1902.06977,
section 5). Within groups, the simulated answers are right or wrong together as often as the real ones
(`intervals.correlation`); otherwise a perfect model whose errors come in bursts would be accused. Arrays of shape (n,)
are the test images: `stated` the highest probability, `right` whether the answer was correct.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limpide.statistics.intervals import Interval, correlation, interval_of_share, number_groups
from limpide.statistics.metrics import Bin, bin_confidences

DRAWS = 1000
BINS = 10
AT_ONCE = 4_000_000  # random numbers drawn at once
SCALES = np.linspace(0.0, 3.0, 61)  # factors of the measured gaps
TAIL = 0.025
FEW = 30  # groups: fewer do not show how similar their images are, and count as fully correlated


@dataclass(frozen=True)
class CalibrationError:
    """Shares. `error` is the measured one, `expected` the average of a perfect predictor; `gap` is the remainder, with
    its interval.
    """

    bins: list[Bin]
    error: float
    expected: float
    gap: float  # the true error for which the measured one is the median
    low: float  # 0 if a perfect predictor shows as much in more than 2.5 % of draws
    high: float
    p: float  # how often a perfect predictor shows an error as large


def calibration_error(stated: np.ndarray, right: np.ndarray, groups: np.ndarray | None = None) -> CalibrationError:
    """The calibration error of these answers, its value by chance alone, and the remainder. The draws are the same
    every time.
    """
    n = len(stated)
    bins, place = bin_confidences(stated, right, BINS)
    place_of_group, sizes = number_groups(groups, n)
    together = agreement_within_groups(stated, right, place_of_group, sizes)
    sums = np.bincount(place, weights=right.astype(float) - stated, minlength=BINS)
    error = float(np.abs(sums).sum() / n)
    counts = np.bincount(place, minlength=BINS)
    # the bins, drawn a little towards the stated probabilities: a bin without a mistake does not prove that none occur
    shift = (sums / (counts + 1.0))[place]
    chance = noise_of_bins(stated, place, place_of_group, together)
    likely = noise_of_bins(np.clip(stated + shift, 0.0, 1.0), place, place_of_group, together)
    by_chance = np.abs(chance).sum(1) / n
    low, gap, high = scaled_error(sums, likely, n)
    low = min(low, scaled_error(sums, chance, n)[0])
    overall = interval_of_share(right, groups)
    mean = float(stated.mean())
    return CalibrationError(
        bins=[
            _with_interval(one, right[place == k], None if groups is None else groups[place == k])
            for one, k in zip(bins, np.unique(place), strict=True)
        ],
        error=error,
        expected=float(by_chance.mean()),
        gap=min(1.0, max(gap, low)),
        low=low,
        high=min(1.0, max(high, gap, low, _farthest(mean, overall))),
        p=float((1 + (by_chance >= error - 1e-12).sum()) / (1 + len(by_chance))),
    )


def agreement_within_groups(stated: np.ndarray, right: np.ndarray, groups: np.ndarray, sizes: np.ndarray) -> float:
    """The share of the groups in which one number decides for all images, from 0 to 1, by the similarity of the right
    answers of a group.

    Even if one number decides in all groups, images with different stated probabilities are not all right or wrong
    together: so the correlation is divided by its value in that case, and counts as complete where one in ten such
    models shows no more.
    """
    if len(sizes) == len(stated):
        return 0.0
    if len(sizes) < FEW:
        return 1.0
    common, sums = np.random.default_rng(1).random((200, len(sizes))), np.zeros((len(sizes), 200))
    np.add.at(sums, groups, (common[:, groups] < stated).T)
    whole = float(np.quantile(correlation(sums.T, sizes), 0.1))
    return min(1.0, float(correlation(np.bincount(groups, weights=right, minlength=len(sizes)), sizes)) / whole)


def noise_of_bins(
    chance: np.ndarray, place: np.ndarray, groups: np.ndarray, together: float, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """float (draws, BINS): right answers minus their expected number in each bin, for images that are right with these
    chances.

    In a share `together` of the groups, drawn anew each time, one number decides for all images: any two images of a
    group are then correlated by about this share.
    """
    n, count = len(chance), int(groups.max()) + 1
    random, deviations = np.random.default_rng(seed), []
    order = np.argsort(place, kind="stable")
    chance, groups, place = chance[order], groups[order], place[order]
    begins = np.flatnonzero(np.r_[True, np.diff(place) > 0])
    for part in _parts(draws, n):
        uniform = random.random((part, n), dtype=np.float32)
        if count < n and together > 0:
            shared, common = random.random((part, count)) < together, random.random((part, count), dtype=np.float32)
            uniform = np.where(shared[:, groups], common[:, groups], uniform)
        deviations.append(np.add.reduceat((uniform < chance).astype(np.float32) - chance, begins, axis=1))
    result = np.zeros((draws, BINS))
    result[:, place[begins]] = np.concatenate(deviations)
    return result


def scaled_error(sums: np.ndarray, noise: np.ndarray, n: int) -> tuple[float, float, float]:
    """(low, middle, high) error: the measured gaps times the factor with which the error under this noise exceeds the
    measured one in 2.5, 50 and 97.5 % of draws.
    """
    measured = np.abs(sums).sum() / n
    if measured == 0:
        return 0.0, 0.0, 0.0
    errors = np.stack([np.abs(scale * sums + noise).sum(1) for scale in SCALES]) / n
    tails = np.quantile(errors, [1 - TAIL, 0.5, TAIL], axis=1)
    low, middle, high = (
        float(np.interp(measured, np.maximum.accumulate(tail), SCALES)) * measured if tail[0] < measured else 0.0
        for tail in tails
    )
    return low, middle, high


def _farthest(mean: float, overall: Interval) -> float:
    """The largest error that the mean over all images does not rule out: chance may hide errors of bins up to this
    size.
    """
    return max(mean - overall.low, overall.high - mean)


def _with_interval(one: Bin, right: np.ndarray, groups: np.ndarray | None) -> Bin:
    interval = interval_of_share(right, groups)
    return Bin(one.low, one.high, one.confidence, one.accuracy, one.n, interval.low, interval.high)


def _parts(draws: int, n: int) -> Iterator[int]:
    step = max(1, AT_ONCE // max(1, n))
    for start in range(0, draws, step):
        yield min(step, draws - start)
