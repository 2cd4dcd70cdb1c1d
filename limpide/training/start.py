"""The state before the first step: a network on its device, its optimizer and its learning-rate schedule."""

from __future__ import annotations

import torch
from torch import nn

from limpide.core.optimizer_names import optimizer_name
from limpide.core.recipe import Recipe
from limpide.models import pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.batches import Batches
from limpide.training.defaults import STARTS, kept_blocks
from limpide.training.device import place_on_device
from limpide.training.linear_head import discriminative_scales
from limpide.training.optim import OPTIMIZERS, choose_optimizer
from limpide.training.optim.averaged import Averaged
from limpide.training.optim.groups import parameter_groups
from limpide.training.optim.schedules import choose_schedule
from limpide.training.state import TrainState

SEEN_FIRST = 2000  # training images from which a network computes values before its first step
AVERAGED = 0.05  # share of the steps that a running mean of the weights covers


def set_from_images(model: nn.Module, train: Batches, recipe: Recipe) -> None:
    """Let a network that has a `set_from` compute values that no step changes from training images: the same ones, and
    so the same values, every time. Loaded weights bring theirs.
    """
    set_from = getattr(model, "set_from", None)
    if set_from is not None and recipe.weights in STARTS and len(train.rows):
        rows = slice(None, None, -(-len(train.rows) // SEEN_FIRST))
        few = Batches(train.pixels, train.rows[rows], train.labels[rows], SEEN_FIRST, torch.device("cpu"))
        set_from(next(few.in_order())[0])


def start_state(model: nn.Module, recipe: Recipe, steps: int) -> TrainState:
    """The state before the first step, on the device of a recipe whose blanks are filled."""
    device = torch.device(recipe.device)
    model = place_on_device(model, device)
    scales: list[tuple[str, float]] = []
    freeze = kept_blocks(recipe)
    if freeze != "none":
        model.hold(None if freeze == "head" else int(freeze))  # type: ignore[operator]
    if pretrained(recipe):
        scales = discriminative_scales(model)
    torch.manual_seed(recipe.seed)  # dropout
    averaged = Averaged.of(model, 1 - 1 / max(1.0, steps * AVERAGED)) if recipe.average == "ema" else None
    return TrainState(
        model=model,
        optimizer=OPTIMIZERS[choose_optimizer(recipe)](parameter_groups(model, recipe.weight_decay or 0.0, scales)),
        lr=recipe.lr or 0.0,
        steps=steps,
        generator=torch.Generator().manual_seed(recipe.seed),
        schedule_name=choose_schedule(recipe),
        averaged=averaged,
        keeps_statistics=pretrained(recipe),  # statistics of 32 images are too noisy: experiments/fresh_head.py
    )


def describe_rule(state: TrainState) -> Message:
    """The optimizer, its highest learning rate, its schedule and its weight decay, in one sentence."""
    rule = state.optimizer.identity()["name"]
    decay = max((group.weight_decay for group in getattr(state.optimizer, "groups", ())), default=0.0)
    says = N_("optimizer: {optimizer}, with a learning rate of at most {lr:number} and the schedule {schedule}{decay}")
    how = N_(", no weight decay")
    if decay and getattr(state.optimizer, "decoupled", False):
        how = N_(", weight decay {decay:number} (decoupled: it shrinks the weights by themselves)")
    elif decay:
        how = N_(", weight decay {decay:number} (an L2 penalty: it is added to the gradients)")
    return message(
        says,
        optimizer=optimizer_name(rule),
        lr=float(state.lr),
        schedule=state.schedule_name,
        decay=message(how, decay=decay).to_json(),
    )


def describe_extras(recipe: Recipe) -> list[Message]:
    """What else was asked for in a step: one sentence each."""
    says = {
        "l1": N_("L1 penalty: {value:number} times the sum of the absolute values of the weights is minimised, too"),
        "clip": N_("gradients of a norm above {value:number} are scaled down to it"),
        "dropout": N_("dropout: {value:percent} of the units are left out at random while training"),
        "accumulate": N_("the gradients of {value:count} batches are added before a step"),
    }
    found = [message(text, value=getattr(recipe, name)) for name, text in says.items() if _is_asked(recipe, name)]
    if recipe.average == "ema":
        text = N_("a running mean of the weights, over the last {share:percent} of the steps, is judged and kept")
        found.append(message(text, share=AVERAGED))
    if recipe.init != "default":
        found.append(message(N_("initial weights drawn as {init} says, biases 0"), init=recipe.init))
    if recipe.keep != "best":
        text = N_("the weights after the last epoch are kept, not the best ones")
        if recipe.keep == "all":
            text = N_("the weights after every epoch are kept; limpide export RUN --epoch N makes a file of one")
        found.append(message(text))
    return found


def _is_asked(recipe: Recipe, name: str) -> bool:
    return getattr(recipe, name) != getattr(Recipe(), name)
