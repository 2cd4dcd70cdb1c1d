"""The linear neuron, or Adaline (Widrow & Hoff 1960, Adaptive switching circuits): learning is descent on an error.

    y = w · x                                no threshold while it learns
    E = ½ Σ (t − y)²
    w ← w + η (t − y) x                      online: after each example (the LMS, or delta, rule)
    w ← w + η Σ (t − y) x                    batch: after all of them, exactly against the gradient of E

Batch descent converges to the least-squares solution if η is below 2 over the largest eigenvalue of Σ x xᵀ, and
diverges above. Online descent is often faster at first, but with a constant η it ends in a small cycle around the
solution, as each example pulls the weights its own way; with a decreasing η it converges. For answers 0 and 1, the
threshold is half-way, at ½.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from limpide.core.events import Step
from limpide.ladder.perceptron import Examples, with_ones


def online(
    examples: Examples, start: Sequence[float], rate: float | Callable[[int], float], epochs: int
) -> Iterator[Step]:
    """A Step for each example; `loss` is its ½ (t − y)². rate: η, or a function of the epoch (from 0)."""
    inputs, targets = with_ones(examples)
    w, n = np.array(start, float), 0
    for epoch in range(epochs):
        eta = rate(epoch) if callable(rate) else rate
        for x, t in zip(inputs, targets, strict=True):
            y = w @ x
            before, w = w, w + eta * (t - y) * x
            n += 1
            yield Step(
                n,
                epoch,
                0.5 * float(t - y) ** 2,
                eta,
                values={"X": x.tolist(), "W": before.tolist(), "y": float(y), "t": float(t), "W_after": w.tolist()},
            )


def batch(examples: Examples, start: Sequence[float], rate: float, epochs: int) -> Iterator[Step]:
    """A Step for each epoch; `loss` is E before it."""
    x, t = with_ones(examples)
    w = np.array(start, float)
    for epoch in range(epochs):
        y = x @ w
        before, w = w, w + rate * (t - y) @ x
        yield Step(
            epoch + 1,
            epoch,
            0.5 * float((t - y) @ (t - y)),
            rate,
            values={"W": before.tolist(), "y": y.tolist(), "t": t.tolist(), "W_after": w.tolist()},
        )


def largest_rate(examples: Examples) -> float:
    """The η at which batch descent turns from convergence to divergence: 2 over the largest eigenvalue of Σ x xᵀ."""
    x, _ = with_ones(examples)
    return float(2 / np.linalg.eigvalsh(x.T @ x)[-1])


def least_squares(examples: Examples) -> np.ndarray:
    """The weights (1 + inputs,) with the least E, the goal of both methods: (XᵀX)⁻¹ Xᵀt."""
    x, t = with_ones(examples)
    return np.linalg.solve(x.T @ x, x.T @ t)
