"""Cross-fitting: each image is judged by a linear head that had not seen it; the shipped head learned from all images.

For each fold, every choice (the view, the strength of the penalty, whether mirrored images help, the temperature) is
made on the other folds alone, by heads that had not seen the image either (nested cross-validation, Varma & Simon 2006,
BMC Bioinformatics 7:91). The judgement thus covers the whole procedure, choices included. A head that was fitted
without two folds serves both of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from limpide.core.events import Progress
from limpide.core.recipe_field import WHOLE
from limpide.data.folds import NO_FOLD
from limpide.text.messages import N_, message
from limpide.training.class_balance import balanced_weights, priors
from limpide.training.linear_head import Head, fit_path, fitting, log_loss, log_losses
from limpide.training.temperature import Temperature, fit_temperature

# Inverse strengths of the L2 penalty (scikit-learn's C) on features of unit spread, tried from strong to weak.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class Features:
    """A frozen network's features of images, and of the same images mirrored; float32 (n, width) each."""

    plain: np.ndarray
    mirrored: np.ndarray | None = None  # None: mirrored images are not used
    # Views that share one look: (name, widths of its kinds of features, which are the first columns; (): all columns)
    views: tuple[tuple[str, tuple[int, ...]], ...] = ((WHOLE, ()),)

    def of(self, rows: np.ndarray, groups: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
        """(plain, mirrored) features of these images, for a view with kinds of these widths."""
        columns = slice(sum(groups) if groups else None)
        return self.plain[rows, columns], None if self.mirrored is None else self.mirrored[rows, columns]


@dataclass(frozen=True)
class Choice:
    """How a head is fitted."""

    strength: float
    mirrored: bool  # whether it learns from mirrored images, too
    view: str = WHOLE  # the view of its features (views.py)


UNTOLD = 1e-2  # the strength if there are only two folds, which leave no images to choose on


@dataclass(frozen=True)
class CrossFit:
    """The heads, and the logits of each image by a head that had not seen it."""

    head: Head  # learned from every image
    choice: Choice
    temperature: Temperature
    heads: dict[int, Head]  # fold → the head that learned from the other folds
    choices: dict[int, Choice]  # fold → how it was fitted
    temperatures: dict[int, float]  # fold → what the logits of that head are divided by
    logits: np.ndarray  # float32 (n, classes), by the head that had not seen the image; NaN if every head had


@dataclass(frozen=True)
class Said:
    """Logits of images by heads that had not seen them."""

    rows: np.ndarray  # int (m,), the images
    logits: Mapping[Choice, np.ndarray]  # float32 (m, classes), of each choice


@dataclass(frozen=True)
class Tried:
    """The heads of every choice, fitted on the features of one look at the images, and their logits."""

    inner: dict[int, list[Said]]  # fold → for each other fold, its logits by heads without both
    outer: dict[int, Said]  # fold → its logits by heads without it
    heads: dict[int, dict[Choice, Head]]  # fold → the heads that learned from the other folds


def cross_fit(
    looks: Sequence[Features],
    labels: np.ndarray,
    folds: np.ndarray,
    classes: int,
    flip: str = "auto",
    balanced: bool = False,
) -> Generator[Progress, None, CrossFit]:
    """Fit the heads, and judge each image by one that had not seen it. looks: the cheapest first · labels: int (n,) ·
    folds: int (n,) as in data/folds.py, at least two folds · flip: whether heads learn from mirrored images: yes, no,
    or auto, if it helps · balanced: whether a rare class counts as much as a frequent one (class_balance.py).
    """
    tried: list[Tried] = []
    for features in looks:
        tried.append((yield from try_look(features, labels, folds, classes, flip, balanced)))
    return choose(tried, looks, labels, classes, flip, balanced)


def try_look(
    features: Features, labels: np.ndarray, folds: np.ndarray, classes: int, flip: str, balanced: bool = False
) -> Generator[Progress, None, Tried]:
    """Fit heads without each fold, and without each pair of folds. Arguments as for `cross_fit`."""
    names = sorted(set(folds.tolist()) - {NO_FOLD})
    pairs = list(itertools.combinations(names, 2)) if len(names) > 2 else []
    steps, says = len(pairs) + len(names), message(N_("judging the last layer by cross-fitting"))
    tried = Tried({fold: [] for fold in names}, {}, {})
    for done, (j, k) in enumerate(pairs):
        yield Progress(says, done, steps)
        out = (folds == j) | (folds == k)
        heads = _heads(features, ~out, labels, classes, flip, balanced)
        for fold, other in ((j, k), (k, j)):
            rows = np.flatnonzero((folds == other) & np.isin(labels, labels[~out]))
            tried.inner[fold].append(_ask(heads, features, rows))
    for done, fold in enumerate(names):
        yield Progress(says, len(pairs) + done, steps)
        tried.heads[fold] = _heads(features, folds != fold, labels, classes, flip, balanced)
        tried.outer[fold] = _ask(tried.heads[fold], features, np.flatnonzero(folds == fold))
    return tried


def choose(
    tried: Sequence[Tried],
    looks: Sequence[Features],
    labels: np.ndarray,
    classes: int,
    flip: str,
    balanced: bool = False,
) -> CrossFit:
    """Choose a head for each fold, and the shipped one. tried: the results of these looks, in the same order."""
    heads: dict[int, Head] = {}
    choices: dict[int, Choice] = {}
    temperatures: dict[int, float] = {}
    logits = np.full((len(labels), classes), np.nan, np.float32)
    untold = Choice(UNTOLD, flip == "yes", looks[0].views[0][0])
    for fold in tried[0].outer:
        choice, temperature = _choose([one.inner[fold] for one in tried], labels, untold, balanced)
        own = next(one for one in tried if choice in one.heads[fold])
        heads[fold], choices[fold], temperatures[fold] = own.heads[fold][choice], choice, temperature.value
        logits[own.outer[fold].rows] = own.outer[fold].logits[choice]
    choice, temperature = _choose([list(one.outer.values()) for one in tried], labels, untold, balanced)
    look = next(one for one in looks if choice.view in dict(one.views))
    head = _heads(look, np.ones(len(labels), bool), labels, classes, flip, balanced, only=choice)[choice]
    return CrossFit(head, choice, temperature, heads, choices, temperatures, logits)


def is_settled(tried: Sequence[Tried], labels: np.ndarray, balanced: bool = False) -> bool:
    """Whether one more look would change nothing: each choice so far classifies all images it is made on correctly."""
    asked = [[one.inner[fold] for one in tried] for fold in tried[0].inner]
    asked.append([list(one.outer.values()) for one in tried])
    return all(_are_right(one, labels, balanced) for one in asked)


def _ask(heads: Mapping[Choice, Head], features: Features, rows: np.ndarray) -> Said:
    plain = features.plain[rows]
    return Said(rows, {choice: head.logits(plain[:, : head.weight.shape[1]]) for choice, head in heads.items()})


def _choose(
    looks: Sequence[Sequence[Said]], labels: np.ndarray, untold: Choice, balanced: bool
) -> tuple[Choice, Temperature]:
    """(the choice, the temperature that suits it). Each look offers the choice with the least log-loss on images that
    were left out; of two looks, the dearer one wins only if the other errs and its own loss is lower by more than a
    standard error (Breiman et al. 1984, section 3.4.3). looks: logits of the same images, the cheapest look first ·
    untold: the choice if there are no such images.
    """
    if not looks[0]:
        return untold, fit_temperature(np.zeros((0, 2)), np.zeros(0, int), of="folds")
    truth = labels[np.concatenate([one.rows for one in looks[0]])]
    weights = balanced_weights(truth) if balanced else np.ones(len(truth))
    best: tuple[Choice, np.ndarray] | None = None
    for said in looks:
        together = {choice: np.concatenate([one.logits[choice] for one in said]) for choice in said[0].logits}
        choice = min(together, key=lambda one: (log_loss(together[one], truth, weights), one.mirrored))
        if best is None or _is_better(together[choice], best[1], truth, weights):
            best = choice, together[choice]
    assert best is not None
    return best[0], fit_temperature(best[1], truth, of="folds", weights=weights)


def _is_better(logits: np.ndarray, before: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> bool:
    if (before.argmax(1) == truth).all():
        return False
    less = weights * (log_losses(before, truth) - log_losses(logits, truth))  # (images,)
    return bool(less.mean() > less.std() / len(less) ** 0.5)


def _are_right(looks: Sequence[Sequence[Said]], labels: np.ndarray, balanced: bool) -> bool:
    """Whether the choice classifies all images it is made on correctly; True without images, as no look adds any."""
    if not looks[0]:
        return True
    choice = _choose(looks, labels, Choice(UNTOLD, False), balanced)[0]
    said = next(said for said in looks if choice in said[0].logits)
    return all((one.logits[choice].argmax(1) == labels[one.rows]).all() for one in said)


def _heads(
    features: Features,
    rows: np.ndarray,
    labels: np.ndarray,
    classes: int,
    flip: str,
    balanced: bool,
    only: Choice | None = None,
) -> dict[Choice, Head]:
    """A head for each choice, fitted on these rows (bool (n,)); with `only`, for the choices that differ from it in
    nothing but the strength. Mirrored images double the number of images; the strengths are halved to make up for it.
    """
    heads: dict[Choice, Head] = {}
    truth = labels[rows]
    with fitting():
        for view, groups in features.views:
            if only is not None and only.view != view:
                continue
            plain, mirrored = features.of(rows, groups)
            if mirrored is None or (flip != "yes" and not (only and only.mirrored)):
                for head in fit_path(plain, truth, classes, STRENGTHS, groups):
                    heads[Choice(head.strength, False, view)] = head
            if mirrored is not None and flip != "no" and not (only and not only.mirrored):
                both, twice = np.concatenate([plain, mirrored]), np.tile(truth, 2)
                halved = tuple(strength / 2 for strength in STRENGTHS)
                for head in fit_path(both, twice, classes, halved, groups):
                    heads[Choice(2 * head.strength, True, view)] = head
    if not balanced:
        return heads
    shift = np.log(priors(truth, classes)).astype(np.float32)
    return {choice: replace(head, bias=head.bias - shift) for choice, head in heads.items()}
