"""Gradient descent on any function (Cauchy 1847), with the slope from autograd.

    x ← x − η f′(x)

There is no need to write f′ down: torch records how f was computed and goes backwards through the record. It adds the
slope to the value of `x.grad`, which must therefore be set to zero before each step. Otherwise each step uses the sum
of all slopes so far: x rolls past the valley and back, like a ball that nothing slows down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from limpide.core.events import Step


def parabola(x: Tensor) -> Tensor:
    """x² − x + 2: the minimum is 1.75, at ½."""
    return x**2 - x + 2


def descend(
    f: Callable[[Tensor], Tensor], start: float, rate: float, steps: int, *, reset: bool = True
) -> Iterator[Step]:
    """A Step before each move, with x, f(x) and the slope that is used; `loss` is f(x). reset=False does not clear the
    slope.
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
