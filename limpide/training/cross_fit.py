"""Cross-fitting: a linear head that had not seen an image judges it; the head that is shipped learned from all images.

For each fold, everything that is chosen (the view, the strength of the penalty, whether mirrored images help, the
temperature) is chosen among the other folds alone, by heads that had not seen the image either (nested
cross-validation, Varma & Simon 2006, BMC Bioinformatics 7:91). So the procedure is judged, choices included. A head
without two folds serves both.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limpide.core.events import Progress
from limpide.core.recipe import WHOLE
from limpide.data.folds import NO_FOLD
from limpide.text.messages import N_, message
from limpide.training.linear_head import Head, fit_path, fitting, log_loss, log_losses
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
    view: str = WHOLE  # what its features are of (views.py)


UNTOLD = 1e-2  # the strength where two folds leave none to choose by


@dataclass(frozen=True)
class CrossFit:
    """The heads, and what each image's own one says of it."""

    head: Head  # learned from every image
    choice: Choice
    temperature: Temperature
    heads: dict[int, Head]  # fold → the head that learned from the other folds
    choices: dict[int, Choice]  # fold → how it was fitted
    temperatures: dict[int, float]  # fold → what the logits of that head are divided by
    logits: np.ndarray  # float32 (n, classes), by the head that had not seen it; NaN where every head had


@dataclass(frozen=True)
class Said:
    """What heads say of images that they had not seen."""

    rows: np.ndarray  # int (m,), the images
    logits: Mapping[Choice, np.ndarray]  # float32 (m, classes), of each


@dataclass(frozen=True)
class Tried:
    """One view, fitted and asked in every way."""

    inner: dict[int, list[Said]]  # fold → what is said without it and one more fold, of that one
    outer: dict[int, Said]  # fold → what is said without it, of it
    heads: dict[int, dict[Choice, Head]]  # fold → those that learned from the other folds


def cross_fit(
    views: Mapping[str, Features], labels: np.ndarray, folds: np.ndarray, classes: int, flip: str = "auto"
) -> Generator[Progress, None, CrossFit]:
    """views: by name, the cheapest first · labels: int (n,) · folds: int (n,) of data/folds.py, two or more of them ·
    flip: whether mirrored images are learned from: yes, no, or auto, as it helps.
    """
    tried: dict[str, Tried] = {}
    for name, features in views.items():
        tried[name] = yield from try_view(name, features, labels, folds, classes, flip)
    return choose(tried, views, labels, classes, flip)


def try_view(
    view: str, features: Features, labels: np.ndarray, folds: np.ndarray, classes: int, flip: str
) -> Generator[Progress, None, Tried]:
    """Fits heads on one view without each fold, and without each pair of them. As for `cross_fit`."""
    names = sorted(set(folds.tolist()) - {NO_FOLD})
    pairs = list(itertools.combinations(names, 2)) if len(names) > 2 else []
    steps, says = len(pairs) + len(names), message(N_("judging the last layer by cross-fitting"))
    tried = Tried({fold: [] for fold in names}, {}, {})
    for done, (j, k) in enumerate(pairs):
        yield Progress(says, done, steps)
        out = (folds == j) | (folds == k)
        heads = _heads(view, features.of(~out), labels[~out], classes, flip)
        for fold, other in ((j, k), (k, j)):
            rows = np.flatnonzero((folds == other) & np.isin(labels, labels[~out]))
            tried.inner[fold].append(_ask(heads, features, rows))
    for done, fold in enumerate(names):
        yield Progress(says, len(pairs) + done, steps)
        others = folds != fold
        tried.heads[fold] = _heads(view, features.of(others), labels[others], classes, flip)
        tried.outer[fold] = _ask(tried.heads[fold], features, np.flatnonzero(folds == fold))
    return tried


