"""The minimum time of a training with --time: reading, a first model and its score. It is measured on a few images
before the work begins.

If the user did not choose the network, the choice depends on this time, too: a network that could not even process the
images in the time is not used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from limpide.core.cost import Facts, FrozenFacts
from limpide.core.recipe import Recipe
from limpide.data import pixel_cache
from limpide.data.dataset import TEST, Dataset
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import ImageSample, stored_reading
from limpide.data.split import sample
from limpide.judging.answers import read_image
from limpide.models import pretrained
from limpide.models.flops import multiply_adds
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training.batches import as_tensor
from limpide.training.build import build_network
from limpide.training.defaults import (
    AUTOMATIC,
    FROZEN_IMAGES,
    MIN_OF_A_CLASS,
    decide_recipe,
    frozen_size,
    preprocessing_of,
)
from limpide.training.device import place_on_device
from limpide.training.frozen_features import BATCH, Frozen
from limpide.workflows.judge import cost_of_score
from limpide.workflows.train import first_model, seal
from limpide.workflows.train.context import TrainContext

PROMISED = 1.5  # times the time that was asked for, within which a quiet machine finishes
TIMED_FILES = 8


def check_time(job: TrainContext, reasons: list[Message]) -> tuple[list[Message], float]:
    """Change `job.recipe` if the user did not choose the network and it takes too long. Return the reasons for the
    choices of the recipe, and the minimum in seconds.
    """
    time_limit = float(job.info.wanted["time"])
    least = minimum_seconds(job, job.recipe)
    settled = job.info.wanted.get("model") != "auto" or not pretrained(job.recipe) or job.info.wanted.get("folds")
    if settled or least <= PROMISED * time_limit:
        return reasons, least
    small = Recipe.from_json(job.info.wanted).but(model=AUTOMATIC[0])
    small = small.but(value_range=job.recipe.value_range)
    filled, why = decide_recipe(small, job.seen, len(job.dataset), job.dataset.gives_parts)
    quicker = minimum_seconds(job, filled)
    if quicker >= least:
        return reasons, least
    says = N_(
        "model {model}, from scratch: {other}, which was pretrained on a million photographs, takes at least "
        "{least:duration} here"
    )
    says_why = message(says, model=filled.model, other=job.recipe.model, least=least)
    job.recipe = filled
    return [says_why, *why], quicker


def minimum_seconds(job: TrainContext, recipe: Recipe) -> float:
    """The minimum of the whole command with this recipe, including the time that has passed."""
    dataset, n = job.dataset, len(job.dataset)
    rows_by_preprocessing = wanted_pixels(recipe, job.seen, dataset)
    test = n if recipe.folds else int((dataset.given == TEST).sum()) or round(recipe.shares()[0] * n)
    decoding = decoding_seconds(dataset, tuple(rows_by_preprocessing))
    image, work = _image_seconds(
        recipe, len(dataset.classes), min(rows_by_preprocessing, key=lambda p: len(rows_by_preprocessing[p]))
    )
    folder = pixel_cache.shared_folder(dataset, rows_by_preprocessing)
    read = folder is not None and stored_reading(dataset, rows_by_preprocessing, folder) is not None
    frozen = (
        FrozenFacts(frozen_size(recipe), image, min(map(len, rows_by_preprocessing.values())))
        if pretrained(recipe)
        else None
    )
    facts = Facts(
        train=n if recipe.folds else n - test,
        test=test,
        classes=len(dataset.classes),
        multiply_adds=work,
        image_seconds=image,
        decoding_seconds=decoding,
        asked=recipe.time,
        frozen=frozen,
        folds=recipe.folds or 0,
    )
    reading = 0.0 if read else n * decoding
    return job.deadline.passed() + reading + first_model.cost(facts).seconds + score_seconds(facts)


def wanted_pixels(recipe: Recipe, seen: ImageSample, dataset: Dataset) -> dict[Preprocessing, np.ndarray]:
    """The squares to keep of which images: all at the training size, a sample at the size of the first model."""
    everything = np.arange(len(dataset), dtype=np.int32)
    rows_by_preprocessing = {preprocessing_of(recipe, seen): everything}
    if pretrained(recipe) and recipe.image_size != frozen_size(recipe):
        # no class may be missing; if folds judge, the frozen network processes every image
        rows = everything if recipe.folds else sample(dataset.labels, FROZEN_IMAGES, MIN_OF_A_CLASS)
        rows_by_preprocessing[preprocessing_of(recipe, seen, frozen_size(recipe))] = rows
    return rows_by_preprocessing


def score_seconds(facts: Facts) -> float:
    """The time of what is never left out once there is a model: sealing, the score, the report."""
    return (seal.cost(facts) + cost_of_score(facts)).seconds


def decoding_seconds(dataset: Dataset, wanted: tuple[Preprocessing, ...]) -> float:
    """The time to decode one image to these squares, if all processor cores work."""
    rows = np.unique(np.linspace(0, len(dataset) - 1, TIMED_FILES).astype(int)).tolist()
    began = time.perf_counter()
    for row in rows:
        image = read_image(dataset, row, max(p.jpeg_side for p in wanted))
        for p in wanted if image is not None else ():
            p.pixels(image)
    return (time.perf_counter() - began) / len(rows) / machine.cores()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _image_seconds(recipe: Recipe, classes: int, p: Preprocessing) -> tuple[float, int]:
    """(s, multiply-adds) per image of the network that classifies first: the frozen one if there is one."""
    device = torch.device(recipe.device)
    model = build_network(recipe, classes, p.channels, p.size)
    work = multiply_adds(model, p.channels, p.size)
    squares = np.zeros((BATCH, p.size, p.size, p.channels), np.uint8)
    if pretrained(recipe):
        frozen = Frozen(model, p, device)
        times = [_timed(lambda: frozen.features(squares)) for _ in range(2)]
    else:
        model = place_on_device(model, device).eval()
        with torch.inference_mode():
            images = as_tensor(squares, p).to(device)
            times = [_timed(lambda: model(images).cpu()) for _ in range(2)]
    return times[1] / BATCH, work  # the first time is a warm-up
