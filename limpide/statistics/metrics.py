"""Scores and their uncertainty, on plain arrays. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054  # 97.5 % point of the normal distribution


def wilson(successes: float, n: int, z: float = Z95) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): it keeps its promise near 0 and 1, where the usual ± formula does not.

    (0, 1) when there is no observation.
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * ((share * (1 - share) + z * z / (4 * n)) / n) ** 0.5 / (1 + z * z / n)
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts int64 (classes, classes): rows are the true classes, columns the predicted ones."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class ClassScores:
    n: np.ndarray  # test images of each class
    precision: np.ndarray  # NaN for a class that was never predicted
    recall: np.ndarray  # NaN for a class without a test image


def class_scores(counts: np.ndarray) -> ClassScores:
    """Precision and recall of each class from a confusion matrix."""
    right = np.diag(counts).astype(float)
    n, predicted = counts.sum(1), counts.sum(0)
    with np.errstate(invalid="ignore"):
        return ClassScores(n, np.where(predicted > 0, right / predicted, np.nan), np.where(n > 0, right / n, np.nan))


def balanced_accuracy(counts: np.ndarray) -> float:
    """Mean recall over the classes that have a test image: the accuracy if all classes were equally frequent."""
    return float(np.nanmean(class_scores(counts).recall))


def macro_f1(counts: np.ndarray) -> float:
    """Mean of F1 = 2·right / (2·right + missed + wrongly predicted) over the classes that occurred or were
    predicted.
    """
    right = np.diag(counts).astype(float)
    met = counts.sum(0) + counts.sum(1)
    return float((2 * right[met > 0] / met[met > 0]).mean())


@dataclass(frozen=True)
class Bin:
    low: float
    high: float
    confidence: float  # mean stated probability
    accuracy: float
    n: int
    accuracy_low: float = 0.0  # low end of the 95 % interval of the accuracy
    accuracy_high: float = 1.0


def bin_confidences(stated: np.ndarray, right: np.ndarray, bins: int = 10) -> tuple[list[Bin], np.ndarray]:
    """(the bins of equal width that hold an image, number of the bin of each image), by the stated probability of the
    predicted class.
    """
    place = np.minimum((stated * bins).astype(int), bins - 1)
    filled_bins = []
    for k in np.unique(place).tolist():
        inside = place == k
        filled_bins.append(
            Bin(k / bins, (k + 1) / bins, float(stated[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        )
    return filled_bins, place


def reliability(probabilities: np.ndarray, truth: np.ndarray, bins: int = 10) -> tuple[list[Bin], float]:
    """Bins of equal width by stated probability, and the expected calibration error (Guo et al. 2017, equation 3)."""
    filled_bins, _ = bin_confidences(probabilities.max(1), probabilities.argmax(1) == truth, bins)
    return filled_bins, float(sum(abs(b.confidence - b.accuracy) * b.n for b in filled_bins) / max(1, len(truth)))


def area_under_roc(high: np.ndarray, low: np.ndarray) -> float:
    """How often one of `high` scores above one of `low`, ties counting half (Hanley & McNeil 1982). float (n,), (m,),
    neither empty.
    """
    ordered = np.sort(low)
    wins = np.searchsorted(ordered, high, side="left") + np.searchsorted(ordered, high, side="right")
    return float(wins.sum() / (2 * len(high) * len(low)))
