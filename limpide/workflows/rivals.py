"""The simpler models that a trained network is compared with, fitted on what the run has already decoded and computed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.audit import rivals
from limpide.audit.rivals import Rival
from limpide.data.dataset import TRAIN, Dataset
from limpide.data.reading import Pixels
from limpide.data.split import stratified
from limpide.events import Event, Progress
from limpide.language import N_, Message, message
from limpide.recipe import Recipe

Attempt = Generator[Event, None, Rival | None]  # None: not even the smallest fit ended in time

MOST_TEST = 2000  # test images that the slow ones are scored on
MOST_BYTES = 128_000_000  # of float32 pixels handed to a rival
SIDE = 32  # pixels: squares that rivals on pixels see
CHUNK = 1024


@dataclass(frozen=True)
class Frozen:
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

    def right(self, labels: np.ndarray) -> int:
        return int(((self.test @ self.weight.T + self.bias).argmax(1) == labels[self.test_rows]).sum())


@dataclass(frozen=True)
class Material:
    """Everything that the rivals of one run learn from. `frozen` is None where the network was trained from scratch."""

    pixels: Pixels
    frozen: Frozen | None
    budget: float  # s each; at most the time that the network took
    recipe: Recipe


def compare(dataset: Dataset, parts: np.ndarray, rows: np.ndarray, material: Material) -> Generator[Event, None, tuple[list[Rival], list[Message]]]:
    """A generator of progress whose return value is (the rivals, the names of those that had no time). `rows`: test images."""
    yield Progress(message(N_("preparing the images for simpler models")))
    train, labels, seed = np.flatnonzero(parts == TRAIN), dataset.labels, material.recipe.seed
    few = rows[np.sort(stratified(labels[rows], seed)[:MOST_TEST])]
    found, late = [rivals.majority(labels[train], labels[rows])], []
    train = train[np.sort(stratified(labels[train], seed)[: MOST_BYTES // (SIDE * SIDE * 3 * 4)])]
    images, held = _small(material.pixels, train), _small(material.pixels, rows)
    some = held[np.searchsorted(rows, few)]
    own, truth = labels[train], labels[rows]

    def nearest_pixels() -> Rival | None:
        return rivals.neighbours(rivals.NEAREST, rivals.flat(images), own, rivals.flat(some), labels[few], material.budget, seed)

    attempts: list[tuple[str, Attempt]] = [
        (rivals.LOGISTIC, _at_once(lambda: rivals.logistic(images, own, held, truth, material.budget, seed))),
        (rivals.FOREST, _at_once(lambda: rivals.forest(images, own, held, truth, material.budget, seed))),
    ]
    if material.frozen is None:
        attempts += [(rivals.NEAREST, _at_once(nearest_pixels)), (rivals.FROZEN, _linear(dataset, train, few, material))]
    else:
        frozen = material.frozen
        attempts.append((rivals.NEAREST_FEATURES, _at_once(lambda: _nearest(frozen, labels, material))))
        if not frozen.is_the_network:
            attempts.append((rivals.FROZEN, _at_once(lambda: _head(frozen, labels))))
    for done, (name, attempt) in enumerate(attempts):
        yield Progress(message(N_("trying simpler models: {name}"), name=message(name).to_json()), done, len(attempts))
        rival = yield from attempt
        if rival is None:
            late.append(message(name))
        else:
            found.append(rival)
    return found, late


def _at_once(work: Callable[[], Rival | None]) -> Attempt:
    """An attempt that cannot say how far it is."""
    yield from ()
    return work()


def _small(pixels: Pixels, rows: np.ndarray) -> np.ndarray:
    """Mean over blocks, down to about 32×32: rivals on pixels gain nothing from more. uint8 (n, side, side, channels)."""
    size = pixels.preprocessing.size
    factor = max(1, size // SIDE)
    if factor == 1:
        return pixels.take(rows)
    side = size // factor
    found = np.empty((len(rows), side, side, pixels.preprocessing.channels), np.uint8)
    for k in range(0, len(rows), CHUNK):
        squares = pixels.take(rows[k : k + CHUNK])[:, : side * factor, : side * factor]
        found[k : k + CHUNK] = np.rint(squares.reshape(len(squares), side, factor, side, factor, -1).mean((2, 4)))
    return found


def _head(frozen: Frozen, labels: np.ndarray) -> Rival:
    right, kept = frozen.right(labels), frozen.bytes
    return Rival(message(rivals.FROZEN), right, len(frozen.test_rows), len(frozen.train_rows), frozen.seconds, frozen.milliseconds, kept, frozen.multiply_adds)


def _nearest(frozen: Frozen, labels: np.ndarray, material: Material) -> Rival | None:
    """Neighbours among features that are there already: computing them counts, fitting the head does not."""
    before = frozen.seconds - frozen.head_seconds
    left = frozen.head_seconds if frozen.is_the_network else max(frozen.head_seconds, material.budget - before)
    rival = rivals.neighbours(
        rivals.NEAREST_FEATURES, frozen.train, labels[frozen.train_rows], frozen.test, labels[frozen.test_rows], left, material.recipe.seed
    )
    if rival is None:
        return None
    each = frozen.train[:1].nbytes
    return Rival(
        rival.name,
        rival.right,
        rival.n_test,
        rival.n_train,
        before + rival.seconds,
        frozen.milliseconds + (rival.milliseconds or 0.0),
        frozen.bytes + rival.n_train * each,
        frozen.multiply_adds + (rival.multiply_adds or 0),
    )


def _linear(dataset: Dataset, train: np.ndarray, test: np.ndarray, material: Material) -> Attempt:
    """For a network trained from scratch: a linear layer on a pretrained network's features of as many images as fit."""
    from limpide.models import multiply_adds, parameters
    from limpide.training import rival
    from limpide.training.rival import SIZE, FrozenFeatures, linear_head

    labels = dataset.labels
    features = FrozenFeatures(dataset, material.recipe)
    features.of(test[:2])  # its first call loads code

    def fit(picked: np.ndarray) -> Any:
        return linear_head(features.of(train[picked]), labels[train[picked]], len(dataset.classes))

    found = rivals.within(material.budget, labels[train], fit, material.recipe.seed)
    if found is None:
        return None
    for k in range(0, len(test), rival.CHUNK):
        yield Progress(message(N_("scoring a pretrained network with a linear layer")), k, len(test))
        features.of(test[k : k + rival.CHUNK])
    right = int((found.model.logits(features.of(test)).argmax(1) == labels[test]).sum())
    ms = rivals.milliseconds(lambda one: found.model.logits(features.fresh(one)), test)
    kept, work = 4 * parameters(features.network), multiply_adds(features.network, 3, SIZE)
    return Rival(message(rivals.FROZEN), right, len(test), found.n, found.seconds, ms, kept, work)
