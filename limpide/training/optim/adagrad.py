"""Adagrad: each weight has a rate of its own, which only falls."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limpide.training.optim.base import GroupOptimizer
from limpide.training.optim.groups import ParameterGroup


class Adagrad(GroupOptimizer):
    """Duchi, Hazan & Singer 2011, for each parameter p with gradient g: s = s + g², p = p − lr · g / (√s + ε)."""

    name = "adagrad"
    remembers = ("g", "s")

    def __init__(self, groups: Sequence[ParameterGroup], eps: float = 1e-10) -> None:
        super().__init__(groups)
        self.eps = eps

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        self.add_squares(memory[1], gradients)
        below = torch._foreach_sqrt(memory[1])
        torch._foreach_add_(below, self.eps)
        torch._foreach_addcdiv_(parameters, gradients, below, -rate)

    def add_squares(self, squares: list[Tensor], gradients: list[Tensor]) -> None:
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0] / (memory[1].sqrt() + self.eps)
