"""quote: how many steps, how long, how much memory; written down once, so that a resume and a replay are exact."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch

from limpide import machine
from limpide.audit.rivals import TREE_WORK, logistic_work
from limpide.deploy.export import check_exportable
from limpide.errors import ModelError
from limpide.events import Event, Progress
from limpide.interpret.shortcut import LOOKS, wanted
from limpide.language import N_, message
from limpide.models import is_outside, multiply_adds, pretrained
from limpide.recipe import Recipe
from limpide.run_info import Quoted
from limpide.training import quote
from limpide.training.network import augmentation, start
from limpide.training.transfer import CHUNK, frozen_features
from limpide.workflows.judge import PASTED_WORK
from limpide.workflows.phases.job import Job
from limpide.workflows.phases.memory import judging_bytes
from limpide.workflows.rivals import FROZEN_WORK, WIDTH, Budget, Sizes, sizes_of

HEAD_SECONDS, SEAL_SECONDS = 3.0, 4.0  # fitting and exporting the first model; calibrating, exporting and opening the final one
LOAD_SECONDS = 1.0  # a pretrained network to compare with
FOREST_WORK = 1.2e11  # multiply-adds that would take as long as a whole forest
PATIENCE = (3, 4)  # passes: at least three, else a quarter of those planned


def quote_work(job: Job) -> Iterator[Event]:
    """Times a few steps on a copy and writes down, once, how many steps there will be and what they should take."""
    if job.done("quote"):
        return
    job.memory.mark()  # unpacking a download, or reading, may have held more than it left behind
    yield Progress(message(N_("timing a few steps")))
    train_batches, validation = job.batches("train"), job.validation()
    model = _accepted(job)
    state = start(model, job.recipe, 1)
    speed = quote.probe(state, train_batches, validation, job.recipe, augmentation(job.recipe, 9, job.seen.grey))
    passed = time.monotonic() - job.began
    if pretrained(job.recipe):
        yield Progress(message(N_("timing the pretrained network")))
    each = _frozen_seconds(job) if pretrained(job.recipe) else 0.0  # s an image
    looked_at = sum(len(job.frozen_rows(part)) for part in ("train", "validation")) if each else 0
    frozen = looked_at * each + (HEAD_SECONDS if each else 0.0)
    after = SEAL_SECONDS + len(job.rows("test")) * speed.image + (len(job.frozen_rows("test")) * each if each else 0.0)
    after += _pasted_seconds(job, model, each or speed.image)
    left = None
    if job.recipe.time is not None:
        left = (job.recipe.time - passed - frozen - after) * 0.85  # the rest is for the simpler models
    steps = quote.steps_for(job.recipe, speed, train_batches, validation, job.seen.grey, left)
    epochs = steps / len(train_batches)
    fitting = steps * speed.step + math.ceil(epochs) * len(validation.rows) * speed.image
    rivals = _rival_seconds(job)
    total = passed + frozen + fitting + after + rivals
    first = passed + frozen if frozen else passed + fitting + SEAL_SECONDS / 2
    job.memory.look()
    del state
    machine.release_memory()
    memory = max(job.memory.peak, job.memory.recent, machine.memory_own() + judging_bytes(job, model))
    quoted = Quoted(total, fitting, memory, first, speed.step)
    recipe = job.recipe.but(epochs=max(1, math.ceil(epochs)), patience=job.recipe.patience or max(PATIENCE[0], int(epochs) // PATIENCE[1]))
    if recipe.flip == "auto" and not pretrained(recipe):
        recipe = recipe.but(flip="no")
    job.recipe = recipe
    yield job.say("decision", message(N_("passes over the training part: {epochs:number} ({steps:count} steps)"), epochs=epochs, steps=steps))
    yield job.say(
        "quote",
        message(
            N_("about {seconds:duration} in all, a first model after {first:duration}, {memory:bytes} of memory"),
            seconds=total,
            first=first,
            memory=memory,
        ),
    )
    if job.recipe.time is not None and total > 1.05 * job.recipe.time:
        says = N_("this is more than the {asked:duration} asked for: reading, exporting and judging take that long whatever the training")
        yield job.say("quote", message(says, asked=job.recipe.time))
    job.enter("first", steps=steps, epochs=epochs, quote=quoted, recipe=recipe.to_json())


def _accepted(job: Job) -> torch.nn.Module:
    """The fresh network. One of somebody else's is refused before anything is learned when it could not be shipped."""
    preprocessing = job.pixels().preprocessing
    try:
        if is_outside(job.recipe.model):
            check_exportable(job.network(preprocessing), preprocessing)
        return job.network(preprocessing)
    except ModelError:
        job.run.update(status="refused")  # once it is mended, the same command starts afresh
        raise


def _pasted_seconds(job: Job, model: torch.nn.Module, image: float) -> float:
    """What asking for shortcuts will take. image: seconds an image through the network, or the frozen one at its size."""
    p = job.pixels().preprocessing
    looked_at = wanted(job.dataset.labels[job.rows("test")], multiply_adds(model, p.channels, p.size), PASTED_WORK)
    smaller = (p.size / job.frozen_pixels().preprocessing.size) ** 2 if pretrained(job.recipe) else 1.0
    return len(looked_at) * LOOKS * image * smaller


def rival_budget(recipe: Recipe) -> Budget:
    """What a simpler model may cost: so much work, and so many seconds only where a time was asked for."""
    return Budget() if recipe.time is None else Budget(seconds=max(2.0, recipe.time * 0.07))


def _rival_seconds(job: Job) -> float:
    """What the simpler models will take, all together, at a speed measured here and now."""
    budget, sizes = rival_budget(job.recipe), _sizes(job)
    images = sizes.images(budget)
    works = {
        "logistic": images["logistic"] * logistic_work(sizes.values, sizes.classes),
        "forest": FOREST_WORK * min(1.0, images["forest"] * sizes.values**0.5 / TREE_WORK),
        "nearest": images["nearest"] * sizes.few * sizes.values,
        "frozen": (images["frozen"] + sizes.few) * FROZEN_WORK,
    }
    if pretrained(job.recipe):
        works |= {"nearest": images["nearest_features"] * sizes.few * WIDTH, "frozen": 0}
    each = [work / _speed() for work in works.values()]
    if budget.seconds is not None:
        each = [min(seconds, budget.seconds) for seconds in each]
    return sum(each) + (0.0 if pretrained(job.recipe) else LOAD_SECONDS)


def _sizes(job: Job) -> Sizes:
    return sizes_of(job.pixels(), len(job.rows("train")), len(job.rows("test")), len(job.dataset.learned_classes))


def _speed() -> float:
    """Multiply-adds a second of a product as flat as those of the simpler models, on this machine as busy as it is."""
    images, weights = torch.ones(4096, 784), torch.ones(784, 10)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        images @ weights
        seconds.append(time.perf_counter() - began)
    return 4096 * 784 * 10 / float(min(seconds[1:]))


def _frozen_seconds(job: Job) -> float:
    """Seconds an image through the frozen network, from the first chunk, whose features are kept."""
    pixels, rows = job.frozen_pixels(), job.frozen_rows("train")[:CHUNK]
    model = job.network(pixels.preprocessing)
    began = time.perf_counter()
    for _ in frozen_features(model, pixels, rows, job.run.cache, torch.device(job.recipe.device)):
        pass
    return (time.perf_counter() - began) / len(rows)
