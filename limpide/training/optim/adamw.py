"""AdamW, written out. PyTorch's own gives the same numbers (a test holds them equal) but loads its compiler first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class ParameterGroup:
    """Parameters that share a rate: `scale` multiplies the learning rate of the step."""

    parameters: list[nn.Parameter]
    scale: float = 1.0
    weight_decay: float = 0.0
    m: list[Tensor] = field(default_factory=list)  # running mean of the gradients
    v: list[Tensor] = field(default_factory=list)  # running mean of their squares

    def __post_init__(self) -> None:
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]


class AdamW:
    """Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2, for each parameter p with gradient g at step t:

    m = β₁ m + (1 − β₁) g
    v = β₂ v + (1 − β₂) g²
    p = p − lr · decay · p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
    """

    def __init__(
        self, groups: Sequence[ParameterGroup], betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.groups, self.betas, self.eps, self.t = list(groups), betas, eps, 0

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """One update from the gradients that `backward` left; parameters without a gradient stay as they are."""
        self.t += 1
        beta1, beta2 = self.betas
        for group in self.groups:
            rows = [
                (p, p.grad, m, v)
                for p, m, v in zip(group.parameters, group.m, group.v, strict=True)
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


def parameter_groups(
    model: nn.Module, weight_decay: float, scales: Sequence[tuple[str, float]] = ()
) -> list[ParameterGroup]:
    """One group a (rate scale, decayed or not). `scales`: (prefix of the parameter's name, scale), the first match
    counts.

    Biases and normalisation weights (one axis) are not decayed: shrinking them regularises nothing.
    """
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = next((s for prefix, s in scales if name.startswith(prefix)), 1.0)
            decay = weight_decay if parameter.ndim > 1 else 0.0
            found.setdefault((scale, decay), []).append(parameter)
    return [ParameterGroup(parameters, scale, decay) for (scale, decay), parameters in found.items()]
