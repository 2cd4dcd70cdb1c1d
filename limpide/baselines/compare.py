"""The simpler models that a trained network is compared with, fitted on images and features that the run has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from limpide.baselines.baseline import (
    MAX_TEST,
    SIDE,
    Allowance,
    Attempt,
    Baseline,
    BaselineData,
    BaselineInputs,
    Budget,
    ComparedModel,
    HeldOut,
    Scores,
    Sizes,
    take_rows,
)
from limpide.baselines.majority import always_majority
from limpide.baselines.registry import baselines_of
from limpide.baselines.saved import load_scores, save_scores
from limpide.core.events import Event, Progress
from limpide.data.dataset import TRAIN, Dataset
from limpide.data.read_images import Pixels
from limpide.data.split import stratified_order
from limpide.text.messages import N_, message

CHUNK = 1024
MIN_SECONDS, SHARE = 2.0, 0.07  # s for each, where a time was given: at least MIN_SECONDS, or this share of it


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. late: baselines that exceeded their seconds · left_out: those that were not tried."""

    models: list[ComparedModel]
    late: list[Baseline]
    left_out: list[Baseline]


def images_allowed(baseline: Baseline, sizes: Sizes, budget: Budget) -> int:
    """Training images that a baseline may have, decided from counts alone: two a class at least."""
    return min(sizes.train, max(sizes.least, int(baseline.images(sizes, budget))))


def values_of(size: int, channels: int) -> int:
    """Values of one image that baselines on pixels see. size: pixels a side of the squares that the network sees."""
    return _side(size)[1] ** 2 * channels


def budget_of(asked: float | None) -> Budget:
    """What a simpler model may cost: work, and seconds only where a time (s) was given."""
    return Budget() if asked is None else Budget(seconds=max(MIN_SECONDS, asked * SHARE))


def fit_baselines(
    dataset: Dataset,
    parts: np.ndarray,
    rows: np.ndarray,
    inputs: BaselineInputs,
    keep: Callable[[Baseline, int], None],
    allowed: Callable[[Baseline], bool],
) -> Generator[Event, None, Comparison]:
    """Fit the baselines; yields progress.

    rows: test images. keep: called, where a clock decided, with the number of images that a baseline had. allowed:
    whether there is still time for this baseline.
    """
    models: list[ComparedModel] = [always_majority(dataset.labels[parts == TRAIN], dataset.labels[rows])]
    budget, frozen = inputs.budget, inputs.frozen
    baselines = baselines_of(frozen is not None, frozen is None or not frozen.is_the_network)
    if budget.seconds is not None and budget.seconds <= 0:
        return Comparison(models, [], baselines)
    yield Progress(message(N_("preparing the images for simpler models")))
    data = _data(dataset, np.flatnonzero(parts == TRAIN), rows, inputs)
    late, left_out = [], []
    for done, baseline in enumerate(baselines):
        scores = load_scores(inputs.cache, baseline.key, len(rows)) if inputs.cache else None
        if scores is None and not allowed(baseline):
            left_out.append(baseline)
            continue
        if scores is None:
            phase = message(N_("trying simpler models: {name}"), name=baseline.title.to_json())
            yield (trying := Progress(phase, done, len(baselines)))
            decided, n = inputs.decided.get(baseline.key), images_allowed(baseline, data.sizes, budget)
            allowance = Allowance(n, budget.seconds, decided, inputs.recipe.seed)
            scores = yield from _telling(baseline.fit(data, allowance), trying)
            if budget.seconds is not None:
                keep(baseline, scores.n_train if scores else 0)
            if scores is not None and inputs.cache:
                save_scores(inputs.cache, baseline.key, scores)
        if scores is None:
            late.append(baseline)
        else:
            models.append(baseline.compared(scores))
    return Comparison(models, late, left_out)


def _data(dataset: Dataset, train: np.ndarray, rows: np.ndarray, inputs: BaselineInputs) -> BaselineData:
    """train, rows: training and test images."""
    labels, seed, pixels = dataset.labels, inputs.recipe.seed, inputs.pixels
    p = pixels.preprocessing
    sizes = Sizes(len(train), max(1, len(rows)), len(dataset.learned_classes), values_of(p.size, p.channels))
    n = max(sizes.least, int(sizes.images_on_pixels(inputs.budget)))
    on_pixels = train[np.sort(stratified_order(labels[train], seed)[:n])]
    test = HeldOut(_small(pixels, rows), labels[rows], np.arange(len(rows)))
    some = np.sort(stratified_order(labels[rows], seed)[:MAX_TEST])
    few = HeldOut(take_rows(test.x, some), labels[rows[some]], some)
    learned = _small(pixels, on_pixels)
    return BaselineData(
        dataset, inputs.recipe, sizes, train, rows, learned, labels[on_pixels], test, few, inputs.frozen
    )


def _telling(attempt: Attempt, trying: Progress) -> Generator[Event, None, Scores | None]:
    """Run the attempt and yield `trying` whenever it yields None: the listener may stop there."""
    with contextlib.closing(attempt):
        while True:
            try:
                event = next(attempt)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            yield event or trying


def _side(size: int) -> tuple[int, int]:
    """Return (side of a block that becomes one pixel, side in pixels of the images that baselines see)."""
    factor = max(1, size // SIDE)
    return factor, size // factor


def _small(pixels: Pixels, rows: np.ndarray) -> np.ndarray:
    """The mean over blocks, down to about 32×32: baselines on pixels gain nothing from more. float32 (n, side · side ·
    channels).
    """
    (factor, side), channels = _side(pixels.preprocessing.size), pixels.preprocessing.channels
    small = np.empty((len(rows), side * side * channels), np.float32)
    for k in range(0, len(rows), CHUNK):
        squares = pixels.take(rows[k : k + CHUNK])
        if factor > 1:
            blocks = squares[:, : side * factor, : side * factor].reshape(
                len(squares), side, factor, side, factor, channels
            )
            squares = np.rint(blocks.mean((2, 4), dtype=np.float32)).astype(np.uint8)
        small[k : k + CHUNK] = flat_pixels(squares)
    return small


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, channels) → float32 (n, size · size · channels), about −2…2."""
    return (images.reshape(len(images), -1).astype(np.float32) - 127.5) / 63.75
