"""What is done to the gradients between `backward` and the step: the L1 penalty, then clipping."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from limpide.core.recipe import Recipe

GradientChange = Callable[[nn.Module], None]  # changes the gradients of a network in place


def clip_norm(largest: float) -> GradientChange:
    """Scale all gradients together down to this norm if their norm is larger (Pascanu et al. 2013, arXiv 1211.5063,
    algorithm 1).
    """

    def clip(model: nn.Module) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), largest)

    return clip


def penalize(l1: float) -> GradientChange:
    """Add the gradient of l1 · Σ|w|, over the same weights that decay: biases and normalisation weights are left out.
    At 0 the gradient is 0 (Tibshirani 1996; a subgradient).
    """

    @torch.no_grad()
    def penalty(model: nn.Module) -> None:
        for parameter in model.parameters():
            if parameter.grad is not None and parameter.ndim > 1:
                parameter.grad.add_(parameter.sign(), alpha=l1)

    return penalty


def gradient_changes(recipe: Recipe) -> list[GradientChange]:
    """What the recipe asks for, in the order in which it is done."""
    changes = [penalize(recipe.l1)] if recipe.l1 else []
    return changes + ([clip_norm(recipe.clip)] if recipe.clip is not None else [])
