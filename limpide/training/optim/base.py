"""The interface of an optimizer: all that the loop, a checkpoint and the statistics know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class LastUpdate:
    """The last update of one parameter, for monitoring."""

    change: Tensor  # what the last step subtracted from it, in its shape
    gradient: float  # norm of its gradient, as the optimizer remembers it


class Optimizer(Protocol):
    """One optimizer. `OPTIMIZERS` lists those that a training can use."""

    def step(self, lr: float) -> None:
        """Update the parameters from the gradients of `backward`; those without a gradient stay unchanged."""

    def zero_grad(self) -> None:
        """Clear the gradients."""

    def state(self) -> dict[str, Tensor]:
        """Every tensor that a resume needs, by name: the tensors themselves, not copies."""

    def numbers(self) -> dict[str, Any]:
        """Every number that a resume needs: JSON values."""

    def identity(self) -> dict[str, Any]:
        """What the state belongs to, including `name`: JSON values, with lists and not tuples. A checkpoint with
        another identity is refused.
        """

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Restore `state` and `numbers` in place: memory layout and device do not change."""

    def last_update(self, parameter: nn.Parameter) -> LastUpdate | None:
        """None before the first step, for a parameter that the optimizer does not change, and if the optimizer does
        not know.
        """
