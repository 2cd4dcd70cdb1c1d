"""What a training will cost, said before it starts: a few real steps are timed on a copy of the state."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch

from limpide.models import pretrained
from limpide.recipe import Recipe
from limpide.training.batches import Augment, Batches
from limpide.training.decide import default_epochs
from limpide.training.fit import fit, logits_of
from limpide.training.state import TrainState

TIMED_STEPS = 2
LONGEST_UNASKED = 600.0  # s of fine-tuning when nobody gave a time
MOST_EPOCHS = {"pretrained": 20, "scratch": 60}  # with --time; beyond, more passes stop helping


@dataclass(frozen=True)
class Speed:
    step: float  # s a training step
    image: float  # s a validation image


def probe(state: TrainState, train: Batches, validation: Batches, recipe: Recipe, augment: Augment | None) -> Speed:
    """Times real steps on a copy; `state` and all random generators are as before."""
    random = torch.get_rng_state()
    trial = copy.deepcopy(state)
    trial.steps = 10**9  # a rate close to zero: the copy must not diverge
    trial.generator = torch.Generator().manual_seed(0)
    seconds = []
    for event in fit(trial, train, None, recipe, augment=augment):
        seconds.append(event.seconds)
        if len(seconds) > TIMED_STEPS:
            break
    few = Batches(validation.pixels, validation.rows[: validation.batch], validation.labels[: validation.batch], validation.batch, validation.device)
    image = 0.0
    if len(few.rows):
        began = time.perf_counter()
        logits_of(trial.model, few, recipe.precision)
        image = (time.perf_counter() - began) / max(1, len(few.rows))
    torch.set_rng_state(random)
    # The fastest step: what else the machine was doing just then says nothing about the hours to come.
    return Speed(min(seconds[1:] or seconds), image)


def steps_for(recipe: Recipe, speed: Speed, train: Batches, validation: Batches, grey: bool, left: float | None) -> int:
    """How many steps to do: what was asked for, or what fits into the `left` seconds, or the default."""
    per_epoch = len(train)
    epoch_seconds = per_epoch * speed.step + len(validation.rows) * speed.image
    if recipe.epochs is not None:
        return recipe.epochs * per_epoch
    usual = default_epochs(recipe, len(train.rows), grey)
    if left is None:
        return max(1, min(usual, int(LONGEST_UNASKED / epoch_seconds))) * per_epoch
    most = MOST_EPOCHS["pretrained" if pretrained(recipe) else "scratch"]
    epochs = left / epoch_seconds
    if epochs >= 1:
        return int(min(most, epochs)) * per_epoch
    steps = int(epochs * per_epoch)
    # A third of a pass changes a pretrained network for the worse; a fresh one has nothing else to offer.
    return 0 if pretrained(recipe) and epochs < 1 / 3 else max(1, steps)
