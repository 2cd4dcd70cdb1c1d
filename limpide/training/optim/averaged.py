"""Averaged weights: a running mean that is judged and kept in place of the last weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Averaged:
    """After every update, for each weight w (Polyak & Juditsky 1992):

    mean = decay · mean + (1 − decay) · w
    """

    decay: float
    weights: dict[str, Tensor]  # the means, by name in the network; buffers included

    @classmethod
    def of(cls, model: nn.Module, decay: float) -> Averaged:
        """Start from the current weights."""
        return cls(decay, {name: value.detach().clone() for name, value in model.state_dict().items()})

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - self.decay)
            else:  # a count has no mean
                self.weights[name].copy_(value)

    @contextlib.contextmanager
    def placed_in(self, model: nn.Module) -> Iterator[None]:
        """Context manager: the network has the means as its weights inside it."""
        current = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        try:
            yield
        finally:
            model.load_state_dict(current)