def choose(
    tried: Mapping[str, Tried], views: Mapping[str, Features], labels: np.ndarray, classes: int, flip: str
) -> CrossFit:
    """tried: of each of these views, in the same order."""
    any_of = next(iter(tried.values()))
    heads: dict[int, Head] = {}
    choices: dict[int, Choice] = {}
    temperatures: dict[int, float] = {}
    logits = np.full((len(labels), classes), np.nan, np.float32)
    for fold in any_of.outer:
        choice, temperature = _choose([one.inner[fold] for one in tried.values()], labels, flip)
        heads[fold], choices[fold] = tried[choice.view].heads[fold][choice], choice
        temperatures[fold] = temperature.value
        said = tried[choice.view].outer[fold]
        logits[said.rows] = said.logits[choice]
    choice, temperature = _choose([list(one.outer.values()) for one in tried.values()], labels, flip)
    head = _heads(choice.view, views[choice.view], labels, classes, flip)[choice]
    return CrossFit(head, choice, temperature, heads, choices, temperatures, logits)


def is_settled(tried: Mapping[str, Tried], labels: np.ndarray, flip: str) -> bool:
    """Whether one more view would change nothing: each choice so far names all right that it is made by."""
    asked = [[one.inner[fold] for one in tried.values()] for fold in next(iter(tried.values())).inner]
    asked.append([list(one.outer.values()) for one in tried.values()])
    return all(_are_right(_choose(one, labels, flip)[0], one, labels) for one in asked)


def _ask(heads: Mapping[Choice, Head], features: Features, rows: np.ndarray) -> Said:
    return Said(rows, {choice: head.logits(features.plain[rows]) for choice, head in heads.items()})


def _choose(views: Sequence[Sequence[Said]], labels: np.ndarray, flip: str) -> tuple[Choice, Temperature]:
    """Of each view the choice with the least log-loss on images that were left out; of two views the dearer one only
    where the other errs, and its loss is less by more than a standard error (Breiman et al. 1984, section 3.4.3). And
    the temperature that suits it. views: what is said of the same images, the cheapest first.
    """
    if not views[0]:
        return Choice(UNTOLD, flip == "yes"), fit_temperature(np.zeros((0, 2)), np.zeros(0, int), of="folds")
    truth = labels[np.concatenate([one.rows for one in views[0]])]
    best: tuple[Choice, np.ndarray] | None = None
    for said in views:
        together = {choice: np.concatenate([one.logits[choice] for one in said]) for choice in said[0].logits}
        choice = min(together, key=lambda one: (log_loss(together[one], truth), one.mirrored))
        if best is None or _is_better(together[choice], best[1], truth):
            best = choice, together[choice]
    assert best is not None
    return best[0], fit_temperature(best[1], truth, of="folds")


def _is_better(logits: np.ndarray, before: np.ndarray, truth: np.ndarray) -> bool:
    if (before.argmax(1) == truth).all():
        return False
    less = log_losses(before, truth) - log_losses(logits, truth)  # (images,)
    return bool(less.mean() > less.std() / len(less) ** 0.5)


def _are_right(choice: Choice, views: Sequence[Sequence[Said]], labels: np.ndarray) -> bool:
    """Whether it names all images right that it was chosen by; those of no image are chosen all the same."""
    said = next((said for said in views if said and choice in said[0].logits), [])
    return all((one.logits[choice].argmax(1) == labels[one.rows]).all() for one in said)


def _heads(view: str, features: Features, labels: np.ndarray, classes: int, flip: str) -> dict[Choice, Head]:
    """A head for each choice. Twice as many images, half of them mirrored, weigh as much as before in the penalty."""
    with fitting():
        heads = {}
        if flip != "yes" or features.mirrored is None:
            plain = fit_path(features.plain, labels, classes, STRENGTHS)
            heads = {Choice(head.strength, False, view): head for head in plain}
        if flip != "no" and features.mirrored is not None:
            both, twice = np.concatenate([features.plain, features.mirrored]), np.tile(labels, 2)
            halved = tuple(strength / 2 for strength in STRENGTHS)
            heads |= {Choice(2 * head.strength, True, view): head for head in fit_path(both, twice, classes, halved)}
    return heads
