"""Gradient clipping, between `backward` and the step."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

Clip = Callable[[nn.Module], None]  # changes the gradients of a network in place


def clip_norm(largest: float) -> Clip:
    """Scale all gradients together down to this norm if their norm is larger (Pascanu et al. 2013, arXiv 1211.5063,
    algorithm 1).
    """

    def clip(model: nn.Module) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), largest)

    return clip
