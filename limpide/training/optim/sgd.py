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
    remembers: ClassVar[tuple[str, ...]] = ("g",)

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        torch._foreach_add_(parameters, gradients, alpha=-rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0]


class Momentum(GroupOptimizer):
    """Polyak 1964, as PyTorch writes it: v = μ v + g, p = p − lr · v."""

    name = "momentum"
    remembers = ("g", "v")

    def __init__(self, groups: Sequence[ParameterGroup], momentum: float = 0.9) -> None:
        super().__init__(groups)
        self.momentum = momentum

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        velocities = memory[1]
        torch._foreach_mul_(velocities, self.momentum)
        torch._foreach_add_(velocities, gradients)
        torch._foreach_add_(parameters, self.directions(gradients, velocities), alpha=-rate)

    def directions(self, _gradients: list[Tensor], velocities: list[Tensor]) -> list[Tensor]:
        return velocities

    def direction(self, memory: list[Tensor]) -> Tensor:
        return self.directions(memory[:1], memory[1:])[0]


class Nesterov(Momentum):
    """Sutskever et al. 2013, as PyTorch writes it: v = μ v + g, p = p − lr · (g + μ v)."""

    name = "nesterov"

    def directions(self, gradients: list[Tensor], velocities: list[Tensor]) -> list[Tensor]:
        return list(torch._foreach_add(gradients, velocities, alpha=self.momentum))
