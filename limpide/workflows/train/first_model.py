"""first: frozen features and a linear head, so that a usable model is saved within seconds."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.recipe_field import QUARTERS, WHOLE
from limpide.core.run_info import FrozenHead, require
from limpide.data.read_images import Pixels
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.models import pretrained
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training.linear_head import Head, fit_head, frozen_features, load_features, log_loss, set_head
from limpide.training.temperature import Temperature
from limpide.training.weights import save_weights
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.fold_head import fit_in_folds
from limpide.workflows.train.views import Mirrored

SECONDS = 3.0  # fitting its last layer and exporting it, about
FOLD_SECONDS = 0.003  # s per image and class, to fit the layers of all folds
ENOUGH_HELD = 100  # validation images; if all of fewer are correct, that may be luck
# With at most this many errors, and at most this share of the images, fine-tuning could not be shown to do better: if
# it corrected all of them, a sign test would give p = 2 · 0.5⁵ = 0.06.
FEW_ERRORS, ERROR_SHARE = 5, 0.025
WEAK = 0.9  # share of a class that is found, below which its few errors are many
FLIP_IMAGES = 20  # validation images that are needed to find out whether mirroring is harmless
FLIP_LOSS = 0.05  # loss of validation accuracy allowed on mirrored images; letters and digits lose far more


@dataclass(frozen=True)
class _Fitted:
    """A last layer on frozen features, and its results on validation."""

    head: Head
    rows: dict[str, np.ndarray]  # part → its images
    validation_images: int  # the number that it was scored on
    accuracy: float
    loss: float
    seconds: float  # to compute the features and fit the layer
    head_seconds: float  # to fit the layer
    weakest: float = 1.0  # share found of the class of which the folds find least
    temperature: Temperature | None = None  # from the folds, if there are any


def first_model(job: TrainContext) -> Iterator[Event]:
    if job.done("first"):
        return
    if not pretrained(job.recipe):
        job.enter("folds")
        return
    pixels = job.frozen_pixels()
    model = job.frozen_network()
    fitted = yield from (_fit_in_folds(job) if job.recipe.folds else _fit_last_layer(job, model, pixels))
    if job.recipe.folds:  # they chose the view
        pixels, model = job.frozen_pixels(), job.frozen_network()
    set_head(model, fitted.head)
    save_weights(model, job.run.snapshots / "first.safetensors")
    machine.release_memory()
    yield Progress(message(N_("writing the first model")))
    export(model, pixels.preprocessing, job.dataset.learned_classes, job.run.model_file, name=job.view().network)
    ready = job.deadline.passed()
    if not job.recipe.folds:
        yield from _decide_flip(job, model, fitted)
    says = (
        N_("a first model is ready: {accuracy:percent} of {n:count} validation images correct")
        if fitted.validation_images
        else N_("a first model is ready")
    )
    if job.recipe.folds:
        says = N_(
            "a model is ready: {accuracy:percent} of {n:count} images correct, each judged by a model that "
            "had not seen it"
        )
    yield job.say("saved", message(says, accuracy=fitted.accuracy, n=fitted.validation_images))
    steps = require(job.info.steps, "steps")
    if (steps or not job.recipe.folds) and _is_enough(job, fitted):
        steps = 0
        yield from _say_enough(job, fitted)
    job.enter(
        "folds",
        steps=steps,
        frozen=_record(job, fitted),
        temperature=fitted.temperature,
        first_model_seconds=ready,
        recipe=job.recipe.to_json(),
    )


def _fit_last_layer(job: TrainContext, model: torch.nn.Module, pixels: Pixels) -> Generator[Event, None, _Fitted]:
    """Yield progress and return the layer."""
    began = time.monotonic()
    labels, cache, device = job.dataset.labels, job.run.cache, torch.device(job.recipe.device)
    rows = {part: job.frozen_rows(part) for part in ("train", "validation")}
    for part in rows:
        yield from frozen_features(model, pixels, rows[part], cache, device)
        machine.release_memory()
    features = {part: load_features(pixels, rows[part], cache) for part in rows if len(rows[part])}
    width = features["train"].shape[1]
    validation = features.get("validation", np.zeros((0, width), np.float32))
    yield Progress(message(N_("fitting a last layer on the features of the pretrained network")))
    fitting = time.monotonic()
    truth = labels[rows["validation"]]
    head = fit_head(features["train"], labels[rows["train"]], validation, truth, len(job.dataset.learned_classes))
    now = time.monotonic()
    logits = head.logits(validation)
    accuracy = float((logits.argmax(1) == truth).mean()) if len(validation) else 0.0
    loss = log_loss(logits, truth) if len(validation) else 0.0
    return _Fitted(head, rows, len(validation), accuracy, loss, now - began, now - fitting)


def _fit_in_folds(job: TrainContext) -> Generator[Event, None, _Fitted]:
    """The same for few images: the score is that of the folds, whose heads are kept."""
    fit = yield from fit_in_folds(job)
    rows, logits = job.rows("train"), fit.found.logits
    judged = ~np.isnan(logits[:, 0])
    logits, truth = logits[judged], job.dataset.labels[rows[judged]]
    return _Fitted(
        fit.found.head,
        {"train": rows, "validation": np.zeros(0, np.int32)},
        len(truth),
        float((logits.argmax(1) == truth).mean()),
        log_loss(logits, truth),
        fit.seconds,
        fit.head_seconds,
        min((float((logits[truth == k].argmax(1) == k).mean()) for k in np.unique(truth)), default=1.0),
        fit.found.temperature,
    )


def _decide_flip(job: TrainContext, model: torch.nn.Module, fitted: _Fitted) -> Iterator[Event]:
    """Decide `flip` of the recipe if it is auto."""
    if job.recipe.flip != "auto":
        return
    if not job.info.steps:  # no training follows that could show mirrored images
        job.recipe = job.recipe.but(flip="no")
        return
    yield Progress(message(N_("testing the first model on mirrored images")))
    flip, why = _ask_mirrored(job, model, fitted.head, fitted.rows["validation"], fitted.accuracy)
    job.recipe = job.recipe.but(flip=flip)
    yield job.say("decision", why)


def _is_enough(job: TrainContext, fitted: _Fitted) -> bool:
    """Whether fine-tuning could not be shown to do better, and the user did not ask for it."""
    if job.recipe.folds:  # larger squares were chosen, or hardly any errors are left
        return (_sees_squares(job) or _has_few_errors(job, fitted)) and job.info.wanted.get("epochs") is None
    all_right = fitted.validation_images == len(job.rows("validation")) and fitted.accuracy == 1.0
    return fitted.validation_images >= ENOUGH_HELD and all_right and job.info.wanted.get("epochs") is None


def _sees_squares(job: TrainContext) -> bool:
    return job.recipe.view not in (WHOLE, QUARTERS)


def _has_few_errors(job: TrainContext, fitted: _Fitted) -> bool:
    """Whether the folds make few errors. If a rare class counts as much as a frequent one, each of its images
    matters.
    """
    errors = _count_errors(fitted)
    most = 0 if job.recipe.balance == "yes" else min(FEW_ERRORS, ERROR_SHARE * fitted.validation_images)
    return errors <= most and (errors == 0 or fitted.weakest >= WEAK)


def _count_errors(fitted: _Fitted) -> int:
    return round((1 - fitted.accuracy) * fitted.validation_images)


def _say_enough(job: TrainContext, fitted: _Fitted) -> Iterator[Event]:
    says = N_("no fine-tuning: all validation images are already correct (--epochs asks for it anyway)")
    if job.recipe.folds:
        says = N_(
            "no fine-tuning: in the folds, all images are already correct (--folds 5 --epochs 8 asks for it anyway)"
        )
        if fitted.accuracy < 1.0 and _sees_squares(job):
            says = N_(
                "no fine-tuning: it sees small squares, in which small things are lost (--folds 5 --epochs 8 "
                "asks for it anyway)"
            )
        elif fitted.accuracy < 1.0:
            says = N_(
                "no fine-tuning: the folds get {wrong:count} of {n:count} images wrong, too few to show that it "
                "does better (--folds 5 --epochs 8 asks for it anyway)"
            )
    yield job.say("decision", message(says, wrong=_count_errors(fitted), n=fitted.validation_images))


def _record(job: TrainContext, fitted: _Fitted) -> FrozenHead:
    train, ms = fitted.rows["train"], _milliseconds(job, fitted.rows["train"])
    strength, seconds, head_seconds = fitted.head.strength, fitted.seconds, fitted.head_seconds
    return FrozenHead(
        fitted.accuracy, fitted.loss, len(train), fitted.validation_images, strength, seconds, head_seconds, ms
    )


def cost(facts: Facts) -> Cost:
    """The cost of its features and its last layer; none for a network from scratch."""
    if facts.frozen is None:
        return Cost()
    if not facts.folds:
        return Cost(facts.frozen.learned * facts.frozen.seconds + SECONDS)
    looks = 2 * facts.frozen.learned * facts.frozen.seconds + facts.frozen.views  # mirrored, too
    return Cost(looks + facts.frozen.learned * facts.classes * FOLD_SECONDS + SECONDS)


def _milliseconds(job: TrainContext, rows: np.ndarray) -> float:
    """The time, ms, in which the first model classifies one image: its file will be overwritten by a better one."""
    predictor = Predictor(job.run.model_file)
    return predictor.milliseconds(job.dataset.images.image(int(rows[0]), predictor.preprocessing.jpeg_side))


def _ask_mirrored(
    job: TrainContext, model: torch.nn.Module, head: Head, rows: np.ndarray, accuracy: float
) -> tuple[str, Message]:
    """Mirroring is harmless if the first model still classifies mirrored validation images correctly (of letters and
    digits, it does not).
    """
    rows = rows[:256]
    if len(rows) < FLIP_IMAGES:
        says = N_(
            "no mirroring while training: it takes {least:count} validation images (here: {n:count}) to know "
            "whether it is harmless"
        )
        return "no", message(says, least=FLIP_IMAGES, n=len(rows))
    pixels = job.frozen_pixels()
    mirrored = Mirrored(pixels)
    folder = job.run.cache / "mirrored"
    folder.mkdir(exist_ok=True)
    for _ in frozen_features(model, mirrored, rows, folder, torch.device(job.recipe.device)):
        pass
    predicted = head.logits(load_features(mirrored, rows, folder)).argmax(1)
    share = float((predicted == job.dataset.labels[rows]).mean())
    yes = share >= accuracy - FLIP_LOSS
    says = N_(
        "images are mirrored while training: the first model classifies {share:percent} of the mirrored images "
        "correctly, {accuracy:percent} of the originals"
    )
    if not yes:
        says = N_(
            "no mirroring while training: the first model classifies {share:percent} of the mirrored images "
            "correctly, {accuracy:percent} of the originals"
        )
    return ("yes" if yes else "no"), message(says, share=share, accuracy=accuracy)
