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
    remembers = ("g", "s")  # the last gradient, and the sum of the squares of all

    def __init__(self, groups: Sequence[ParameterGroup], eps: float = 1e-10) -> None:
        super().__init__(groups)
        self.eps = eps

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        last, sums = memory
        torch._foreach_copy_(last, gradients)
        torch._foreach_addcmul_(sums, gradients, gradients, 1.0)
        below = torch._foreach_sqrt(sums)
        torch._foreach_add_(below, self.eps)
        torch._foreach_addcdiv_(parameters, gradients, below, -rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0] / (memory[1].sqrt() + self.eps)

    def gradient_norm(self, memory: list[Tensor]) -> float:
        return float(memory[0].norm())
