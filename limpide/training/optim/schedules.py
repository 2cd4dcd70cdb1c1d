"""Schedules of the learning rate: one function per schedule, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable

from limpide.core.recipe import Recipe

# (step, from 0; steps in all; epochs so far, with the share of the current one) → share of the highest learning rate
Schedule = Callable[[int, int, float], float]


def one_cycle(step: int, steps: int, epochs: float = 0.0, *, warm_up: float = 0.25) -> float:
    """Up, then down (Smith & Topin 2018, arXiv 1708.07120): linear up to 1, then linear to 0.

    The first and the last step have a rate above 0.
    """
    peak = max(1.0, warm_up * steps)
    up = (step + 1) / peak
    down = (steps - step) / (steps - peak + 1)
    return min(up, down, 1.0)


SCHEDULES: dict[str, Schedule] = {
    "one_cycle": one_cycle,
}


def choose_schedule(recipe: Recipe) -> str:
    """The name in SCHEDULES that a training uses. No option selects another yet."""
    return "one_cycle"
