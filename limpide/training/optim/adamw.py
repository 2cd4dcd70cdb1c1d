"""AdamW, written out. PyTorch's own gives the same numbers (a test compares them) but loads its compiler first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from limpide.training.optim.base import LastUpdate
from limpide.training.optim.groups import ParameterGroup, describe_groups


class AdamW:
    """Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2, for each parameter p with gradient g at step t:

    m = β₁ m + (1 − β₁) g
    v = β₂ v + (1 − β₂) g²
    p = p − lr · decay · p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
    """

    def __init__(
        self, groups: Sequence[ParameterGroup], betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.groups, self.betas, self.eps = list(groups), betas, eps
        self.t, self.lr = 0, 0.0  # steps done, and the rate of the last one
        # of each parameter of each group: running means of the gradients and of their squares
        self.m = [[torch.zeros_like(p) for p in group.parameters] for group in self.groups]
        self.v = [[torch.zeros_like(p) for p in group.parameters] for group in self.groups]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        self.t, self.lr = self.t + 1, lr
        beta1, beta2 = self.betas
        for group, means, squares in zip(self.groups, self.m, self.v, strict=True):
            rows = [
                (p, p.grad, m, v)
                for p, m, v in zip(group.parameters, means, squares, strict=True)
                if p.grad is not None
            ]
            if not rows:
                continue
            parameters, gradients, ms, vs = (list(column) for column in zip(*rows, strict=True))
            rate = lr * group.scale
            torch._foreach_lerp_(ms, gradients, 1 - beta1)
            torch._foreach_mul_(vs, beta2)
            torch._foreach_addcmul_(vs, gradients, gradients, 1 - beta2)
            below = torch._foreach_sqrt(vs)
            torch._foreach_div_(below, (1 - beta2**self.t) ** 0.5)
            torch._foreach_add_(below, self.eps)
            if group.weight_decay:
                torch._foreach_mul_(parameters, 1 - rate * group.weight_decay)
            torch._foreach_addcdiv_(parameters, ms, below, -rate / (1 - beta1**self.t))

    def zero_grad(self) -> None:
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        return {
            f"{g}.{name}.{k}": tensor
            for name, moments in (("m", self.m), ("v", self.v))
            for g, tensors in enumerate(moments)
            for k, tensor in enumerate(tensors)
        }

    def numbers(self) -> dict[str, Any]:
        return {"t": self.t, "lr": self.lr}

    def identity(self) -> dict[str, Any]:
        return {"name": "adamw", "groups": describe_groups(self.groups)}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        for name, tensor in self.state().items():
            tensor.copy_(tensors[name])
        self.t, self.lr = numbers["t"], numbers["lr"]

    @torch.no_grad()
    def last_update(self, parameter: nn.Parameter) -> LastUpdate | None:
        """The `gradient` is the root of the sum, over the elements, of the running means of the squared gradients: it
        is comparable to a norm.
        """
        for group, means, squares in zip(self.groups, self.m, self.v, strict=True):
            for p, m, v in zip(group.parameters, means, squares, strict=True):
                if p is parameter and self.t:
                    beta1, beta2 = self.betas
                    slope = v / (1 - beta2**self.t)
                    direction = m / (1 - beta1**self.t) / (slope.sqrt() + self.eps)
                    change = self.lr * group.scale * (direction + group.weight_decay * p)
                    return LastUpdate(change, float(slope.sum().sqrt()))
        return None
