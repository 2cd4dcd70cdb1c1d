"""How the weights change: one rule a file, the schedules of the learning rate, clipping and averaged weights."""

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
    """The name in OPTIMIZERS that a training follows. No option asks for another yet."""
    return "adamw"
