"""Cross-fitting: a linear head that had not seen an image judges it; the head that is shipped learned from all images.

For each fold, everything that is chosen (the view, the strength of the penalty, whether mirrored images help, the
temperature) is chosen among the other folds alone, by heads that had not seen the image either (nested
cross-validation, Varma & Simon 2006, BMC Bioinformatics 7:91). So the procedure is judged, choices included. A head
without two folds serves both.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from limpide.core.events import Progress
from limpide.core.recipe import WHOLE
from limpide.data.folds import NO_FOLD
from limpide.text.messages import N_, message
from limpide.training.class_balance import balanced_weights, priors
from limpide.training.linear_head import Head, fit_path, fitting, log_loss, log_losses
from limpide.training.temperature import Temperature, fit_temperature

# Inverse strengths of the L2 penalty (scikit-learn's C) on features of unit spread, tried from strong to weak.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class Features:
    """What a frozen network sees in images, and in the same images mirrored; float32 (n, width) each."""

    plain: np.ndarray
    mirrored: np.ndarray | None = None  # None: mirroring is not asked about
    # Views that cost one look: each is the first columns, of kinds of these widths; () of one kind, all columns
    views: tuple[tuple[str, tuple[int, ...]], ...] = ((WHOLE, ()),)

    def of(self, rows: np.ndarray, groups: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray | None]:
        """(plain, mirrored) of these images, as a view with these kinds has them."""
        columns = slice(sum(groups) if groups else None)
        return self.plain[rows, columns], None if self.mirrored is None else self.mirrored[rows, columns]


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
    """One look at the images, fitted and asked in every way."""

    inner: dict[int, list[Said]]  # fold → what is said without it and one more fold, of that one
    outer: dict[int, Said]  # fold → what is said without it, of it
    heads: dict[int, dict[Choice, Head]]  # fold → those that learned from the other folds


def cross_fit(
    looks: Sequence[Features],
    labels: np.ndarray,
    folds: np.ndarray,
    classes: int,
    flip: str = "auto",
    balanced: bool = False,
) -> Generator[Progress, None, CrossFit]:
    """looks: the cheapest first · labels: int (n,) · folds: int (n,) of data/folds.py, two or more of them · flip:
    whether mirrored images are learned from: yes, no, or auto, as it helps · balanced: whether a rare class counts as
    much as a frequent one (class_balance.py).
    """
    tried: list[Tried] = []
    for features in looks:
        tried.append((yield from try_look(features, labels, folds, classes, flip, balanced)))
    return choose(tried, looks, labels, classes, flip, balanced)


def try_look(
    features: Features, labels: np.ndarray, folds: np.ndarray, classes: int, flip: str, balanced: bool = False
) -> Generator[Progress, None, Tried]:
    """Fits heads without each fold, and without each pair of them. As for `cross_fit`."""
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
    """tried: each of these looks, in the same order."""
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
    """Whether one more look would change nothing: each choice so far names all right that it is made by."""
    asked = [[one.inner[fold] for one in tried] for fold in tried[0].inner]
    asked.append([list(one.outer.values()) for one in tried])
    return all(_are_right(one, labels, balanced) for one in asked)


def _ask(heads: Mapping[Choice, Head], features: Features, rows: np.ndarray) -> Said:
    plain = features.plain[rows]
    return Said(rows, {choice: head.logits(plain[:, : head.weight.shape[1]]) for choice, head in heads.items()})


def _choose(
    looks: Sequence[Sequence[Said]], labels: np.ndarray, untold: Choice, balanced: bool
) -> tuple[Choice, Temperature]:
    """Of each look the choice with the least log-loss on images that were left out; of two looks the dearer one only
    where the other errs, and its loss is less by more than a standard error (Breiman et al. 1984, section 3.4.3). And
    the temperature that suits it. looks: what is said of the same images, the cheapest first · untold: where no image
    tells.
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
    """Whether the choice names all right that it is made by; where no image tells, another look tells no more."""
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
    """A head for each choice, or for those that share all but the strength with `only` one, that learned from these
    rows (bool (n,)). Twice as many images, half of them mirrored, weigh as much as before in the penalty.
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
