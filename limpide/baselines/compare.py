"""The simpler models that a trained network is compared with, fitted on what the run has already decoded
and computed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from limpide.baselines import simple_models
from limpide.baselines.saved import load_baseline
from limpide.baselines.saved import save_baseline as keep_rival
from limpide.baselines.simple_models import Allowance, Baseline, HeldOut
from limpide.core.events import Event, Progress
from limpide.core.recipe import Recipe
from limpide.data.dataset import TRAIN, Dataset
from limpide.data.read_images import Pixels
from limpide.data.split import stratified_order
from limpide.system.background_thread import run_in_thread
from limpide.system.quiet_libraries import quiet_libraries
from limpide.text.messages import N_, message

# yields None while it cannot say how far it is; returns None where no fit ended in time
Attempt = Generator[Event | None, None, Baseline | None]

MAX_TEST = 2000  # test images that the slow ones are scored on
MAX_BYTES = 512_000_000  # of float32 pixels of training images handed to a rival
WORK = 500_000_000_000  # multiply-adds that one rival may cost: a few seconds
SIDE = 32  # pixels: squares that rivals on pixels see
CHUNK = 1024
FROZEN_WORK = 70_600_000  # multiply-adds of rival.FrozenFeatures for one image
WIDTH = 1280  # of its features
MIN_SECONDS, SHARE = 2.0, 0.07  # s that each may take where a time was asked for: at least these, or this share of it


@dataclass(frozen=True)
class FrozenModel:
    """What the first model left behind: a linear head and the features it was fitted on."""

    train: np.ndarray  # float32 (n, width)
    train_rows: np.ndarray
    test: np.ndarray  # float32 (m, width)
    test_rows: np.ndarray
    weight: np.ndarray  # (classes, width)
    bias: np.ndarray
    seconds: float  # computing the features of the training images, and fitting the head
    head_seconds: float  # the second of these two
    milliseconds: float
    bytes: int
    multiply_adds: int
    is_the_network: bool  # nothing was fine-tuned, or it did not help: then it is no rival to itself

    def right(self, labels: np.ndarray) -> np.ndarray:
        return np.asarray((self.test @ self.weight.T + self.bias).argmax(1) == labels[self.test_rows])


@dataclass(frozen=True)
class Budget:
    """What one simpler model may cost. Without `seconds` nothing here is decided by a clock."""

    work: float = WORK  # multiply-adds
    bytes: float = MAX_BYTES
    seconds: float | None = None  # where a time was asked for; 0: there is none left for any of them


@dataclass(frozen=True)
class BaselineInputs:
    """Everything that the rivals of one run learn from. `frozen` is None where the network was trained from scratch."""

    pixels: Pixels
    frozen: FrozenModel | None
    budget: Budget
    recipe: Recipe
    # what an earlier session found to fit into the seconds: key → images
    decided: Mapping[str, int] = field(default_factory=dict)
    # keeps those that are done, so that a comparison that was cut short goes on with the next
    cache: Path | None = None


@dataclass(frozen=True)
class Sizes:
    """Of a comparison: images, test images, classes, and values of one image (pixels times channels) that rivals on
    pixels see.
    """

    train: int
    test: int
    classes: int
    values: int

    @property
    def few(self) -> int:
        return min(self.test, MAX_TEST)

    def images(self, budget: Budget) -> dict[str, int]:
        """Training images that each rival may have, decided from counts alone: two a class at least."""
        pixels = budget.bytes / (4 * self.values)
        most = {
            "logistic": min(pixels, budget.work / simple_models.logistic_work(self.values, self.classes)),
            "forest": pixels,
            "nearest": min(pixels, budget.work / (self.few * self.values)),
            "nearest_features": budget.work / (self.few * WIDTH),
            "frozen": budget.work / FROZEN_WORK - self.few,
        }
        least = max(simple_models.MIN_SUBSET, 2 * self.classes)
        return {key: min(self.train, max(least, int(n))) for key, n in most.items()}


def values_of(size: int, channels: int) -> int:
    """Values of one image that rivals on pixels see. size: pixels a side of the squares that the network sees."""
    return _side(size)[1] ** 2 * channels


def budget_of(asked: float | None) -> Budget:
    """What a simpler model may cost: work, and seconds only where a time was asked for, s."""
    return Budget() if asked is None else Budget(seconds=max(MIN_SECONDS, asked * SHARE))


def fit_baselines(
    dataset: Dataset,
    parts: np.ndarray,
    rows: np.ndarray,
    material: BaselineInputs,
    keep: Callable[[str, int], None],
    allowed: Callable[[str], bool],
) -> Generator[Event, None, tuple[list[Baseline], list[str], list[str]]]:
    """A generator of progress whose return value is (the rivals, the keys of those whose seconds were too few, of those
    that were not tried).

    rows: test images. keep: is told, where a clock decided, how many images a rival had. allowed: whether there is
    still time for this one.
    """
    found, late, left_out = [simple_models.majority(dataset.labels[parts == TRAIN], dataset.labels[rows])], [], []
    budget = material.budget
    if budget.seconds is not None and budget.seconds <= 0:
        return found, [], _keys(material)
    yield Progress(message(N_("preparing the images for simpler models")))
    attempts = _attempts(dataset, parts, rows, material)
    for done, (key, attempt) in enumerate(attempts.items()):
        rival = load_baseline(material.cache, key, len(rows)) if material.cache else None
        if rival is None and not allowed(key):
            left_out.append(key)
            continue
        if rival is None:
            yield (trying := _trying(key, done, len(attempts)))
            rival = yield from _telling(attempt, trying)
            if budget.seconds is not None:
                keep(key, rival.n_train if rival else 0)
            if rival is not None and material.cache:
                keep_rival(material.cache, rival)
        if rival is None:
            late.append(key)
        else:
            found.append(rival)
    return found, late, left_out


def _trying(key: str, done: int, of: int) -> Progress:
    name = message(simple_models.NAMES[key]).to_json()
    return Progress(message(N_("trying simpler models: {name}"), name=name), done, of)


def _keys(material: BaselineInputs) -> list[str]:
    if material.frozen is None:
        return ["logistic", "forest", "nearest", "frozen"]
    return ["logistic", "forest", "nearest_features", *([] if material.frozen.is_the_network else ["frozen"])]


def _attempts(dataset: Dataset, parts: np.ndarray, rows: np.ndarray, material: BaselineInputs) -> dict[str, Attempt]:
    labels, seed, frozen, budget = dataset.labels, material.recipe.seed, material.frozen, material.budget
    train = np.flatnonzero(parts == TRAIN)
    p = material.pixels.preprocessing
    sizes = Sizes(len(train), max(1, len(rows)), len(dataset.learned_classes), values_of(p.size, p.channels))
    images = sizes.images(budget)
    allowed = {key: Allowance(n, budget.seconds, material.decided.get(key), seed) for key, n in images.items()}
    on_pixels = train[
        np.sort(stratified_order(labels[train], seed)[: max(images[key] for key in ("logistic", "forest", "nearest"))])
    ]
    learned, own = _small(material.pixels, on_pixels), labels[on_pixels]
    held = HeldOut(_small(material.pixels, rows), labels[rows], np.arange(len(rows)))
    some = np.sort(stratified_order(labels[rows], seed)[:MAX_TEST])
    few = HeldOut(simple_models.take_rows(held.x, some), labels[rows[some]], some)
    attempts: dict[str, Attempt] = {
        "logistic": _at_once(lambda: simple_models.logistic(learned, own, held, allowed["logistic"])),
        "forest": _at_once(lambda: simple_models.forest(learned, own, held, allowed["forest"])),
        "nearest": _at_once(lambda: simple_models.nearest_neighbors("nearest", learned, own, few, allowed["nearest"])),
    }
    if frozen is None:
        attempts["frozen"] = _linear(dataset, train, rows, some, material, allowed["frozen"])
    else:
        attempts["nearest_features"] = _at_once(lambda: _nearest(frozen, labels, rows, allowed["nearest_features"]))
        attempts["frozen"] = _at_once(lambda: _head(frozen, labels, rows))
    return {key: attempts[key] for key in _keys(material)}


def _telling(attempt: Attempt, trying: Progress) -> Generator[Event, None, Baseline | None]:
    """The attempt, telling `trying` where it has nothing else to tell: the listener may stop there."""
    with contextlib.closing(attempt):
        while True:
            try:
                event = next(attempt)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            yield event or trying


def _at_once(work: Callable[[], Baseline | None]) -> Attempt:
    """An attempt that cannot say how far it is, and may be left all the same."""

    def quietly() -> Baseline | None:
        with quiet_libraries:
            return work()

    return (yield from run_in_thread(quietly))


def _side(size: int) -> tuple[int, int]:
    """(side of a block that becomes one pixel, pixels a side of what rivals see)."""
    factor = max(1, size // SIDE)
    return factor, size // factor


def _small(pixels: Pixels, rows: np.ndarray) -> np.ndarray:
    """Mean over blocks, down to about 32×32: rivals on pixels gain nothing from more. float32 (n, side · side ·
    channels).
    """
    (factor, side), channels = _side(pixels.preprocessing.size), pixels.preprocessing.channels
    found = np.empty((len(rows), side * side * channels), np.float32)
    for k in range(0, len(rows), CHUNK):
        squares = pixels.take(rows[k : k + CHUNK])
        if factor > 1:
            blocks = squares[:, : side * factor, : side * factor].reshape(
                len(squares), side, factor, side, factor, channels
            )
            squares = np.rint(blocks.mean((2, 4), dtype=np.float32)).astype(np.uint8)
        found[k : k + CHUNK] = simple_models.flat_pixels(squares)
    return found


def _head(frozen: FrozenModel, labels: np.ndarray, rows: np.ndarray) -> Baseline:
    kept, right = np.isin(frozen.test_rows, rows), frozen.right(labels)
    places = np.searchsorted(rows, frozen.test_rows[kept])
    return Baseline(
        "frozen",
        right[kept],
        places,
        len(frozen.train_rows),
        frozen.seconds,
        frozen.milliseconds,
        frozen.bytes,
        frozen.multiply_adds,
    )


def _nearest(frozen: FrozenModel, labels: np.ndarray, rows: np.ndarray, allowance: Allowance) -> Baseline | None:
    """Neighbours among features that are there already: computing them counts, fitting the head does not."""
    kept = np.isin(frozen.test_rows, rows)
    asked = HeldOut(
        simple_models.take_rows(frozen.test, np.flatnonzero(kept)),
        labels[frozen.test_rows[kept]],
        np.searchsorted(rows, frozen.test_rows[kept]),
    )
    if len(asked.rows) > MAX_TEST:
        some = np.sort(stratified_order(asked.labels, allowance.seed)[:MAX_TEST])
        asked = HeldOut(asked.x[some], asked.labels[some], asked.rows[some])
    rival = simple_models.nearest_neighbors(
        "nearest_features", frozen.train, labels[frozen.train_rows], asked, allowance
    )
    if rival is None:
        return None
    return Baseline(
        rival.key,
        rival.right,
        rival.rows,
        rival.n_train,
        frozen.seconds - frozen.head_seconds + rival.seconds,
        frozen.milliseconds + (rival.milliseconds or 0.0),
        frozen.bytes + rival.n_train * frozen.train[:1].nbytes,
        frozen.multiply_adds + (rival.multiply_adds or 0),
    )


def _linear(
    dataset: Dataset,
    train: np.ndarray,
    rows: np.ndarray,
    some: np.ndarray,
    material: BaselineInputs,
    allowance: Allowance,
) -> Attempt:
    """For a network trained from scratch: a linear layer on a pretrained network's features. some: places in `rows`."""
    from limpide.baselines import pretrained_head
    from limpide.baselines.pretrained_head import FrozenFeatures, linear_head

    labels, test = dataset.labels, rows[some]
    features = FrozenFeatures(dataset, material.recipe)
    features.of(test[:2])  # its first call loads code
    began = time.perf_counter()
    if allowance.seconds is None:  # what is known already then costs nothing
        wanted = train[stratified_order(labels[train], allowance.seed)[: allowance.images]]
        for k in range(0, len(wanted), pretrained_head.CHUNK):
            yield Progress(message(N_("computing the features of a pretrained network")), k, len(wanted))
            features.of(wanted[k : k + pretrained_head.CHUNK])
    before = time.perf_counter() - began

    def fit(picked: np.ndarray) -> Any:
        return linear_head(features.of(train[picked]), labels[train[picked]], len(dataset.learned_classes))

    found = simple_models.fit_allowed(labels[train], fit, allowance)
    if found is None:
        return None
    for k in range(0, len(test), pretrained_head.CHUNK):
        yield Progress(message(N_("scoring a pretrained network with a linear layer")), k, len(test))
        features.of(test[k : k + pretrained_head.CHUNK])
    right = found.model.logits(features.of(test)).argmax(1) == labels[test]
    ms = simple_models.milliseconds(lambda one: found.model.logits(features.fresh(one)), test)
    return Baseline("frozen", right, some, found.n, before + found.seconds, ms, features.bytes, features.multiply_adds)
