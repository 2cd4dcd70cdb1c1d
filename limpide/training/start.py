"""The state before the first step: a network on its device, its optimizer and its learning-rate schedule."""

from __future__ import annotations

import torch
from torch import nn

from limpide.core.recipe import Recipe
from limpide.models import pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.defaults import kept_blocks
from limpide.training.device import place_on_device
from limpide.training.linear_head import discriminative_scales
from limpide.training.optim import OPTIMIZERS, choose_optimizer
from limpide.training.optim.groups import parameter_groups
from limpide.training.optim.schedules import choose_schedule
from limpide.training.state import TrainState


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
    return TrainState(
        model=model,
        optimizer=OPTIMIZERS[choose_optimizer(recipe)](parameter_groups(model, recipe.weight_decay or 0.0, scales)),
        lr=recipe.lr or 0.0,
        steps=steps,
        generator=torch.Generator().manual_seed(recipe.seed),
        schedule_name=choose_schedule(recipe),
        keeps_statistics=pretrained(recipe),  # statistics of 32 images are too noisy: experiments/fresh_head.py
    )


def describe_rule(state: TrainState) -> Message:
    """The optimizer, its highest learning rate and its schedule, in one sentence."""
    rule = state.optimizer.identity()["name"]
    if (rule, state.schedule_name) == ("adamw", "one_cycle"):
        return message(
            N_("optimizer: AdamW, with a one-cycle learning rate that peaks at {lr:number}"),
            lr=float(state.lr),
        )
    return message(
        N_("optimizer: {optimizer}, with a learning rate of at most {lr:number} and the schedule {schedule}"),
        optimizer=rule,
        lr=float(state.lr),
        schedule=state.schedule_name,
    )
