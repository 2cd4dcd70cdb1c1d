"""Six optimizers. Each keeps the state that it needs and returns the new weights: `w = optimizer.step(w, g)`, where g
is the gradient.

All are equal to torch's of the same name (tests/ladder/test_optimizers.py). `rate` is the learning rate η.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class SGD:
    """Robbins & Monro 1951.

    w ← w − η g
    """

    rate: float

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        return w - self.rate * g


@dataclass
class Momentum:
    """Polyak 1964: a heavy ball. It gathers speed along a valley, and gradients that change sign cancel out.

    v ← μ v + g
    w ← w − η v
    """

    rate: float
    momentum: float = 0.9
    v: np.ndarray | float = 0.0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        self.v = self.momentum * self.v + g
        return w - self.rate * self.v


@dataclass
class Nesterov:
    """Nesterov 1983: the gradient is taken one step ahead of the ball. As in torch, w is the point where it is taken.

    v ← μ v + g
    w ← w − η (g + μ v)
    """

    rate: float
    momentum: float = 0.9
    v: np.ndarray | float = 0.0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        self.v = self.momentum * self.v + g
        return w - self.rate * (g + self.momentum * self.v)


@dataclass
class Adagrad:
    """Duchi, Hazan & Singer 2011: each weight has its own learning rate, which falls as its squared gradients add up.

    s ← s + g²
    w ← w − η g / (√s + ε)
    """

    rate: float
    epsilon: float = 1e-10
    s: np.ndarray | float = 0.0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        self.s = self.s + g**2
        return w - self.rate * g / (np.sqrt(self.s) + self.epsilon)


@dataclass
class RMSprop:
    """Hinton 2012, lecture 6e (with α = 0.9; torch's 0.99 here): Adagrad that forgets, so that it never comes to a
    halt.

    s ← α s + (1 − α) g²
    w ← w − η g / (√s + ε)
    """

    rate: float
    alpha: float = 0.99
    epsilon: float = 1e-8
    s: np.ndarray | float = 0.0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        self.s = self.alpha * self.s + (1 - self.alpha) * g**2
        return w - self.rate * g / (np.sqrt(self.s) + self.epsilon)


@dataclass
class Adam:
    """Kingma & Ba 2015, algorithm 1: momentum and RMSprop, both corrected for having started at zero.

    m ← β₁ m + (1 − β₁) g        s ← β₂ s + (1 − β₂) g²
    w ← w − η · m / (1 − β₁ⁿ) / (√(s / (1 − β₂ⁿ)) + ε)            in step n = 1, 2, …
    """

    rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    n: int = field(default=0)
    m: np.ndarray | float = 0.0
    s: np.ndarray | float = 0.0

    def step(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        (b1, b2), self.n = self.betas, self.n + 1
        self.m = b1 * self.m + (1 - b1) * g
        self.s = b2 * self.s + (1 - b2) * g**2
        return w - self.rate * (self.m / (1 - b1**self.n)) / (np.sqrt(self.s / (1 - b2**self.n)) + self.epsilon)


Optimizer = SGD | Momentum | Nesterov | Adagrad | RMSprop | Adam
