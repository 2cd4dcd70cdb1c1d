"""Optimizers, one family per file, with the schedules of the learning rate, what is done to gradients, and averaged
weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from limpide.core.recipe import Recipe
from limpide.training.optim.adagrad import Adagrad
from limpide.training.optim.adam import Adam
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.base import Optimizer
from limpide.training.optim.groups import ParameterGroup
from limpide.training.optim.rmsprop import RMSprop
from limpide.training.optim.sgd import SGD, Momentum, Nesterov

OPTIMIZERS: dict[str, Callable[[list[ParameterGroup]], Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


@dataclass(frozen=True)
class Defaults:
    """Where a user names no learning rate and no weight decay."""

    rate: float = 1.0  # times the rate of AdamW, which each network has (models/registry.py)
    weight_decay: float = 0.0


# Rates: experiments/optimizers.py. Weight decay: as PyTorch has it, none, but for AdamW, whose rule is made for it.
DEFAULTS: dict[str, Defaults] = {
    "sgd": Defaults(rate=30.0),
    "momentum": Defaults(rate=5.0),
    "nesterov": Defaults(rate=5.0),
    "adagrad": Defaults(rate=5.0),
    "rmsprop": Defaults(rate=0.3),
    "adam": Defaults(),
    "adamw": Defaults(weight_decay=0.02),
}


def choose_optimizer(recipe: Recipe) -> str:
    """The name in OPTIMIZERS that a training uses."""
    return recipe.optimizer
