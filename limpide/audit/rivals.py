"""Simpler models, each fitted on as many training images as the network's own training time allows.

Squares of pixels are uint8 (n, size, size, channels); features are float32 (n, width). Whatever a rival needs time for
counts: trying how many images fit is part of it, so none of them ever had more than the budget.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.data.split import stratified
from limpide.language import N_, Message, message

SMALLEST_SUBSET = 32  # images; or two of each class
GROWTH = 8  # most times a subset grows at once
SAFETY = 0.8  # share of the remaining time that the next fit is expected to take
NEIGHBOURS = 5
TREES = 100

LOGISTIC = N_("logistic regression on pixels")
FOREST = N_("random forest on pixels")
NEAREST = N_("k-nearest neighbours on pixels")
NEAREST_FEATURES = N_("k-nearest neighbours on frozen features")
FROZEN = N_("linear layer on a frozen pretrained network")

Fit = Callable[[np.ndarray], Any]  # sorted indices into the training part → something that was fitted


@dataclass(frozen=True)
class Rival:
    """A model in the comparison, the network included. What is None was not measured or has no meaning for it."""

    name: Message
    right: int
    n_test: int
    n_train: int
    seconds: float  # of training
    milliseconds: float | None = None  # to name one image, alone, once it is decoded
    bytes: int | None = None  # of what has to be kept
    multiply_adds: int | None = None  # for one image

    @property
    def accuracy(self) -> float:
        return self.right / self.n_test


@dataclass(frozen=True)
class Fitted:
    model: Any
    n: int  # images it was fitted on
    seconds: float  # all that was spent to get there


def within(budget: float, labels: np.ndarray, fit: Fit, seed: int) -> Fitted | None:
    """Fits on stratified subsets, each holding the one before, that grow while the next is expected to stay within the budget.

    Returns the last fit that ended in time; None when not even the smallest did.
    """
    order = stratified(labels, seed)
    n = min(len(order), max(SMALLEST_SUBSET, 2 * len(np.unique(labels))))
    best, began = None, time.perf_counter()
    while True:
        started = time.perf_counter()
        model = fit(np.sort(order[:n]))
        now = time.perf_counter()
        if now - began > budget:
            return best
        best = Fitted(model, n, now - began)
        affordable = SAFETY * (budget - best.seconds) / max(now - started, 1e-4)  # times this fit
        following = min(len(order), int(n * min(GROWTH, affordable)))
        if following < 1.2 * n and not (following == len(order) > n):
            return best
        n = following


def majority(train_labels: np.ndarray, test_labels: np.ndarray) -> Rival:
    most = int(np.bincount(train_labels).argmax())
    right = int((test_labels == most).sum())
    return Rival(message(N_("always the most frequent class")), right, len(test_labels), len(train_labels), 0.0, 0.0, 8, 0)


def logistic(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, budget: float, seed: int) -> Rival | None:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    def fit(rows: np.ndarray) -> LogisticRegression:
        model = LogisticRegression(C=0.01, max_iter=60, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # sixty iterations are the intention
            return model.fit(flat(train[rows]), train_labels[rows])

    _warm(fit, train_labels)
    found = within(budget, train_labels, fit, seed)
    if found is None:
        return None
    kept = found.model.coef_.nbytes + found.model.intercept_.nbytes
    return _scored(message(LOGISTIC), found, flat(test), test_labels, kept, found.model.coef_.size)


def forest(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, budget: float, seed: int) -> Rival | None:
    """A hundred trees (Breiman 2001). Comparisons, not multiply-adds, are what they do."""
    from sklearn.ensemble import RandomForestClassifier

    def fit(rows: np.ndarray) -> RandomForestClassifier:
        return RandomForestClassifier(TREES, random_state=seed, n_jobs=-1).fit(flat(train[rows]), train_labels[rows])

    _warm(fit, train_labels)
    found = within(budget, train_labels, fit, seed)
    if found is None:
        return None
    kept = sum(
        sum(array.nbytes for array in (t.tree_.feature, t.tree_.threshold, t.tree_.children_left, t.tree_.children_right, t.tree_.value))
        for t in found.model.estimators_
    )
    found.model.n_jobs = 1  # handing one image to several processes takes longer than the trees do
    return _scored(message(FOREST), found, flat(test), test_labels, kept, None)


def neighbours(name: str, train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, budget: float, seed: int) -> Rival | None:
    """The most frequent class among the five nearest training images (Fix & Hodges 1951), by Euclidean distance.

    train, test: float32 (n, width). It learns nothing: what counts against the budget is naming the test images.
    """
    from sklearn.neighbors import KNeighborsClassifier

    def fit(rows: np.ndarray) -> tuple[KNeighborsClassifier, np.ndarray]:
        model = KNeighborsClassifier(min(NEIGHBOURS, len(rows)), algorithm="brute").fit(train[rows], train_labels[rows])
        return model, model.predict(test)

    _warm(lambda rows: KNeighborsClassifier(1, algorithm="brute").fit(train[rows], train_labels[rows]).predict(test[:2]), train_labels)
    found = within(budget, train_labels, fit, seed)
    if found is None:
        return None
    model, predicted = found.model
    right = int((predicted == test_labels).sum())
    return Rival(
        message(name), right, len(test_labels), found.n, found.seconds, milliseconds(model.predict, test), found.n * train[:1].nbytes, found.n * train.shape[1]
    )


def flat(images: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, channels) → float32 (n, size · size · channels), about −2…2."""
    return (images.reshape(len(images), -1).astype(np.float32) - 127.5) / 63.75


def milliseconds(predict: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """Median time to name one image on its own, ms. `rows`: (n, …), of which the first is used."""
    times = []
    for _ in range(8):
        began = time.perf_counter()
        predict(rows[:1])
        times.append(time.perf_counter() - began)
    return float(np.median(times[2:])) * 1000


def _scored(name: Message, found: Fitted, test: np.ndarray, test_labels: np.ndarray, kept: int, multiply_adds: int | None) -> Rival:
    right = int((found.model.predict(test) == test_labels).sum())
    return Rival(name, right, len(test_labels), found.n, found.seconds, milliseconds(found.model.predict, test), kept, multiply_adds)


def _warm(fit: Fit, labels: np.ndarray) -> None:
    """A first fit loads code and starts threads, which is no training: it happens once, on two images a class, before the clock runs."""
    classes = np.unique(labels)
    few = np.concatenate([np.flatnonzero(labels == k)[:2] for k in classes[: math.ceil(min(len(classes), 4))]])
    fit(np.sort(few))


__all__ = ["FROZEN", "NEAREST", "NEAREST_FEATURES", "Fitted", "Rival", "flat", "forest", "logistic", "majority", "milliseconds", "neighbours", "within"]
