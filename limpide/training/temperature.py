"""Temperature scaling (Guo et al. 2017, arXiv 1706.04599, section 4.2): one number that calibrates probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from limpide.training.linear_head import log_loss

MIN_IMAGES = 50  # images; with fewer, one number cannot be distinguished from noise
FOLDS = 5
Part = Literal["calibration", "validation", "folds"]
# The images it was fitted on, as recorded in runs.
HOW: dict[Part, str] = {"calibration": "calibration", "validation": "cross-fitted", "folds": "folds"}


@dataclass(frozen=True)
class Temperature:
    value: float  # logits are divided by it
    n: int  # images it was fitted on
    before: float  # log-loss without it, nats, on images it was not fitted on
    after: float  # log-loss with it, on the same images
    how: str  # a value of HOW, or "declined"


def best_temperature(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The temperature with the least log-loss, between 1/20 and 20. weights: float (n,), of the images."""
    from scipy.optimize import minimize_scalar

    optimum = minimize_scalar(
        lambda t: _smoothed_loss(logits / np.exp(t), labels, weights), bounds=(-3.0, 3.0), method="bounded"
    )
    return float(np.exp(optimum.x))


def _smoothed_loss(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Log-loss against targets of 1 − 1/(n + 2) (Platt 1999, section 2.2).

    If every image is classified correctly, the plain log-loss demands certainty; n images cannot justify more than
    this.
    """
    share = 1 / (len(labels) + 2)
    others = (len(labels) and logits.shape[1] - 1) or 1
    top = logits.max(1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    true = log_p[np.arange(len(labels)), labels]
    return float(-np.average((1 - share) * true + share * (log_p.sum(1) - true) / others, weights=weights))


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, *, of: Part = "validation", weights: np.ndarray | None = None
) -> Temperature:
    """logits: (n, classes), labels: int (n,), of images that were not used for training: `of` says which · weights:
    float (n,), of mean 1; None: all equal.

    Cross-fitting shows whether the temperature helps on images that it was not fitted on; if it does not, probabilities
    stay as they are.
    """
    n = len(labels)
    before = log_loss(logits, labels, weights) if n else 0.0
    each = np.ones(n) if weights is None else weights
    if n < MIN_IMAGES:
        return Temperature(1.0, n, before, before, "declined")
    folds = np.arange(n) % FOLDS
    after = 0.0
    for k in range(FOLDS):
        own, others = folds == k, folds != k
        scaled = logits[own] / best_temperature(logits[others], labels[others], each[others])
        after += log_loss(scaled, labels[own], each[own]) * float(each[own].sum() / each.sum())
    if after >= before:
        return Temperature(1.0, n, before, before, "declined")
    return Temperature(best_temperature(logits, labels, each), n, before, float(after), HOW[of])
