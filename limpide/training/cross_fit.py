"""Cross-fitting: a linear head that had not seen an image judges it; the head that is shipped learned from all images.

For each fold, everything that is chosen (the strength of the penalty, whether mirrored images help, the temperature) is
chosen among the other folds alone, by heads that had not seen the image either (nested cross-validation, Varma & Simon
2006, BMC Bioinformatics 7:91). So the procedure is judged, choices included. A head without two folds serves both.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limpide.core.events import Progress
from limpide.data.folds import NO_FOLD
from limpide.text.messages import N_, message
from limpide.training.linear_head import Head, fit_path, fitting, log_loss
from limpide.training.temperature import Temperature, fit_temperature

# Inverse strengths of the L2 penalty (scikit-learn's C) on features of unit spread, tried from strong to weak.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class Features:
    """What a frozen network sees in images, and in the same images mirrored; float32 (n, width) each."""

    plain: np.ndarray
    mirrored: np.ndarray | None = None  # None: mirroring is not asked about

    def of(self, rows: np.ndarray) -> Features:
        return Features(self.plain[rows], None if self.mirrored is None else self.mirrored[rows])


@dataclass(frozen=True)
class Choice:
    """How a head is fitted."""

    strength: float
    mirrored: bool  # whether it learns from mirrored images, too


UNTOLD = 1e-2  # the strength where two folds leave none to choose by


@dataclass(frozen=True)
class CrossFit:
    """The heads, and what each image's own one says of it."""

    head: Head  # learned from every image
    choice: Choice
    temperature: Temperature
    heads: dict[int, Head]  # fold → the head that learned from the other folds
    temperatures: dict[int, float]  # fold → what the logits of that head are divided by
    logits: np.ndarray  # float32 (n, classes), by the head that had not seen it; NaN where every head had


Logits = Mapping[Choice, np.ndarray]  # float32 (m, classes), of images that were left out


def cross_fit(
    features: Features, labels: np.ndarray, folds: np.ndarray, classes: int, flip: str = "auto"
) -> Generator[Progress, None, CrossFit]:
    """labels: int (n,) · folds: int (n,) of data/folds.py, two or more of them · flip: whether mirrored images are
    learned from: yes, no, or auto, as it helps.
    """
    names = sorted(set(folds.tolist()) - {NO_FOLD})
    pairs = list(itertools.combinations(names, 2)) if len(names) > 2 else []
    steps, says = len(pairs) + len(names) + 1, message(N_("judging the last layer by cross-fitting"))
    inner: dict[int, list[tuple[np.ndarray, Logits]]] = {fold: [] for fold in names}  # fold → (images, what is said)
    for done, (j, k) in enumerate(pairs):
        yield Progress(says, done, steps)
        out = (folds == j) | (folds == k)
        heads = _heads(features.of(~out), labels[~out], classes, flip)
        for fold, other in ((j, k), (k, j)):
            rows = np.flatnonzero((folds == other) & np.isin(labels, labels[~out]))
            inner[fold].append((rows, {choice: head.logits(features.plain[rows]) for choice, head in heads.items()}))

    fold_heads: dict[int, Head] = {}
    temperatures: dict[int, float] = {}
    logits = np.full((len(labels), classes), np.nan, np.float32)
    outer: list[tuple[np.ndarray, Logits]] = []
    for done, fold in enumerate(names):
        yield Progress(says, len(pairs) + done, steps)
        rows, others = np.flatnonzero(folds == fold), folds != fold
        heads = _heads(features.of(others), labels[others], classes, flip)
        outer.append((rows, {choice: head.logits(features.plain[rows]) for choice, head in heads.items()}))
        choice, temperature = _choose(inner[fold], labels, flip)
        fold_heads[fold], temperatures[fold] = heads[choice], temperature.value
        logits[rows] = outer[-1][1][choice]

    yield Progress(says, steps - 1, steps)
    choice, temperature = _choose(outer, labels, flip)
    head = _heads(features, labels, classes, flip)[choice]
    return CrossFit(head, choice, temperature, fold_heads, temperatures, logits)


def _choose(answers: Sequence[tuple[np.ndarray, Logits]], labels: np.ndarray, flip: str) -> tuple[Choice, Temperature]:
    """The choice with the least log-loss on images that were left out, and the temperature that suits it."""
    if not answers:
        return Choice(UNTOLD, flip == "yes"), fit_temperature(np.zeros((0, 2)), np.zeros(0, int), of="folds")
    truth = labels[np.concatenate([rows for rows, _ in answers])]
    together = {choice: np.concatenate([said[choice] for _, said in answers]) for choice in answers[0][1]}
    choice = min(together, key=lambda one: (log_loss(together[one], truth), one.mirrored))
    return choice, fit_temperature(together[choice], truth, of="folds")


def _heads(features: Features, labels: np.ndarray, classes: int, flip: str) -> dict[Choice, Head]:
    """A head for each choice. Twice as many images, half of them mirrored, weigh as much as before in the penalty."""
    with fitting():
        heads = {}
        if flip != "yes" or features.mirrored is None:
            heads = {
                Choice(head.strength, False): head for head in fit_path(features.plain, labels, classes, STRENGTHS)
            }
        if flip != "no" and features.mirrored is not None:
            both, twice = np.concatenate([features.plain, features.mirrored]), np.tile(labels, 2)
            halved = tuple(strength / 2 for strength in STRENGTHS)
            heads |= {Choice(2 * head.strength, True): head for head in fit_path(both, twice, classes, halved)}
    return heads
