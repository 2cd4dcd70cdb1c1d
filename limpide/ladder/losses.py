"""Losses, by hand: each function returns (loss, gradient by the scores). Losses are means over the images.

    squared error     ½ Σ (t − s)²
                      t is 1 for the true class and 0 for the others
    hinge             1/m Σ over i ≠ target of max(0, 1 − s_target + sᵢ)
                      Weston & Watkins 1999, as a mean; m classes
    cross-entropy     −log p_target  with  p = softmax(s) = eˢ / Σ eˢ
                      its gradient is p − t: as simple as Adaline's

The hinge loss is 0 once the true class leads by 1; cross-entropy never is, but its gradient gets smaller and smaller.

Shapes: scores (images, classes) · targets int (images,).
"""

from __future__ import annotations

import numpy as np

from limpide.core.errors import ModelError


def one_hot(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """1 for the true class of each image, else 0. Raises ModelError for targets that are not a class."""
    classes, targets = scores.shape[1], np.asarray(targets)
    wrong = targets[(targets < 0) | (targets >= classes)]
    if len(wrong):
        raise ModelError("L409", where=f"target {wrong[0]}", classes=classes, last=classes - 1)
    return np.eye(classes)[targets]


def squared_error(scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    t, n = one_hot(scores, targets), len(scores)
    return float(0.5 * ((t - scores) ** 2).sum() / n), (scores - t) / n


def hinge(scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    t, (n, m) = one_hot(scores, targets), scores.shape
    true = (scores * t).sum(1, keepdims=True)
    margin = np.maximum(0, 1 - true + scores) * (1 - t)  # (images, classes): by how much each rival is too close
    slope = (margin > 0).astype(float)
    slope -= slope.sum(1, keepdims=True) * t  # each rival that is too close pushes itself down and the true class up
    return float(margin.sum() / (n * m)), slope / (n * m)


def softmax(scores: np.ndarray) -> np.ndarray:
    """(images, classes) → probabilities. Subtracting the largest score first changes nothing but keeps e^s finite."""
    e = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def cross_entropy(scores: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    t, n = one_hot(scores, targets), len(scores)
    shifted = scores - scores.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return float(-(log_p * t).sum() / n), (softmax(scores) - t) / n
