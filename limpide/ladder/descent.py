"""Gradient descent on any function (Cauchy 1847), with the slope from autograd.

    x ← x − η f′(x)

Nobody writes f′ down: torch notes how f was computed and runs the notes backwards. It adds the slope to what `x.grad`
already holds, so that it must be set to zero before each step. Whoever forgets goes down by the sum of all slopes so
far: x rolls past the valley and back, like a ball that nothing slows down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from limpide.core.events import Step


def parabola(x: Tensor) -> Tensor:
    """x² − x + 2: least at ½, where it is 1.75."""
    return x**2 - x + 2


def descend(
    f: Callable[[Tensor], Tensor], start: float, rate: float, steps: int, *, reset: bool = True
) -> Iterator[Step]:
    """A Step before each move, with x, f(x) and the slope that is used; `loss` is f(x). reset=False forgets to clear
    the slope.
    """
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    for n in range(steps):
        value = f(x)
        value.backward()
        slope = x.grad
        assert slope is not None
        yield Step(n + 1, 0, value.item(), rate, values={"x": x.item(), "f": value.item(), "slope": slope.item()})
        with torch.no_grad():
            x -= rate * slope
        if reset:
            x.grad = None
