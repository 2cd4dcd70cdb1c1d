"""What the loop, a checkpoint and the statistics know of a rule by which weights change: this, and nothing
else of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class LastUpdate:
    """Of one parameter, for whoever watches."""

    change: Tensor  # what the last step took from it, in its shape
    gradient: float  # norm of its gradient, as the rule remembers it


class Optimizer(Protocol):
    """One rule. `OPTIMIZERS` lists the rules that a training can follow."""

    def step(self, lr: float) -> None:
        """One update from the gradients that `backward` left; parameters without a gradient stay as they are."""

    def zero_grad(self) -> None:
        """Forgets the gradients."""

    def state(self) -> dict[str, Tensor]:
        """Every tensor that a resume needs, under a name: the tensors themselves, not copies."""

    def numbers(self) -> dict[str, Any]:
        """Every number that a resume needs: JSON values."""

    def identity(self) -> dict[str, Any]:
        """What the state belongs to, `name` among it: JSON values, lists and no tuples. A checkpoint of another
        identity is refused.
        """

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The opposite of `state` and `numbers`, in place: memory layout and device stay what they are."""

    def last_update(self, parameter: nn.Parameter) -> LastUpdate | None:
        """None before the first step, of a parameter that the rule does not change, and where the rule does
        not know.
        """
