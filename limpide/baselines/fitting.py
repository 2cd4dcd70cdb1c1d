"""How many training images a baseline has: decided from counts or, where a time was asked for, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.baselines.baseline import MIN_IMAGES, Allowance, Attempt, BaselineData, HeldOut, Scores
from limpide.data.split import stratified_order
from limpide.system.background_thread import run_in_thread
from limpide.system.quiet_libraries import quiet_libraries

GROWTH = 8  # the largest factor by which a subset grows at once
SAFETY = 0.8  # share of the remaining time that the next fit is expected to take

Fit = Callable[[np.ndarray], Any]  # sorted indices into the training part → a fitted model


@dataclass(frozen=True)
class Fitted:
    model: Any
    n: int  # images that it was fitted on
    seconds: float  # all the time spent to get there


def fit_allowed(labels: np.ndarray, fit: Fit, allowance: Allowance) -> Fitted | None:
    """Fit once, on a stratified subset of as many images as are allowed; None when not even the smallest subset ended
    in time.
    """
    if allowance.seconds is not None and allowance.decided is None:
        return fit_in_time(allowance.seconds, labels, fit, allowance.seed, allowance.images)
    n = min(
        len(labels), allowance.images if allowance.decided is None or allowance.seconds is None else allowance.decided
    )
    if not n:
        return None
    began = time.perf_counter()
    model = fit(np.sort(stratified_order(labels, allowance.seed)[:n]))
    return Fitted(model, n, time.perf_counter() - began)


def fit_in_time(budget: float, labels: np.ndarray, fit: Fit, seed: int, most: int | None = None) -> Fitted | None:
    """Fit on growing stratified subsets, each containing the one before, while the next is expected to stay within the
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
    """The fewest images that a baseline needs."""
    return max(MIN_IMAGES, 2 * len(np.unique(labels)))


def in_thread(fit: Callable[[BaselineData, Allowance], Scores | None]) -> Callable[[BaselineData, Allowance], Attempt]:
    """Return an attempt that does not report its progress, and may still be abandoned."""

    def attempt(data: BaselineData, allowance: Allowance) -> Attempt:
        def quietly() -> Scores | None:
            with quiet_libraries:
                return fit(data, allowance)

        return (yield from run_in_thread(quietly))

    return attempt


def warm_up(fit: Fit, labels: np.ndarray) -> None:
    """Fit once on two images a class, before the clock runs: the first fit loads code and starts threads, which does
    not count as training.
    """
    classes = np.unique(labels)
    few = np.concatenate([np.flatnonzero(labels == k)[:2] for k in classes[:4]])
    fit(np.sort(few))


def milliseconds(predict: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """The median time to name one image on its own, ms. `rows`: (n, …), of which the first is used."""
    times = []
    for _ in range(8):
        began = time.perf_counter()
        predict(rows[:1])
        times.append(time.perf_counter() - began)
    return float(np.median(times[2:])) * 1000


def score(
    found: Fitted, test: HeldOut, kept: int, multiply_adds: int | None = None, drawn: int | None = None
) -> Scores:
    """Score a model that has a method `predict` on the test images. kept: bytes that have to be kept."""
    right = found.model.predict(test.x) == test.labels
    ms = milliseconds(found.model.predict, test.x)
    return Scores(right, test.rows, found.n, found.seconds, ms, kept, multiply_adds, drawn)
