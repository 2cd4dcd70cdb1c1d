"""first: frozen features and a linear head, so that a usable model is saved within seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch

from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.run_info import FrozenHead, require
from limpide.data.read_images import Pixels
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.models import pretrained
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training.build import save_weights
from limpide.training.linear_head import Head, fit_head, frozen_features, load_features, log_loss, set_head
from limpide.workflows.train.context import TrainContext

SECONDS = 3.0  # fitting its last layer and exporting it, about
ENOUGH_HELD = 100  # validation images; when all of fewer are right, that may be luck
FLIP_IMAGES = 20  # validation images that tell whether mirroring is harmless
FLIP_LOSS = 0.05  # share of validation that may be lost on mirrored images; letters and digits lose far more


def first_model(job: TrainContext) -> Iterator[Event]:
    if job.done("first"):
        return
    if not pretrained(job.recipe):
        job.enter("fit")
        return
    began = time.monotonic()
    pixels, labels, cache = job.frozen_pixels(), job.dataset.labels, job.run.cache
    model, device = job.network(pixels.preprocessing), torch.device(job.recipe.device)
    rows = {part: job.frozen_rows(part) for part in ("train", "validation")}
    for part in rows:
        yield from frozen_features(model, pixels, rows[part], cache, device)
        machine.release_memory()
    features = {part: load_features(pixels, rows[part], cache) for part in rows if len(rows[part])}
    width = features["train"].shape[1]
    held = features.get("validation", np.zeros((0, width), np.float32))
    yield Progress(message(N_("fitting a last layer on what the pretrained network sees")))
    fitting = time.monotonic()
    head = fit_head(
        features["train"], labels[rows["train"]], held, labels[rows["validation"]], len(job.dataset.learned_classes)
    )
    now = time.monotonic()
    seconds, head_seconds = now - began, now - fitting
    logits = head.logits(held)
    accuracy = float((logits.argmax(1) == labels[rows["validation"]]).mean()) if len(held) else 0.0
    loss = log_loss(logits, labels[rows["validation"]]) if len(held) else 0.0
    set_head(model, head)
    save_weights(model, job.run.snapshots / "first.safetensors")
    machine.release_memory()
    yield Progress(message(N_("writing the first model")))
    export(model, pixels.preprocessing, job.dataset.learned_classes, job.run.model_file, name=job.recipe.model)
    ready = job.deadline.passed()
    if job.recipe.flip == "auto" and not job.info.steps:  # nothing is trained that could be shown mirrored
        job.recipe = job.recipe.but(flip="no")
    elif job.recipe.flip == "auto":
        yield Progress(message(N_("asking whether mirrored images are known, too")))
        flip, why = _flip(job, model, head, rows["validation"], accuracy)
        job.recipe = job.recipe.but(flip=flip)
        yield job.say("decision", why)
    says = (
        N_("a first model is ready: {accuracy:percent} of {n:count} validation images right")
        if len(held)
        else N_("a first model is ready")
    )
    yield job.say("saved", message(says, accuracy=accuracy, n=len(held)))
    steps = require(job.info.steps, "steps")
    all_right = len(held) == len(job.rows("validation")) and accuracy == 1.0
    if len(held) >= ENOUGH_HELD and all_right and job.info.wanted.get("epochs") is None:
        steps = 0
        yield job.say(
            "decision",
            message(N_("no fine-tuning: no validation image is left to get right (--epochs asks for it all the same)")),
        )
    ms = _milliseconds(job, rows["train"])
    frozen = FrozenHead(accuracy, loss, len(rows["train"]), len(held), head.strength, seconds, head_seconds, ms)
    job.enter("fit", steps=steps, frozen=frozen, first_model_seconds=ready, recipe=job.recipe.to_json())


def cost(facts: Facts) -> Cost:
    """Its features, and its last layer; nothing for a network from scratch."""
    if facts.frozen is None:
        return Cost()
    return Cost(facts.frozen.learned * facts.frozen.seconds + SECONDS)


def _milliseconds(job: TrainContext, rows: np.ndarray) -> float:
    """What the first model needs to name one image: its file is about to be overwritten by a better one."""
    predictor = Predictor(job.run.model_file)
    return predictor.milliseconds(job.dataset.images.image(int(rows[0]), predictor.preprocessing.jpeg_side))


def _flip(
    job: TrainContext, model: torch.nn.Module, head: Head, rows: np.ndarray, accuracy: float
) -> tuple[str, Message]:
    """Mirroring is harmless when the first model still knows mirrored validation images (letters and digits: it does
    not).
    """
    rows = rows[:256]
    if len(rows) < FLIP_IMAGES:
        says = N_(
            "no mirroring while training: to know whether it is harmless takes {least:count} validation images, "
            "and there are {n:count}"
        )
        return "no", message(says, least=FLIP_IMAGES, n=len(rows))
    pixels = job.frozen_pixels()
    mirrored = Pixels(pixels.preprocessing, rows, pixels.take(rows)[:, :, ::-1].copy())
    folder = job.run.cache / "mirrored"
    folder.mkdir(exist_ok=True)
    for _ in frozen_features(model, mirrored, rows, folder, torch.device(job.recipe.device)):
        pass
    predicted = head.logits(load_features(mirrored, rows, folder)).argmax(1)
    share = float((predicted == job.dataset.labels[rows]).mean())
    yes = share >= accuracy - FLIP_LOSS
    says = N_(
        "images are mirrored while training: it knows {share:percent} of mirrored images, {accuracy:percent} of "
        "the originals"
    )
    if not yes:
        says = N_(
            "no mirroring while training: it knows {share:percent} of mirrored images, {accuracy:percent} of the "
            "originals"
        )
    return ("yes" if yes else "no"), message(says, share=share, accuracy=accuracy)
