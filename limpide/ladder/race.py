"""The six optimizers on two surfaces that show their differences, each at its best learning rate.

long valley   f = ½ (x² / 400 + y²)            400 times flatter along x than across: a rate that is stable for y is
                                               too small for x
saddle        f = 25 x² − ½ y² + ¼ y⁴          flat at (0, 0), falls away to both sides, least (−¼) at y = ±1

At a start next to the ridge of the saddle, the slope by y is almost 0, and the steep walls along x forbid large steps.
SGD multiplies this slope by a small η and stays; optimizers that divide by the size of past slopes are not affected by
its size. The best rate of each is searched on the same grid: with another rate, each of them can lose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from limpide.core.events import Step
from limpide.ladder.optimizers import SGD, Adagrad, Adam, Momentum, Nesterov, Optimizer, RMSprop

GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 1.9)  # rates


@dataclass(frozen=True)
class Surface:
    f: Callable[[np.ndarray], float]
    slope: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, float]
    least: float


SURFACES: Mapping[str, Surface] = {
    "valley": Surface(
        f=lambda p: float(0.5 * (p[0] ** 2 / 400 + p[1] ** 2)),
        slope=lambda p: np.array([p[0] / 400, p[1]]),
        start=(-20.0, 1.0),
        least=0.0,
    ),
    "saddle": Surface(
        f=lambda p: float(25 * p[0] ** 2 - 0.5 * p[1] ** 2 + 0.25 * p[1] ** 4),
        slope=lambda p: np.array([50 * p[0], p[1] ** 3 - p[1]]),
        start=(0.2, 1e-3),
        least=-0.25,
    ),
}

RACERS: Mapping[str, Callable[[float], Optimizer]] = {
    "SGD": SGD,
    "momentum": Momentum,
    "Nesterov": Nesterov,
    "Adagrad": Adagrad,
    "RMSprop": RMSprop,
    "Adam": Adam,
}


def run(ground: Surface, optimizer: Optimizer, steps: int) -> Iterator[np.ndarray]:
    """The position after each step."""
    at = np.array(ground.start)
    for _ in range(steps):
        at = optimizer.step(at, ground.slope(at))
        yield at


def best_rate(surface: str, name: str, steps: int = 100) -> float:
    """The rate of GRID that ends lowest. A rate that diverges loses."""
    ground = SURFACES[surface]
    with np.errstate(over="ignore", invalid="ignore"):
        heights = [ground.f(list(run(ground, RACERS[name](rate), steps))[-1]) for rate in GRID]
    return GRID[int(np.argmin([height if np.isfinite(height) else np.inf for height in heights]))]


def race(surface: str, steps: int = 100) -> Iterator[Step]:
    """All racers take step 1, then all take step 2, …: a Step each, with the racer and its position; `loss` is f
    there.
    """
    ground = SURFACES[surface]
    rates = {name: best_rate(surface, name, steps) for name in RACERS}
    racing = {name: run(ground, RACERS[name](rate), steps) for name, rate in rates.items()}
    for n in range(1, steps + 1):
        for name, places in racing.items():
            at = next(places)
            yield Step(n, 0, ground.f(at), rates[name], values={"optimiser": name, "at": at.tolist()})
