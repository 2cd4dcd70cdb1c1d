"""Adam, written out. PyTorch's own gives the same numbers (a test compares them) but loads its compiler first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limpide.training.optim.base import GroupOptimizer
from limpide.training.optim.groups import ParameterGroup


class Adam(GroupOptimizer):
    """Kingma & Ba 2015 (arXiv 1412.6980), algorithm 1, for each parameter p with gradient g at step t:

    m = β₁ m + (1 − β₁) g
    v = β₂ v + (1 − β₂) g²
    p = p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
    """

    name = "adam"
    remembers = ("m", "v")  # running means of the gradients and of their squares

    def __init__(
        self, groups: Sequence[ParameterGroup], betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(groups)
        self.betas, self.eps = betas, eps

    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        (beta1, beta2), (means, squares) = self.betas, memory
        torch._foreach_lerp_(means, gradients, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - beta2)
        below = torch._foreach_sqrt(squares)
        torch._foreach_div_(below, (1 - beta2**self.t) ** 0.5)
        torch._foreach_add_(below, self.eps)
        torch._foreach_addcdiv_(parameters, means, below, -rate / (1 - beta1**self.t))

    def direction(self, memory: list[Tensor]) -> Tensor:
        (beta1, beta2), (mean, square) = self.betas, memory
        return mean / (1 - beta1**self.t) / ((square / (1 - beta2**self.t)).sqrt() + self.eps)
