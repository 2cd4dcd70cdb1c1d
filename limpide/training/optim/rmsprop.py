"""RMSprop: each weight has a rate of its own, from the recent size of its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limpide.training.optim.base import GroupOptimizer
from limpide.training.optim.groups import ParameterGroup


class RMSprop(GroupOptimizer):
    """Tieleman & Hinton 2012 (lecture 6.5), for each parameter p with gradient g:

    v = α v + (1 − α) g²
    p = p − lr · g / (√v + ε)
    """

    name = "rmsprop"
    remembers = ("g", "v")  # the last gradient, and the running mean of the squares

    def __init__(self, groups: Sequence[ParameterGroup], alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(groups)
        self.alpha, self.eps = alpha, eps

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        last, squares = memory
        torch._foreach_copy_(last, gradients)
        torch._foreach_mul_(squares, self.alpha)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - self.alpha)
        below = torch._foreach_sqrt(squares)
        torch._foreach_add_(below, self.eps)
        torch._foreach_addcdiv_(parameters, gradients, below, -rate)

    def direction(self, memory: list[Tensor]) -> Tensor:
        return memory[0] / (memory[1].sqrt() + self.eps)

    def gradient_norm(self, memory: list[Tensor]) -> float:
        return float(memory[0].norm())
