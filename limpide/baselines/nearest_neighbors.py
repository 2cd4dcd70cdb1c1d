"""The five nearest training images, on pixels or on features."""

from __future__ import annotations

import numpy as np

from limpide.baselines.baseline import Allowance, HeldOut, Scores, take_rows
from limpide.baselines.fitting import fit_allowed, milliseconds, warm_up

NEIGHBORS = 5


def nearest_neighbors(
    train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance
) -> Scores | None:
    """The most frequent class among the five nearest training images (Fix & Hodges 1951), by Euclidean distance.

    train, test: float32 (n, width). It learns nothing: its cost is that of naming the test images.
    """
    from sklearn.neighbors import KNeighborsClassifier

    def fit(rows: np.ndarray) -> tuple[KNeighborsClassifier, np.ndarray]:
        model = KNeighborsClassifier(min(NEIGHBORS, len(rows)), algorithm="brute").fit(
            take_rows(train, rows), train_labels[rows]
        )
        return model, model.predict(test.x)

    warm_up(
        lambda rows: (
            KNeighborsClassifier(1, algorithm="brute").fit(train[rows], train_labels[rows]).predict(test.x[:2])
        ),
        train_labels,
    )
    found = fit_allowed(train_labels, fit, allowance)
    if found is None:
        return None
    model, predicted = found.model
    ms, kept = milliseconds(model.predict, test.x), found.n * train[:1].nbytes
    return Scores(predicted == test.labels, test.rows, found.n, found.seconds, ms, kept, found.n * train.shape[1])
