"""Would a simpler model do?

What it measures: always-the-majority, logistic regression on pixels, and a linear head on frozen features, each given no
more training time than the network took, on the largest stratified subset of the training part that fits into it.
Why it matters: not every question needs a deep network.
How it can mislead: the rivals are scored on the same test images, or on a part of them when there are thousands (n is shown).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from limpide.data.split import stratified
from limpide.finding import Finding, Table, Verdict
from limpide.language import N_, Message, message
from limpide.metrics import wilson

FIRST_SUBSET = 500  # images; doubled while the time allows

Fit = Callable[[np.ndarray], object]  # indices into the training part → something with `predict`


@dataclass(frozen=True)
class Rival:
    name: Message
    right: int
    n_test: int
    n_train: int
    seconds: float


def majority(train_labels: np.ndarray, test_labels: np.ndarray) -> Rival:
    most = int(np.bincount(train_labels).argmax())
    right = int((test_labels == most).sum())
    return Rival(message(N_("always the most frequent class")), right, len(test_labels), len(train_labels), 0.0)


def pixels(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, budget: float, seed: int) -> Rival:
    """Logistic regression on small squares of pixels, uint8 (n, size, size, channels). `budget` in seconds."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    def fit(rows: np.ndarray) -> LogisticRegression:
        model = LogisticRegression(C=0.01, max_iter=60, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # sixty iterations are the intention
            return model.fit(_flat(train[rows]), train_labels[rows])

    model, n, seconds = within(budget, train_labels, fit, seed)
    right = int((model.predict(_flat(test)) == test_labels).sum())  # type: ignore[attr-defined]
    return Rival(message(N_("logistic regression on pixels")), right, len(test_labels), n, seconds)


def _flat(images: np.ndarray) -> np.ndarray:
    return (images.reshape(len(images), -1).astype(np.float32) - 127.5) / 63.75


def within(budget: float, labels: np.ndarray, fit: Fit, seed: int) -> tuple[object, int, float]:
    """Fits on stratified subsets that double while the next is expected to stay within the budget.

    Returns the last model, how many images it had and how long it took (s). The first subset is always fitted.
    """
    order = stratified(labels, seed)
    n = min(FIRST_SUBSET, len(order))
    while True:
        began = time.perf_counter()
        model = fit(np.sort(order[:n]))
        seconds = time.perf_counter() - began
        following = min(len(order), 2 * n, int(n * budget / max(seconds, 1e-3)))
        if following < 1.2 * n and not (following == len(order) > n):
            return model, n, seconds
        n = following


def simpler(network: Rival, rivals: list[Rival]) -> Finding:
    """The comparison as a Finding: the network first, then its rivals from best to worst."""
    rows = [_row(network), *(_row(rival) for rival in sorted(rivals, key=lambda r: -r.right / r.n_test))]
    best = max(rivals, key=lambda r: r.right / r.n_test)
    net_error, best_error = 1 - network.right / network.n_test, 1 - best.right / best.n_test
    net_low, net_high = wilson(network.right, network.n_test)
    low, high = wilson(best.right, best.n_test)
    verdict: Verdict
    if net_low > high:
        verdict, says = "ok", N_("No simpler model does as well: the best of them, {rival}, is wrong {ratio:number} times as often.")
        if net_error == 0:
            says = N_("No simpler model does as well: the best of them, {rival}, is wrong on {error:percent} of the images, the network on none.")
    elif low > net_high:
        verdict, says = "bad", N_("A simpler model does better: {rival} is right on {share:percent}. Use that, or train longer.")
    else:
        verdict, says = "warn", N_("A simpler model may do: {rival} is right on {share:percent}, and the difference could be luck.")
    ratio = best_error / net_error if net_error else 0.0
    columns = [
        (N_("model"), "text"),
        (N_("accuracy"), "percent"),
        (N_("low"), "percent"),
        (N_("high"), "percent"),
        (N_("test images"), "count"),
        (N_("training images"), "count"),
        (N_("training time"), "duration"),
    ]
    return Finding(
        name="simpler",
        verdict=verdict,
        message=message(says, rival=best.name.to_json(), ratio=ratio, share=best.right / best.n_test, error=best_error),
        table=Table(columns, rows),
        details=[
            message(
                N_(
                    "Each simpler model had about the network's training time at most, and as many training images as fit into it; the smallest fit may take longer than a very short training."
                )
            )
        ],
        source="test",
    )


def _row(rival: Rival) -> list[object]:
    low, high = wilson(rival.right, rival.n_test)
    return [rival.name, rival.right / rival.n_test, low, high, rival.n_test, rival.n_train, rival.seconds]
