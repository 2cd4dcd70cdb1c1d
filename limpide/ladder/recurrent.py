"""Cells that read a sequence: the same weights at every step, and a state h that is carried along.

RNN    Elman 1990               h ← tanh(W x + b + U h + c)
LSTM   Hochreiter & Schmidhuber 1997: a second state that is added to, so that its gradient does not fade on the way
       back through time; with the forget gate of Gers et al. 2000, which can fade it on purpose
GRU    Cho et al. 2014: the same idea with one state; as in torch, the reset gate acts after the product with U

`W x + b` and `U h + c` are computed for all gates at once, stacked in torch's order, and torch's cells give the same
numbers with the same weights (tests/ladder/test_recurrent.py).

Shapes: x (inputs,) · h, c (units,) · W (gates·units, inputs) · U (gates·units, units) · both biases (gates·units,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limpide.ladder.backprop import sigmoid


@dataclass(frozen=True)
class Weights:
    W: np.ndarray
    b: np.ndarray
    U: np.ndarray
    c: np.ndarray

    def of_input(self, x: np.ndarray, gates: int) -> list[np.ndarray]:
        return np.split(self.W @ x + self.b, gates)

    def of_state(self, h: np.ndarray, gates: int) -> list[np.ndarray]:
        return np.split(self.U @ h + self.c, gates)


def rnn(w: Weights, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The new h."""
    return np.asarray(np.tanh(w.of_input(x, 1)[0] + w.of_state(h, 1)[0]))


def lstm(w: Weights, x: np.ndarray, h: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The new (h, cell). Gates, in this order: input, forget, candidate (`write`), output (`show`)."""
    come, forget, write, show = (a + b for a, b in zip(w.of_input(x, 4), w.of_state(h, 4), strict=True))
    cell = sigmoid(forget) * cell + sigmoid(come) * np.tanh(write)
    return sigmoid(show) * np.tanh(cell), cell


def gru(w: Weights, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The new h. Gates: how much of the old state the candidate may see, and how much of it stays."""
    (see_x, stay_x, new_x), (see_h, stay_h, new_h) = w.of_input(x, 3), w.of_state(h, 3)
    see, stay = sigmoid(see_x + see_h), sigmoid(stay_x + stay_h)
    candidate = np.tanh(new_x + see * new_h)
    return np.asarray((1 - stay) * candidate + stay * h)
