"""Estimate the cost of a training before it starts: a few real steps are timed on a copy of the state."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import numpy as np
import torch

from limpide.core.events import Step
from limpide.core.recipe import Recipe
from limpide.models import pretrained
from limpide.training.augment.base import Augment
from limpide.training.batches import Batches
from limpide.training.defaults import default_epochs
from limpide.training.loop import fit, logits_of
from limpide.training.state import TrainState

MIN_TIMED, MAX_TIMED = 2, 16  # steps
TIMED_SECONDS = 0.5  # steps are timed for this long, once MIN_TIMED are done, and at most MAX_TIMED
TIMED_IMAGES = 32  # at once: a few take nearly as long as a batch
# The most multiply-adds of the forward passes of all epochs, without --time and --epochs, by the kind of device. The
# limit is in work and not in seconds, so that a slow or a busy machine trains the same network: about ten minutes of
# two processor cores.
MAX_DEFAULT = {"cpu": 1e13, "mps": 1e14, "cuda": 1e15}
# Fine-tuning in folds is six trainings. Without --time and --epochs, each sees this many images in this many epochs.
SEEN_IN_FOLDS, EPOCHS_IN_FOLDS = 2_000, (4, 16)
LEAST_IN_TIME = 2  # epochs with --time; the folds show whether so few are of use
MAX_EPOCHS = {"pretrained": 20, "scratch": 60}  # with --time; further epochs stop helping


@dataclass(frozen=True)
class StepTime:
    step: float  # s a training step
    image: float  # s a validation image


def time_steps(
    state: TrainState, train: Batches, validation: Batches, recipe: Recipe, augment: Augment | None
) -> StepTime:
    """Time real steps on a copy; `state` and all random generators are left unchanged."""
    random = torch.get_rng_state()
    trial = copy.deepcopy(state)
    trial.steps, trial.lr = 10**9, 0.0  # the copy must not diverge
    trial.generator = torch.Generator().manual_seed(0)
    ended = []  # when each step ended; the first one is a warm-up
    for event in fit(trial, train, None, recipe, augment=augment):
        if isinstance(event, Step):
            ended.append(time.perf_counter())
        if len(ended) > MIN_TIMED and (ended[-1] - ended[0] > TIMED_SECONDS or len(ended) > MAX_TIMED):
            break
    image = 0.0
    if len(validation.rows):
        places = np.resize(np.arange(len(validation.rows)), TIMED_IMAGES)
        batch = Batches(
            validation.pixels, validation.rows[places], validation.labels[places], TIMED_IMAGES, validation.device
        )
        logits_of(trial.model, batch, recipe.precision)  # warm-up
        began = time.perf_counter()
        logits_of(trial.model, batch, recipe.precision)
        image = (time.perf_counter() - began) / TIMED_IMAGES
    torch.set_rng_state(random)
    return StepTime(float(np.median(np.diff(ended))), image)


def choose_epochs(recipe: Recipe, images: int, work: int, grey: bool) -> tuple[int, int]:
    """(epochs over this many training images without --time and --epochs, the number without the limit on work). work:
    multiply-adds of one image.
    """
    usual = default_epochs(recipe, images, grey)
    most = MAX_DEFAULT[torch.device(recipe.device).type]
    return max(1, min(usual, int(most / max(1, images * work)))), usual


def steps_in_folds(recipe: Recipe, speed: StepTime, train: Batches, left: float | None) -> int:
    """The number of steps of the shipped network, if it is also fine-tuned once without each fold: as asked for, or as
    many as fit into the `left` seconds, or the default; 0 if the seconds are too few.
    """
    per_epoch, (fewest, most) = len(train), EPOCHS_IN_FOLDS
    if recipe.epochs is not None:
        return recipe.epochs * per_epoch
    if left is None:
        return max(fewest, min(most, round(SEEN_IN_FOLDS / len(train.rows)))) * per_epoch
    # k trainings without one fold each and one on all images: as much work as k trainings on all images
    seconds = (recipe.folds or 1) * per_epoch * speed.step + len(train.rows) * speed.image
    epochs = int(min(MAX_EPOCHS["pretrained"], left / max(1e-9, seconds)))
    return epochs * per_epoch if epochs >= LEAST_IN_TIME else 0


def steps_for(
    recipe: Recipe, speed: StepTime, train: Batches, validation: Batches, grey: bool, left: float | None, work: int
) -> int:
    """The number of steps: as asked for, or as many as fit into the `left` seconds, or the default. work: multiply-adds
    of one image.
    """
    per_epoch = len(train)
    epoch_seconds = per_epoch * speed.step + len(validation.rows) * speed.image
    if recipe.epochs is not None:
        return recipe.epochs * per_epoch
    if left is None:
        return choose_epochs(recipe, len(train.rows), work, grey)[0] * per_epoch
    most = MAX_EPOCHS["pretrained" if pretrained(recipe) else "scratch"]
    epochs = left / epoch_seconds
    if epochs >= 1:
        return int(min(most, epochs)) * per_epoch
    steps = int(epochs * per_epoch)
    # A third of an epoch makes a pretrained network worse; a new network has no alternative.
    return 0 if pretrained(recipe) and epochs < 1 / 3 else max(1, steps)
