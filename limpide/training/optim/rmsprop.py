"""RMSprop: Adagrad that forgets: each weight has a rate of its own, from the recent size of its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limpide.training.optim.adagrad import Adagrad
from limpide.training.optim.groups import ParameterGroup


class RMSprop(Adagrad):
    """Tieleman & Hinton 2012 (lecture 6.5), for each parameter p with gradient g:

    s = α s + (1 − α) g²
    p = p − lr · g / (√s + ε)
    """

    name = "rmsprop"

    def __init__(self, groups: Sequence[ParameterGroup], alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(groups, eps)
        self.alpha = alpha

    def add_squares(self, squares: list[Tensor], gradients: list[Tensor]) -> None:
        torch._foreach_mul_(squares, self.alpha)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - self.alpha)
