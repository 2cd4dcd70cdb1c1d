"""The neuron of McCulloch and Pitts (1943, A logical calculus of the ideas immanent in nervous activity).

Inputs are 0 or 1, and each has a weight that is set by hand: nothing is learned yet. (In 1943 all inputs counted alike,
and an inhibitory input silenced the neuron; numeric weights are the later reading.) The neuron fires when the weighted
sum of its inputs exceeds its threshold θ:

    y = 1 if Σ wᵢ xᵢ − θ > 0 else 0          strict: a sum equal to θ does not fire

The threshold is only one more weight. With a constant input x₀ = 1 and w₀ = −θ the same neuron is

    y = 1 if w · x > 0 else 0

The neurons of all later rungs are written in this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

# Weights and threshold of the gates that one neuron can compute.
GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "AND": ((1.0, 1.0), 1.5),
    "OR": ((1.0, 1.0), 0.5),
    "NOT": ((-1.0,), -0.5),
    "NAND": ((-1.0, -1.0), -1.5),
}


def fires(x: Sequence[float], weights: Sequence[float], threshold: float) -> int:
    """1 or 0. x, weights: (inputs,)."""
    return int(np.dot(weights, x) - threshold > 0)


def with_bias(weights: Sequence[float], threshold: float) -> np.ndarray:
    """The weights (1 + inputs,) of the same neuron without a threshold: w₀ = −θ comes first."""
    return np.array([-threshold, *weights])


def fires_with_bias(x: Sequence[float], w: np.ndarray) -> int:
    """1 or 0. x: (inputs,) without the constant one, w: (1 + inputs,)."""
    return int(w @ np.array([1.0, *x]) > 0)


def gate(name: str, *x: float) -> int:
    return fires(x, *GATES[name])


def xor(a: int, b: int) -> int:
    """One neuron cannot compute this (perceptron.py shows why). Three in two layers can: (a OR b) AND (a NAND b)."""
    return gate("AND", gate("OR", a, b), gate("NAND", a, b))


def truth_table(name: str) -> list[tuple[tuple[int, ...], int]]:
    """[(inputs, output)] for all inputs, counted upwards."""
    inputs = len(GATES[name][0])
    return [(x, gate(name, *x)) for x in product((0, 1), repeat=inputs)]
