"""Stochastic gradient descent, alone, with momentum, and with Nesterov's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from limpide.training.optim.base import GroupOptimizer
from limpide.training.optim.groups import ParameterGroup


class SGD(GroupOptimizer):
    """Robbins & Monro 1951, for each parameter p with gradient g: p = p − lr · g."""

    name = "sgd"
    remembers: ClassVar[tuple[str, ...]] = ("g",)  # the last gradient

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        torch._foreach_copy_(memory[0], gradients)
        torch._foreach_add_(parameters, gradients, alpha=-rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0]

    def gradient_norm(self, memory: list[Tensor]) -> float:
        return float(memory[0].norm())


class Momentum(SGD):
    """Polyak 1964, as PyTorch writes it: v = μ v + g, p = p − lr · v."""

    name = "momentum"
    remembers = ("g", "v")

    def __init__(self, groups: Sequence[ParameterGroup], momentum: float = 0.9) -> None:
        super().__init__(groups)
        self.momentum = momentum

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        last, velocities = memory
        torch._foreach_copy_(last, gradients)
        torch._foreach_mul_(velocities, self.momentum)
        torch._foreach_add_(velocities, gradients)
        torch._foreach_add_(parameters, velocities, alpha=-rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[1]


class Nesterov(Momentum):
    """Sutskever et al. 2013, as PyTorch writes it: v = μ v + g, p = p − lr · (g + μ v)."""

    name = "nesterov"

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        last, velocities = memory
        torch._foreach_copy_(last, gradients)
        torch._foreach_mul_(velocities, self.momentum)
        torch._foreach_add_(velocities, gradients)
        torch._foreach_add_(parameters, torch._foreach_add(gradients, velocities, alpha=self.momentum), alpha=-rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0] + self.momentum * memory[1]
