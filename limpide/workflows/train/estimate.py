"""quote: estimate steps, time and memory; they are recorded once, so that a resume and a replay are exact."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from limpide.core.cost import Facts, FrozenFacts
from limpide.core.errors import ModelError, UsageError
from limpide.core.events import Event, Note, Progress
from limpide.core.recipe import Recipe
from limpide.core.run_info import Quoted
from limpide.data.dataset import PARTS
from limpide.deploy.export import check_exportable
from limpide.judging.registry import after_training, seconds_of
from limpide.models import activations, is_outside, multiply_adds, parameters, pretrained
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training import timing
from limpide.training.augment import FEW_EPOCHS, decide_augmentation
from limpide.training.augment.mirroring import ASKED, LEARNED, has_sided_classes, mirroring_keeps_class
from limpide.training.class_balance import has_bias, is_uneven
from limpide.training.defaults import may_tune
from limpide.training.frozen_features import BATCH
from limpide.training.linear_head import seconds_an_image
from limpide.training.optim.schedules import PLATEAU_EPOCHS, parse_schedule
from limpide.training.start import start_state
from limpide.training.state import TrainState
from limpide.training.threads import ThreadChoice, choose_threads
from limpide.training.views import View, looks_of, seconds_in
from limpide.workflows.judge import cost_of_score, judging_bytes
from limpide.workflows.train import first_model, fit, seal
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.deadline import FINE_TUNING, FITTING
from limpide.workflows.train.minimum_time import decoding_seconds
from limpide.workflows.train.views import choose_views

# share of the time left that is for fitting; the rest is for simpler models and for estimates that were too short
SPARE = 0.85
PATIENCE = (3, 4)  # epochs: at least three, else a quarter of those planned


@dataclass(frozen=True)
class Work:
    """The work to do, and the time that it takes: seconds, except for the first four."""

    steps: int
    epochs: float
    blind: bool  # a pretrained network, and no validation image to judge fine-tuning by
    tunes: bool  # whether to fine-tune if there is time
    passed: float  # before this estimate
    frozen: float  # the first model, of a pretrained network
    fitting: float
    look: float  # one evaluation on the validation part
    after: float  # sealing, score and report, which are never left out
    audits: dict[str, float]  # each audit that may be left out
    more: float  # all of those, as far as there is time

    @property
    def total(self) -> float:
        return self.passed + self.frozen + self.fitting + self.after + self.more

    @property
    def first(self) -> float:
        """The time until there is a first model."""
        return self.passed + (self.frozen or self.fitting + seal.SECONDS / 2)


def estimate_work(job: TrainContext) -> Iterator[Event]:
    """Time a few steps on a copy; record, once, the number of steps and the time that they should take."""
    if job.done("quote"):
        return
    job.memory.mark()  # unpacking a download, or reading, may have held more than is in use now
    model, steps = _accepted(job), not job.recipe.folds or may_tune(job.recipe)
    if steps:
        yield Progress(message(N_("timing a few steps")))
    threads, state = _timed_steps(job, model) if steps else (_untimed(job), None)
    if pretrained(job.recipe):
        yield Progress(message(N_("timing the pretrained network")))
    facts, views = _facts(job, model, threads.speed.image)
    work = _work(job, facts, threads.speed)
    job.memory.look()
    del state
    machine.release_memory()
    memory = max(job.memory.peak, job.memory.recent, machine.memory_own() + int(_held_later(facts)))
    job.recipe = _decided(job.recipe, work)
    yield from _settle_flip(job, work.epochs)
    yield from _settle_balance(job, model)
    if len(looks_of(views)) > 1:
        yield job.say("decision", _looks_closer(views, facts))
    yield from _announce(job, work, threads, memory, facts.multiply_adds)
    speed = threads.speed
    job.enter(
        "first",
        steps=work.steps,
        epochs=work.epochs,
        quote=Quoted(work.total, work.fitting, memory, work.first, speed.step, work.look, work.after, work.audits),
        recipe=job.recipe.to_json(),
        left_out=[FINE_TUNING] if not work.steps and work.tunes and job.recipe.time is not None else [],
        threads=threads.number,
        views=[view.name for view in views],
    )


def _untimed(job: TrainContext) -> ThreadChoice:
    """For a training without steps: an image takes as long as in the frozen network."""
    return ThreadChoice(timing.StepTime(0.0, _frozen_seconds(job)))


def _timed_steps(job: TrainContext, model: nn.Module) -> tuple[ThreadChoice, TrainState]:
    """(the choice, with the time of a step; the state, which holds the memory of the training)."""
    state = start_state(model, job.recipe, 1)
    augment = decide_augmentation(job.recipe, None, job.seen.grey, len(job.dataset.learned_classes))
    timed = partial(timing.time_steps, state, job.batches("train"), job.validation(), job.recipe, augment)
    threads = choose_threads(timed, torch.device(job.recipe.device))
    if job.recipe.folds:  # no validation image was timed
        threads = replace(threads, speed=replace(threads.speed, image=_frozen_seconds(job)))
    return threads, state


def _facts(job: TrainContext, model: nn.Module, image: float) -> tuple[Facts, list[View]]:
    """(the facts; the views, if folds choose one). The facts are those of the dearest view, as it may have to be sealed
    and judged. image: s, through the network, in the first view.
    """
    p, rows = job.pixels().preprocessing, {part: job.rows(part) for part in PARTS[1:]}
    frozen, views = _frozen_facts(job)
    memory = activations(model, p.channels, max(p.size, frozen.size if frozen else 0))
    facts = Facts(
        train=len(rows["train"]),
        validation=len(rows["validation"]),
        calibration=len(rows["calibration"]),
        test=len(job.judged_rows()),
        classes=len(job.dataset.learned_classes),
        classes_tested=len(set(job.dataset.labels[job.judged_rows()].tolist())),
        size=p.size,
        channels=p.channels,
        multiply_adds=multiply_adds(model, p.channels, p.size),
        parameter_bytes=4 * parameters(model),
        activation_bytes=memory.all,
        layer_bytes=memory.largest,
        image_seconds=seconds_in(views[-1], views[0], image) if views else _passes(job.recipe) * image,
        decoding_seconds=decoding_seconds(job.dataset, (p,)),
        multiply_adds_a_second=_speed(),
        asked=job.recipe.time,
        frozen=frozen,
        folds=job.recipe.folds or 0,
        has_rare_class=_has_rare_class(job),
    )
    return facts, views


def _passes(recipe: Recipe) -> int:
    """How often an image passes through the network for an answer, at most: its mirror image may follow it."""
    return 1 if pretrained(recipe) or recipe.average_mirrored == "no" else 2


def _has_rare_class(job: TrainContext) -> bool:
    is_balanced, two = job.recipe.balance != "no", len(job.dataset.learned_classes) == 2
    return is_balanced and two and is_uneven(job.dataset.labels[job.rows("train")])


def _looks_closer(views: list[View], facts: Facts) -> Message:
    says = N_(
        "the images are large: where smaller squares leave errors, squares of {sizes} px are tried, too, to find "
        "out whether small things count; this takes {seconds:duration} at most"
    )
    sizes = ", ".join(str(look[0].size) for look in looks_of(views)[1:])
    return message(says, sizes=sizes, seconds=facts.frozen.views if facts.frozen else 0.0)


def _frozen_facts(job: TrainContext) -> tuple[FrozenFacts | None, list[View]]:
    if not pretrained(job.recipe):
        return None, []
    n = {part: len(job.frozen_rows(part)) for part in ("train", "validation", "test")}
    seconds = _frozen_seconds(job)
    views, more = choose_views(job, seconds) if job.recipe.folds else ([job.view()], 0.0)
    learned = n["train"] + n["validation"]
    return FrozenFacts(views[-1].size, seconds, learned, n["test"], more), views if job.recipe.folds else []


def _work(job: TrainContext, facts: Facts, speed: timing.StepTime) -> Work:
    time_limit, has_frozen, passed = job.recipe.time, facts.frozen is not None, job.deadline.passed()
    train, validation = job.batches("train"), job.validation()
    frozen, after, audits = first_model.cost(facts).seconds, _score_seconds(facts), seconds_of(facts)
    left = None
    if time_limit is not None:
        reserved = sum(audits[one.name] for one in after_training() if one.reserved)
        left = max(
            (time_limit - passed - frozen - after - reserved) * SPARE, 0.0 if has_frozen else FITTING * time_limit
        )
    steps = 0
    if facts.folds:
        steps = timing.steps_in_folds(job.recipe, speed, train, left) if may_tune(job.recipe) else 0
    else:
        steps = timing.steps_for(job.recipe, speed, train, validation, job.seen.grey, left, facts.multiply_adds)
    if blind := has_frozen and not facts.validation and not facts.folds:
        steps = 0
    sample = fit.training_sample(job)
    epochs, looked_at = steps / max(1, len(train)), facts.validation + (len(sample.rows) if sample else 0)
    look = looked_at * speed.image
    fitting = max(1, facts.folds) * fit.cost(steps, epochs, speed.step, look).seconds
    more = sum(audits.values())
    if time_limit is not None:  # what exceeds the limit is left out
        more = min(more, max(0.0, time_limit - passed - frozen - fitting - after))
    tunes = may_tune(job.recipe) if facts.folds else not blind
    return Work(steps, epochs, blind, tunes, passed, frozen, fitting, look, after, audits, more)


def _score_seconds(facts: Facts) -> float:
    """The time, s, of what is never left out, including calibration."""
    return (seal.cost(facts) + cost_of_score(facts)).seconds


def _held_later(facts: Facts) -> float:
    """The most bytes that sealing or judging holds, beyond those in use when nothing is trained."""
    return max(seal.cost(facts).bytes, judging_bytes(facts))


def _decided(recipe: Recipe, work: Work) -> Recipe:
    """The recipe with the choices that depend on the number of steps."""
    patience = recipe.patience or _default_patience(recipe, work.epochs)
    return recipe.but(epochs=max(1, math.ceil(work.epochs)), patience=patience)


def _default_patience(recipe: Recipe, epochs: float) -> int:
    """A quarter of the epochs, at least three. A rate that falls on a plateau needs time to act twice; who asks for the
    last weights wants all epochs.
    """
    patience = max(PATIENCE[0], int(epochs) // PATIENCE[1])
    if recipe.schedule.startswith("plateau"):
        waits = parse_schedule(recipe.schedule)[1] or (PLATEAU_EPOCHS,)
        patience = max(patience, 2 * (int(waits[0]) + 1) + 1)
    return max(patience, math.ceil(epochs)) if recipe.keep == "last" else patience


def _settle_flip(job: TrainContext, epochs: float) -> Iterator[Note]:
    """Decide whether images are mirrored, if the user did not; of a pretrained network, its first model decides."""
    recipe, changes = job.recipe, job.recipe.augment.split(",")
    if recipe.flip != "auto":
        return
    flip, says = "no", None
    if "flip" in changes:
        flip = "yes"
        if has_sided_classes(job.dataset.learned_classes):
            says = message(N_("images are mirrored, as asked, although the names of the classes say that sides matter"))
    elif recipe.augment not in ("auto", "light", "strong"):
        pass
    elif pretrained(recipe):
        return
    elif recipe.augment != "auto" or epochs > FEW_EPOCHS or not job.seen.grey:
        flip, says = _ask_neighbors(job)
    job.recipe = recipe.but(flip=flip)
    if says is not None:
        yield job.say("decision", says)


def _ask_neighbors(job: TrainContext) -> tuple[str, Message | None]:
    random, rows = np.random.default_rng(0), {part: job.rows(part) for part in ("train", "validation")}
    learned, asked = random.permutation(rows["train"])[:LEARNED], random.permutation(rows["validation"])[:ASKED]
    if not len(learned) or not len(asked):
        return "no", None
    if has_sided_classes(job.dataset.learned_classes):
        says = N_("images are not mirrored: the names of the classes say that sides matter (--flip yes mirrors them)")
        return "no", message(says)
    labels, pixels = job.dataset.labels, job.pixels()
    keeps, says_how = mirroring_keeps_class(pixels.take(learned), labels[learned], pixels.take(asked), labels[asked])
    return "yes" if keeps else "no", says_how


def _settle_balance(job: TrainContext, model: nn.Module) -> Iterator[Note]:
    """Decide whether a rare class counts as much as a frequent one, if the user did not."""
    labels = job.dataset.labels[job.rows("train")]
    if job.recipe.balance == "auto":
        # The shares of the classes are taken off logits, and only cross-entropy makes logits of probabilities.
        uneven = is_uneven(labels) and has_bias(model) and job.recipe.loss == "cross-entropy"
        job.recipe = job.recipe.but(balance="yes" if uneven else "no")
        if uneven:
            counts = np.bincount(labels)
            says = N_(
                "the largest class has {ratio:number} times as many images as the smallest: a rare class counts "
                "as much as a frequent one (--balance no leaves the classes as they are)"
            )
            yield job.say("decision", message(says, ratio=round(float(counts.max() / counts[counts > 0].min()), 1)))
    elif job.recipe.balance == "yes" and not has_bias(model):
        job.run.update(status="refused")
        raise UsageError("L175", where=f"balance=yes model={job.recipe.model}")


def _announce(job: TrainContext, work: Work, threads: ThreadChoice, memory: float, each: int) -> Iterator[Note]:
    """Report the decisions and the quote. each: multiply-adds of one image."""
    recipe, epochs_asked = job.recipe, job.info.wanted.get("epochs")
    if threads.number:
        yield job.say("decision", _busy(threads))
    if work.steps and recipe.folds:
        says = N_(
            "the network is fine-tuned once without each of the {folds:count} folds, and then on all images, for "
            "{epochs:count} epochs each time"
        )
        yield job.say("decision", message(says, epochs=work.epochs, folds=recipe.folds))
    elif work.steps or not work.frozen:
        says = N_("epochs on the training part: {epochs:number} ({steps:count} steps)")
        yield job.say("decision", message(says, epochs=work.epochs, steps=work.steps))
    elif recipe.folds and not work.tunes:
        pass  # the reason was reported when folds were chosen
    elif work.blind:
        yield job.say("decision", _blind(epochs_asked))
    else:
        yield job.say(
            "decision", message(N_("no fine-tuning: there is no time left for it, so the first model is kept"))
        )
    says = N_("about {seconds:duration} in all, a first model after {first:duration}, {memory:bytes} of memory")
    yield job.say("quote", message(says, seconds=work.total, first=work.first, memory=memory))
    if recipe.time is not None and work.total > recipe.time:
        says = N_("that is more than the {asked:duration} asked for, as the score is never left out")
        yield job.say("decision", message(says, asked=recipe.time))
    if recipe.folds:
        return
    usual = timing.choose_epochs(recipe, len(job.rows("train")), each, job.seen.grey)[1]
    if recipe.time is None and epochs_asked is None and work.epochs < usual and not work.blind:
        says = N_(
            "fewer epochs than the usual {usual:count}, as this many images take long: --epochs or --time asks for more"
        )
        yield job.say("decision", message(says, usual=usual))


def _blind(epochs: float | None) -> Message:
    """epochs: the number that the user asked for."""
    if epochs is None:
        return message(
            N_(
                "no fine-tuning: there is no validation image to judge it by, so the first model is kept — with "
                "more images, or groups, of each class there would be some"
            )
        )
    says = N_(
        "no fine-tuning, though epochs were asked for ({epochs:number}): there is no validation image to judge "
        "it by, so the first model is kept — with more images, or groups, of each class there would be some"
    )
    return message(says, epochs=epochs)


def _busy(threads: ThreadChoice) -> Message:
    says = N_(
        "other work takes {share:percent} of the processor: with {fewer:count} of {all:count} threads a step is "
        "{gain:number} times as fast"
    )
    return message(says, share=threads.others, fewer=threads.number, all=torch.get_num_threads(), gain=threads.gain)


def _accepted(job: TrainContext) -> nn.Module:
    """The fresh network. A network from outside limpide that could not be shipped is refused before anything is
    learned.
    """
    preprocessing = job.pixels().preprocessing
    try:
        if is_outside(job.recipe.model):
            check_exportable(job.network(preprocessing), preprocessing)
        return job.network(preprocessing)
    except (ModelError, UsageError):
        job.run.update(status="refused")  # once it is fixed, the same command starts afresh
        raise


def _speed() -> float:
    """Multiply-adds per second of a product as flat as those of the simpler models, at the present load."""
    images, weights = torch.ones(4096, 784), torch.ones(784, 10)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        images @ weights
        seconds.append(time.perf_counter() - began)
    return 4096 * 784 * 10 / float(min(seconds[1:]))


def _frozen_seconds(job: TrainContext) -> float:
    """Seconds per image through the frozen network."""
    pixels = job.frozen_pixels()
    return seconds_an_image(
        job.frozen_network(), pixels, job.frozen_rows("train")[:BATCH], torch.device(job.recipe.device)
    )
