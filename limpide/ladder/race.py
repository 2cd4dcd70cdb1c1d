"""The six optimisers on two surfaces that tell them apart.

long valley   f = ½ (x² / 50 + y²)             50 times flatter along x than across: a rate that y bears is too small for x
saddle        f = ½ x² − ½ y² + ¼ y⁴           flat at (0, 0), falls away to both sides, least (−¼) at y = ±1

A start beside the ridge of the saddle has a slope by y of almost nothing. SGD multiplies almost nothing by η and stays;
those that divide by the size of the slopes they saw do not care how small it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from limpide.events import Step
from limpide.ladder.optimisers import SGD, Adagrad, Adam, Momentum, Nesterov, Optimiser, RMSprop


@dataclass(frozen=True)
class Surface:
    f: Callable[[np.ndarray], float]
    slope: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, float]
    least: float


SURFACES: Mapping[str, Surface] = {
    "valley": Surface(
        f=lambda p: float(0.5 * (p[0] ** 2 / 50 + p[1] ** 2)),
        slope=lambda p: np.array([p[0] / 50, p[1]]),
        start=(-10.0, 1.0),
        least=0.0,
    ),
    "saddle": Surface(
        f=lambda p: float(0.5 * p[0] ** 2 - 0.5 * p[1] ** 2 + 0.25 * p[1] ** 4),
        slope=lambda p: np.array([p[0], p[1] ** 3 - p[1]]),
        start=(1.0, 1e-3),
        least=-0.25,
    ),
}

# One rate for those that use the slope as it is, one for those that divide it by its size.
RACERS: Mapping[str, Callable[[], Optimiser]] = {
    "SGD": lambda: SGD(0.05),
    "momentum": lambda: Momentum(0.05),
    "Nesterov": lambda: Nesterov(0.05),
    "Adagrad": lambda: Adagrad(0.2),
    "RMSprop": lambda: RMSprop(0.05),
    "Adam": lambda: Adam(0.2),
}


def race(surface: str, steps: int = 100) -> Iterator[Step]:
    """All racers take step 1, then all take step 2, …: a Step each, with who, and where it stands; `loss` is f there."""
    ground = SURFACES[surface]
    racing = {name: make() for name, make in RACERS.items()}
    at = dict.fromkeys(racing, np.array(ground.start))
    for n in range(1, steps + 1):
        for name, optimiser in racing.items():
            at[name] = optimiser.step(at[name], ground.slope(at[name]))
            yield Step(n, 0, ground.f(at[name]), optimiser.rate, values={"optimiser": name, "at": at[name].tolist()})
