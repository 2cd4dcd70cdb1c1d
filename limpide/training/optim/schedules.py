"""Schedules of the learning rate: one function per schedule, and the table of their names.

A user writes a schedule with its numbers, or without them: `step`, `step:10` or `step:10,0.5`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from limpide.core.recipe import Recipe


@dataclass(frozen=True)
class Moment:
    """Where a training is before one of its steps."""

    step: int  # from 0
    steps: int  # in all, as planned now
    epochs: float  # so far, with the share of the current one
    losses: Sequence[float] = ()  # after each epoch: on validation, or of training where nothing is validated

    @property
    def epoch(self) -> int:
        return int(self.epochs + 1e-9)

    @property
    def planned_epochs(self) -> float:
        """In all; 0 before the second step of a training, when its epochs are not known yet."""
        return round(self.epochs * self.steps / self.step, 6) if self.step else 0.0


PLATEAU_EPOCHS = 2  # without a lower loss, by default

# (moment, numbers that the user gave) → share of the highest learning rate
Schedule = Callable[[Moment, Sequence[float]], float]


def constant(_moment: Moment, _numbers: Sequence[float] = ()) -> float:
    return 1.0


def one_cycle(step: int, steps: int, warm_up: float = 0.25) -> float:
    """Up, then down (Smith & Topin 2018, arXiv 1708.07120): linear up to 1, then linear to 0. warm_up: the share of the
    steps that go up.

    The first and the last step have a rate above 0.
    """
    peak = max(1.0, warm_up * steps)
    up = (step + 1) / peak
    down = (steps - step) / (steps - peak + 1)
    return min(up, down, 1.0)


def cosine(moment: Moment, _numbers: Sequence[float] = ()) -> float:
    """Half a wave, from 1 to 0 (Loshchilov & Hutter 2017, arXiv 1608.03983, equation 5, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * moment.step / max(1, moment.steps)))


def step(moment: Moment, numbers: Sequence[float] = ()) -> float:
    """Multiply by a factor every so many epochs. numbers: epochs, a third of those planned; factor, 0.1."""
    every, factor = _with_defaults(numbers, (max(1, math.ceil(moment.planned_epochs / 3)), 0.1))
    return float(factor ** (moment.epoch // int(every)))


def multistep(moment: Moment, numbers: Sequence[float] = ()) -> float:
    """Divide by ten at each milestone. numbers: the milestones in epochs; half and three quarters of those planned (He
    et al. 2016, arXiv 1512.03385, section 4.2).
    """
    planned = moment.planned_epochs
    milestones = numbers or (max(1, math.floor(planned / 2 + 0.5)), max(1, math.floor(3 * planned / 4 + 0.5)))
    return float(0.1 ** sum(moment.epoch >= milestone for milestone in milestones))


def exponential(moment: Moment, numbers: Sequence[float] = ()) -> float:
    """Multiply by a factor after every epoch. numbers: the factor; such that a hundredth is left in the last epoch."""
    last = max(1.0, math.ceil(moment.planned_epochs - 1e-9) - 1)
    (factor,) = _with_defaults(numbers, (0.01 ** (1 / last),))
    return float(factor**moment.epoch)


def plateau(moment: Moment, numbers: Sequence[float] = ()) -> float:
    """Divide by ten where the loss has not fallen for more than so many epochs. numbers: these epochs, 2; the factor,
    0.1.

    As PyTorch's ReduceLROnPlateau: a loss counts as lower from a ten-thousandth on.
    """
    patience, factor = _with_defaults(numbers, (PLATEAU_EPOCHS, 0.1))
    share, lowest, waited = 1.0, math.inf, 0
    for loss in moment.losses:
        if loss < lowest * (1 - 1e-4):
            lowest, waited = loss, 0
        else:
            waited += 1
        if waited > patience:
            share, waited = share * factor, 0
    return share


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "step": step,
    "multistep": multistep,
    "exponential": exponential,
    "cosine": cosine,
    "plateau": plateau,
    "one-cycle": lambda moment, numbers: one_cycle(moment.step, moment.steps, *numbers),
}


def parse_schedule(text: str) -> tuple[Schedule, tuple[float, ...]]:
    """(schedule, numbers) of `step:10,0.5`. Raises KeyError for a name that is not in SCHEDULES, ValueError for
    something else than numbers.
    """
    name, _, numbers = text.partition(":")
    # Earlier runs recorded one_cycle.
    return SCHEDULES[name.replace("_", "-")], tuple(float(number) for number in numbers.split(",") if number)


def choose_schedule(recipe: Recipe) -> str:
    """The name in SCHEDULES that a training uses, with its numbers."""
    return recipe.schedule


def _with_defaults(numbers: Sequence[float], defaults: Sequence[float]) -> tuple[float, ...]:
    return (*numbers, *defaults[len(numbers) :])
