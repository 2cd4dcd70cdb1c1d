"""Optimizers, one per file, with the schedules of the learning rate, gradient clipping and averaged weights."""

from __future__ import annotations

from collections.abc import Callable

from limpide.core.recipe import Recipe
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.base import Optimizer
from limpide.training.optim.groups import ParameterGroup

OPTIMIZERS: dict[str, Callable[[list[ParameterGroup]], Optimizer]] = {
    "adamw": AdamW,
}


def choose_optimizer(recipe: Recipe) -> str:
    """The name in OPTIMIZERS that a training uses. No option selects another yet."""
    return "adamw"
