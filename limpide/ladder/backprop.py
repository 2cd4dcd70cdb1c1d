"""A hidden layer, and errors sent backwards (Rumelhart, Hinton & Williams 1986, Learning representations by
back-propagating errors).

Sigmoid units in layers; E = ½ Σ (t − y)². One example is learned in four steps:

    1. forward           yⱼ = σ(Σᵢ wⱼᵢ xᵢ)                    x₀ = 1 in every layer, so wⱼ₀ is the bias
    2. output error      δₖ = yₖ (1 − yₖ) (tₖ − yₖ)            y (1 − y) is the slope of the sigmoid
    3. back-propagate    δⱼ = yⱼ (1 − yⱼ) Σₖ δₖ wₖⱼ            each hidden unit gets its share of the errors it fed
    4. update            wⱼᵢ ← wⱼᵢ + η δⱼ xᵢ

δ is minus the slope of E by a unit's sum, so step 4 is gradient descent. The rule for the output is that of the linear
neuron (adaline.py) times the slope; step 3 is new. Two hidden units are enough for XOR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from limpide.core.events import Step

Weights = list[np.ndarray]  # one matrix per layer: (units, 1 + inputs), the bias first


def start(widths: Sequence[int], seed: int = 0) -> Weights:
    """Small random weights: equal ones would make all hidden units learn the same. widths: inputs, hidden…, outputs."""
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, (units, 1 + inputs)) for inputs, units in pairwise(widths)]


def sigmoid(s: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-s))


def forward(weights: Weights, x: np.ndarray) -> list[np.ndarray]:
    """The activations of every layer, the inputs first: (inputs,), (hidden,), …, (outputs,)."""
    layers = [x]
    for w in weights:
        layers.append(sigmoid(w @ np.append(1.0, layers[-1])))
    return layers


def output_error(y: np.ndarray, target: np.ndarray) -> np.ndarray:
    return y * (1 - y) * (target - y)


def back_propagate(weights: Weights, layers: list[np.ndarray], delta: np.ndarray) -> list[np.ndarray]:
    """δ of every layer of units, the first hidden one first."""
    deltas = [delta]
    for w, y in zip(weights[:0:-1], layers[-2:0:-1], strict=True):  # from the last layer down to the second
        delta = y * (1 - y) * (w[:, 1:].T @ delta)  # the bias feeds no unit below
        deltas.insert(0, delta)
    return deltas


def changes(layers: list[np.ndarray], deltas: list[np.ndarray]) -> Weights:
    """δⱼ xᵢ for every weight: minus the gradient of E."""
    return [np.outer(delta, np.append(1.0, x)) for delta, x in zip(deltas, layers, strict=False)]


def train(
    weights: Weights, examples: Sequence[tuple[Sequence[float], Sequence[float]]], rate: float, epochs: int
) -> Iterator[Step]:
    """A Step for each example, with every activation, every δ and the weights before and after; `loss` is its E."""
    n = 0
    for epoch in range(epochs):
        for x, target in examples:
            t = np.array(target, float)
            layers = forward(weights, np.array(x, float))
            deltas = back_propagate(weights, layers, output_error(layers[-1], t))
            before = weights
            weights = [w + rate * change for w, change in zip(weights, changes(layers, deltas), strict=True)]
            n += 1
            values = {
                "layers": [layer.tolist() for layer in layers],
                "t": t.tolist(),
                "deltas": [delta.tolist() for delta in deltas],
                "W": [w.tolist() for w in before],
                "W_after": [w.tolist() for w in weights],
            }
            yield Step(n, epoch, float(0.5 * ((t - layers[-1]) ** 2).sum()), rate, values=values)
