"""Simpler models. How many training images each learns from is decided from counts, or, where a time was asked for, by
the clock.

Pixels are float32 (n, pixels) as `flat` gives them; features are float32 (n, width).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.data.split import stratified_order
from limpide.system import machine
from limpide.system.quiet_libraries import quiet_libraries
from limpide.text.messages import N_, Message, message

MIN_SUBSET = 32  # images; or two of each class
GROWTH = 8  # most times a subset grows at once
SAFETY = 0.8  # share of the remaining time that the next fit is expected to take
NEIGHBORS = 5
TREES = 100
# most of (images that a tree draws) × (pixels that it looks at for a question): 7,000 images of 800 pixels
TREE_WORK = 200_000
# classes: a tree counts all of them at each place where it may cut, which takes most of the time from about as many on
COUNTED = 10
ITERATIONS = 60  # of logistic regression; by then validation gains nothing

NAMES = {
    "network": N_("the network"),
    "majority": N_("always the most frequent class"),
    "logistic": N_("logistic regression on pixels"),
    "forest": N_("random forest on pixels"),
    "nearest": N_("k-nearest neighbours on pixels"),
    "nearest_features": N_("k-nearest neighbours on frozen features"),
    "frozen": N_("linear layer on a frozen pretrained network"),
}

Fit = Callable[[np.ndarray], Any]  # sorted indices into the training part → something that was fitted


@dataclass(frozen=True)
class Baseline:
    """A model in the comparison, the network included. What is None was not measured or has no meaning for it."""

    key: str  # in NAMES
    right: np.ndarray  # bool (m,), whether its answer is right, of the test images it was asked about
    rows: np.ndarray  # int (m,), sorted: which of the test images these are
    n_train: int
    seconds: float  # of training
    milliseconds: float | None = None  # to name one image, alone, once it is decoded
    bytes: int | None = None  # of what has to be kept
    multiply_adds: int | None = None  # for one image
    drawn: int | None = None  # of its training images, for each tree of a forest

    @property
    def name(self) -> Message:
        return message(NAMES[self.key])

    @property
    def n_test(self) -> int:
        return len(self.right)

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


@dataclass(frozen=True)
class HeldOut:
    """What a rival is asked. x: float32 (m, …) · labels: int (m,) · rows: int (m,), sorted, which of the test images
    these are.
    """

    x: np.ndarray
    labels: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Allowance:
    """How many training images a rival may have. Without `seconds` it has `images` of them, whatever the clock says."""

    images: int
    seconds: float | None = None  # where a time was asked for: as many of them as can be learned within
    decided: int | None = None  # what an earlier session found to fit into the seconds; 0: none did
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    model: Any
    n: int  # images it was fitted on
    seconds: float  # all that was spent to get there


def fit_allowed(labels: np.ndarray, fit: Fit, allowance: Allowance) -> Fitted | None:
    """One fit on a stratified subset of as many images as are allowed; None when not even the smallest
    ended in time.
    """
    if allowance.seconds is not None and allowance.decided is None:
        return fit_in_time(allowance.seconds, labels, fit, allowance.seed, allowance.images)
    n = min(
        len(labels), allowance.images if allowance.seconds is None or allowance.decided is None else allowance.decided
    )
    if not n:
        return None
    began = time.perf_counter()
    model = fit(np.sort(stratified_order(labels, allowance.seed)[:n]))
    return Fitted(model, n, time.perf_counter() - began)


def fit_in_time(budget: float, labels: np.ndarray, fit: Fit, seed: int, most: int | None = None) -> Fitted | None:
    """Fits on stratified subsets, each holding the one before, that grow while the next is expected to stay within the
    budget.

    budget: s, for all the fits together. Returns the last fit that ended in time; None when not even the smallest did.
    """
    order = stratified_order(labels, seed)[:most]
    n = min(len(order), smallest_subset(labels))
    best, began = None, time.perf_counter()
    while budget > 0:
        started = time.perf_counter()
        model = fit(np.sort(order[:n]))
        now = time.perf_counter()
        if now - began > budget:
            break
        best = Fitted(model, n, now - began)
        affordable = SAFETY * (budget - best.seconds) / max(now - started, 1e-4)  # times this fit
        following = min(len(order), int(n * min(GROWTH, affordable)))
        if following < 1.2 * n and not (following == len(order) > n):
            break
        n = following
    return best


def smallest_subset(labels: np.ndarray) -> int:
    """Images that a rival needs at least."""
    return max(MIN_SUBSET, 2 * len(np.unique(labels)))


def majority(train_labels: np.ndarray, test_labels: np.ndarray) -> Baseline:
    right = test_labels == int(np.bincount(train_labels).argmax())
    return Baseline("majority", right, np.arange(len(right)), len(train_labels), 0.0, 0.0, 8, 0)


def logistic(train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance) -> Baseline | None:
    from sklearn.linear_model import LogisticRegression

    def fit(rows: np.ndarray) -> LogisticRegression:
        model = LogisticRegression(C=0.01, max_iter=ITERATIONS, tol=1e-3)
        with quiet_libraries, machine.one_thread():  # stopping after ITERATIONS is intended
            return model.fit(take_rows(train, rows), train_labels[rows])

    _warm(fit, train_labels)
    found = fit_allowed(train_labels, fit, allowance)
    if found is None:
        return None
    kept = found.model.coef_.nbytes + found.model.intercept_.nbytes
    return _scored("logistic", found, test, kept, found.model.coef_.size)


def logistic_work(width: int, classes: int) -> int:
    """Multiply-adds for each training image: the layer and its gradient in every iteration, a tenth of which look
    twice.
    """
    return int(2.2 * ITERATIONS * width * (1 if classes == 2 else classes))


def forest(train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance) -> Baseline | None:
    """A hundred trees (Breiman 2001), each from images drawn anew among all it may have: at most TREE_WORK worth of
    them.

    So its cost does not grow with the data, and every image is drawn for some tree. Comparisons, not multiply-adds, are
    what they do.
    """
    from sklearn.ensemble import RandomForestClassifier

    most = max_drawn(train.shape[1], len(np.unique(train_labels)))

    def fit(rows: np.ndarray) -> RandomForestClassifier:
        drawn = most if most < len(rows) else None
        model = RandomForestClassifier(TREES, random_state=allowance.seed, n_jobs=-1, max_samples=drawn)
        return model.fit(take_rows(train, rows), train_labels[rows])

    _warm(fit, train_labels)
    found = fit_allowed(train_labels, fit, allowance)
    if found is None:
        return None
    kept = sum(
        sum(
            array.nbytes
            for array in (
                t.tree_.feature,
                t.tree_.threshold,
                t.tree_.children_left,
                t.tree_.children_right,
                t.tree_.value,
            )
        )
        for t in found.model.estimators_
    )
    found.model.n_jobs = 1  # handing one image to several processes takes longer than the trees do
    return _scored("forest", found, test, kept, None, min(most, found.n))


def max_drawn(width: int, classes: int) -> int:
    """Images that each tree of a forest draws at most, of so many pixels. Ten times as many classes take ten times as
    long.
    """
    return max(2, int(TREE_WORK / (math.sqrt(width) * max(1.0, classes / COUNTED))))


def nearest_neighbors(
    key: str, train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance
) -> Baseline | None:
    """The most frequent class among the five nearest training images (Fix & Hodges 1951), by Euclidean distance.

    train, test: float32 (n, width). It learns nothing: what counts is naming the test images.
    """
    from sklearn.neighbors import KNeighborsClassifier

    def fit(rows: np.ndarray) -> tuple[KNeighborsClassifier, np.ndarray]:
        model = KNeighborsClassifier(min(NEIGHBORS, len(rows)), algorithm="brute").fit(
            take_rows(train, rows), train_labels[rows]
        )
        return model, model.predict(test.x)

    _warm(
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
    return Baseline(
        key, predicted == test.labels, test.rows, found.n, found.seconds, ms, kept, found.n * train.shape[1]
    )


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, channels) → float32 (n, size · size · channels), about −2…2."""
    return (images.reshape(len(images), -1).astype(np.float32) - 127.5) / 63.75


def take_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """values[rows] for sorted rows, each there once: without a copy where these are all of them."""
    return values if len(rows) == len(values) else values[rows]


def milliseconds(predict: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """Median time to name one image on its own, ms. `rows`: (n, …), of which the first is used."""
    times = []
    for _ in range(8):
        began = time.perf_counter()
        predict(rows[:1])
        times.append(time.perf_counter() - began)
    return float(np.median(times[2:])) * 1000


def _scored(
    key: str, found: Fitted, test: HeldOut, kept: int, multiply_adds: int | None, drawn: int | None = None
) -> Baseline:
    right = found.model.predict(test.x) == test.labels
    return Baseline(
        key,
        right,
        test.rows,
        found.n,
        found.seconds,
        milliseconds(found.model.predict, test.x),
        kept,
        multiply_adds,
        drawn,
    )


def _warm(fit: Fit, labels: np.ndarray) -> None:
    """A first fit loads code and starts threads, which is no training: it happens once, on two images a class, before
    the clock runs.
    """
    classes = np.unique(labels)
    few = np.concatenate([np.flatnonzero(labels == k)[:2] for k in classes[:4]])
    fit(np.sort(few))
