"""Logistic regression on pixels: one weight for each pixel and class."""

from __future__ import annotations

import numpy as np

from limpide.baselines.baseline import Allowance, BaselineData, Budget, HeldOut, Scores, Sizes, Work, take_rows
from limpide.baselines.fitting import fit_allowed, score, warm_up
from limpide.core.cost import Facts
from limpide.system import machine
from limpide.system.quiet_libraries import quiet_libraries

ITERATIONS = 60  # after these, validation gains nothing


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    return logistic(data.pixels, data.labels, data.test, allowance)


def images(sizes: Sizes, budget: Budget) -> float:
    return min(sizes.images_on_pixels(budget), budget.work / _work_an_image(sizes.values, sizes.classes))


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    return Work(n * _work_an_image(sizes.values, sizes.classes))


def logistic(train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance) -> Scores | None:
    """train: float32 (n, values)."""
    from sklearn.linear_model import LogisticRegression

    def fit(rows: np.ndarray) -> LogisticRegression:
        model = LogisticRegression(C=0.01, max_iter=ITERATIONS, tol=1e-3)
        with quiet_libraries, machine.one_thread():  # stopping after ITERATIONS is intended
            return model.fit(take_rows(train, rows), train_labels[rows])

    warm_up(fit, train_labels)
    found = fit_allowed(train_labels, fit, allowance)
    if found is None:
        return None
    kept = found.model.coef_.nbytes + found.model.intercept_.nbytes
    return score(found, test, kept, found.model.coef_.size)


def _work_an_image(values: int, classes: int) -> int:
    """Multiply-adds for each training image: the layer and its gradient in every iteration, a tenth of which evaluate
    twice.
    """
    return int(2.2 * ITERATIONS * values * (1 if classes == 2 else classes))
