"""quote: how many steps, how long, how much memory; written down once, so that a resume and a replay are exact."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial

import torch

from limpide.baselines.compare import FROZEN_WORK, WIDTH, Budget
from limpide.baselines.simple_models import logistic_work, max_drawn
from limpide.core.errors import ModelError
from limpide.core.events import Event, Progress
from limpide.core.recipe import Recipe
from limpide.core.run_info import Quoted
from limpide.deploy.export import check_exportable
from limpide.interpret.shortcut import LOOKS, choose_labels
from limpide.models import is_outside, multiply_adds, pretrained
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training import timing
from limpide.training.augment import decide_augmentation
from limpide.training.frozen_features import BATCH
from limpide.training.linear_head import seconds_an_image
from limpide.training.start import start_state
from limpide.training.threads import ThreadChoice, choose_threads
from limpide.workflows.judge import INSIDE_SECONDS, PASTED_WORK
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.deadline import FINE_TUNING, FITTING
from limpide.workflows.train.judging_memory import judging_bytes
from limpide.workflows.train.minimum_time import HEAD_SECONDS, SEAL_SECONDS, decoding_seconds, score_seconds
from limpide.workflows.train.seal import MAX_IMAGES
from limpide.workflows.train.train_stats import sample_size

# of the time that is left serves for fitting, the rest for simpler models and for what was timed too short
SPARE = 0.85
LOAD_SECONDS = 1.0  # a pretrained network to compare with
FOREST_WORK = 0.8e11  # multiply-adds that would take as long as a whole forest
PATIENCE = (3, 4)  # passes: at least three, else a quarter of those planned


def estimate_work(job: TrainContext) -> Iterator[Event]:
    """Times a few steps on a copy and writes down, once, how many steps there will be and what they should take."""
    if job.done("quote"):
        return
    job.memory.mark()  # unpacking a download, or reading, may have held more than it left behind
    yield Progress(message(N_("timing a few steps")))
    train_batches, validation = job.batches("train"), job.validation()
    model = _accepted(job)
    p, known = job.pixels().preprocessing, pretrained(job.recipe)
    work = multiply_adds(model, p.channels, p.size)
    state = start_state(model, job.recipe, 1)
    augment = decide_augmentation(job.recipe, None, job.seen.grey)
    timed = partial(timing.time_steps, state, train_batches, validation, job.recipe, augment)
    threads = choose_threads(timed, torch.device(job.recipe.device))
    speed = threads.speed
    if known:
        yield Progress(message(N_("timing the pretrained network")))
    each = _frozen_seconds(job) if known else 0.0  # s an image
    passed = job.deadline.passed()
    looked_at = {part: len(job.frozen_rows(part)) if known else 0 for part in ("train", "validation", "test")}
    frozen = (looked_at["train"] + looked_at["validation"]) * each + (HEAD_SECONDS if known else 0.0)
    after, pasted = _score_seconds(job, speed.image, each, work), _pasted_seconds(job, work, each or speed.image)
    look = len(validation.rows) * speed.image
    left = None
    if job.recipe.time is not None:
        left = max(
            (job.recipe.time - passed - frozen - after - pasted) * SPARE, 0.0 if known else FITTING * job.recipe.time
        )
    steps = timing.steps_for(job.recipe, speed, train_batches, validation, job.seen.grey, left, work)
    if blind := known and not len(validation.rows):
        steps = 0
    epochs = steps / len(train_batches)
    fitting = steps * speed.step + math.ceil(epochs) * look
    more = _rival_seconds(job) + looked_at["test"] * each + INSIDE_SECONDS + pasted
    if job.recipe.time is not None:  # beyond what was asked for it is left out
        more = min(more, max(0.0, job.recipe.time - passed - frozen - fitting - after))
    total = passed + frozen + fitting + after + more
    first = passed + (frozen or fitting + SEAL_SECONDS / 2)
    job.memory.look()
    del state, timed
    machine.release_memory()
    memory = max(job.memory.peak, job.memory.recent, machine.memory_own() + judging_bytes(job, model))
    quoted = Quoted(total, fitting, memory, first, speed.step, look, after, pasted)
    recipe = job.recipe.but(
        epochs=max(1, math.ceil(epochs)), patience=job.recipe.patience or max(PATIENCE[0], int(epochs) // PATIENCE[1])
    )
    if recipe.flip == "auto" and not pretrained(recipe):
        recipe = recipe.but(flip="no")
    job.recipe = recipe
    if threads.number:
        yield job.say("decision", _busy(threads))
    if steps or not frozen:
        yield job.say(
            "decision",
            message(
                N_("passes over the training part: {epochs:number} ({steps:count} steps)"), epochs=epochs, steps=steps
            ),
        )
    elif blind:
        yield job.say("decision", _blind(job.info.wanted.get("epochs")))
    else:
        yield job.say(
            "decision", message(N_("no fine-tuning: there is no time left for it, and the first model is kept"))
        )
    yield job.say(
        "quote",
        message(
            N_("about {seconds:duration} in all, a first model after {first:duration}, {memory:bytes} of memory"),
            seconds=total,
            first=first,
            memory=memory,
        ),
    )
    if job.recipe.time is not None and total > job.recipe.time:
        says = N_("that is more than the {asked:duration} asked for, as the score is never left out")
        yield job.say("decision", message(says, asked=job.recipe.time))
    usual = timing.default_passes(recipe, len(train_batches.rows), work, job.seen.grey)[1]
    if job.recipe.time is None and job.info.wanted.get("epochs") is None and epochs < usual and not blind:
        says = N_(
            "that is fewer than the usual {usual:count}, as so many images are much work: --epochs or --time "
            "asks for more"
        )
        yield job.say("decision", message(says, usual=usual))
    left_out = [FINE_TUNING] if not steps and not blind and job.recipe.time is not None else []
    job.enter(
        "first",
        steps=steps,
        epochs=epochs,
        quote=quoted,
        recipe=recipe.to_json(),
        left_out=left_out,
        threads=threads.number,
    )


def _blind(asked: float | None) -> Message:
    """asked: passes that the user asked for."""
    if asked is None:
        return message(
            N_(
                "no fine-tuning: there is no validation image to judge it by, so the first model is kept — more "
                "images, or groups, of each class give some"
            )
        )
    says = N_(
        "no fine-tuning, though passes were asked for ({epochs:number}): there is no validation image to judge "
        "it by, so the first model is kept — more images, or groups, of each class give some"
    )
    return message(says, epochs=asked)


def _busy(threads: ThreadChoice) -> Message:
    says = N_(
        "other work takes {share:percent} of the processor: with {fewer:count} of {all:count} threads a step is "
        "{gain:number} times as fast"
    )
    return message(says, share=threads.others, fewer=threads.number, all=torch.get_num_threads(), gain=threads.gain)


def _accepted(job: TrainContext) -> torch.nn.Module:
    """The fresh network. One from outside limpide is refused before anything is learned when it could not
    be shipped.
    """
    preprocessing = job.pixels().preprocessing
    try:
        if is_outside(job.recipe.model):
            check_exportable(job.network(preprocessing), preprocessing)
        return job.network(preprocessing)
    except ModelError:
        job.run.update(status="refused")  # once it is mended, the same command starts afresh
        raise


def _score_seconds(job: TrainContext, image: float, each: float, work: int) -> float:
    """What is never left out, calibrating and statistics included. image, each: seconds an image through the network,
    and the frozen one; work: multiply-adds of one.
    """
    looked_at = min(len(job.rows("train")) + len(job.rows("validation")), sample_size(job.recipe.time, work))
    calibrating = min(MAX_IMAGES, len(job.rows("calibration")) or len(job.rows("validation"))) * max(image, each)
    decoding = decoding_seconds(job.dataset, (job.pixels().preprocessing,))
    return calibrating + looked_at * max(image, each) + score_seconds(len(job.rows("test")), decoding, max(image, each))


def _pasted_seconds(job: TrainContext, work: int, image: float) -> float:
    """What asking for shortcuts will take. image: seconds an image through the network, or the frozen one at its size;
    work: multiply-adds of one.
    """
    p = job.pixels().preprocessing
    looked_at = choose_labels(job.dataset.labels[job.rows("test")], work, PASTED_WORK)
    smaller = (p.size / job.frozen_pixels().preprocessing.size) ** 2 if pretrained(job.recipe) else 1.0
    return len(looked_at) * LOOKS * image * smaller


def baseline_budget(recipe: Recipe) -> Budget:
    """What a simpler model may cost: work, and seconds only where a time was asked for."""
    return Budget() if recipe.time is None else Budget(seconds=max(2.0, recipe.time * 0.07))


def _rival_seconds(job: TrainContext) -> float:
    """What the simpler models will take, all together, at a speed measured here and now."""
    budget, sizes, speed = baseline_budget(job.recipe), job.sizes(), _speed()
    images = sizes.images(budget)
    works = {
        "logistic": images["logistic"] * logistic_work(sizes.values, sizes.classes),
        "forest": FOREST_WORK * min(1.0, images["forest"] / max_drawn(sizes.values, sizes.classes)),
        "nearest": images["nearest"] * sizes.few * sizes.values,
        "frozen": (images["frozen"] + sizes.few) * FROZEN_WORK,
    }
    if pretrained(job.recipe):
        works |= {"nearest": images["nearest_features"] * sizes.few * WIDTH, "frozen": 0}
    each = [work / speed for work in works.values()]
    if budget.seconds is not None:
        each = [min(seconds, budget.seconds) for seconds in each]
    return sum(each) + (0.0 if pretrained(job.recipe) else LOAD_SECONDS)


def _speed() -> float:
    """Multiply-adds a second of a product as flat as those of the simpler models, on this machine as busy as it is."""
    images, weights = torch.ones(4096, 784), torch.ones(784, 10)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        images @ weights
        seconds.append(time.perf_counter() - began)
    return 4096 * 784 * 10 / float(min(seconds[1:]))


def _frozen_seconds(job: TrainContext) -> float:
    """Seconds an image through the frozen network."""
    pixels = job.frozen_pixels()
    return seconds_an_image(
        job.network(pixels.preprocessing), pixels, job.frozen_rows("train")[:BATCH], torch.device(job.recipe.device)
    )
