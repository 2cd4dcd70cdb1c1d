"""The interface of an optimizer, and what all of limpide's own share: groups of parameters, and tensors remembered from
step to step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from limpide.training.optim.groups import ParameterGroup, describe_groups


class Optimizer(Protocol):
    """One optimizer. `OPTIMIZERS` lists those that a training can use."""

    def step(self, lr: float) -> None:
        """Update the parameters from the gradients of `backward`; those without a gradient stay unchanged."""

    def zero_grad(self) -> None:
        """Clear the gradients."""

    def state(self) -> dict[str, Tensor]:
        """Every tensor that a resume needs, by name: the tensors themselves, not copies. They are zero before the first
        step.
        """

    def numbers(self) -> dict[str, Any]:
        """Every number that a resume needs: JSON values."""

    def identity(self) -> dict[str, Any]:
        """What the state belongs to, including `name`: JSON values, with lists and not tuples. A checkpoint with
        another identity is refused.
        """

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Restore `state` and `numbers` in place: memory layout and device do not change."""

    def last_update(self, parameter: nn.Parameter) -> Tensor | None:
        """What the last step subtracted from a parameter, in its shape. None before the first step, for a parameter
        that the optimizer does not change, and if the optimizer does not know.
        """


class GroupOptimizer(ABC):
    """An optimizer as its rule alone: a subclass says which tensors it remembers of each parameter (`remembers`), how a
    step changes them and the parameters (`update`), and what the last step was (`direction`).
    """

    name: ClassVar[str]
    remembers: ClassVar[tuple[str, ...]]  # one that is called g is the last gradient, and stands first
    # Whether weight decay shrinks the weights by themselves (Loshchilov & Hutter 2019); otherwise decay · p is added to
    # the gradient, as an L2 penalty does.
    decoupled: ClassVar[bool] = False

    def __init__(self, groups: Sequence[ParameterGroup]) -> None:
        self.groups = list(groups)
        self.t, self.lr = 0, 0.0  # steps done, and the rate of the last one
        # by group, by parameter, in the order of `remembers`
        self.memory = [[[torch.zeros_like(p) for _ in self.remembers] for p in g.parameters] for g in self.groups]

    @abstractmethod
    def update(
        self, parameters: list[Tensor], gradients: list[Tensor], memory: list[list[Tensor]], rate: float
    ) -> None:
        """Change parameters and memory in place. memory: a list of tensors for each name in `remembers`, parallel to
        the parameters.
        """

    @abstractmethod
    def direction(self, memory: list[Tensor]) -> Tensor:
        """What the last step subtracted from a parameter, divided by its rate, from what is remembered of it."""

    @torch.no_grad()
    def step(self, lr: float) -> None:
        self.t, self.lr = self.t + 1, lr
        for group, memory in zip(self.groups, self.memory, strict=True):
            learning = [k for k, p in enumerate(group.parameters) if p.grad is not None]
            if not learning:
                continue
            parameters: list[Tensor] = [group.parameters[k] for k in learning]
            gradients = [p.grad for p in parameters if p.grad is not None]
            rate = lr * group.scale
            if group.weight_decay and self.decoupled:
                torch._foreach_mul_(parameters, 1 - rate * group.weight_decay)
            elif group.weight_decay:
                gradients = list(torch._foreach_add(gradients, parameters, alpha=group.weight_decay))
            columns = [[memory[k][place] for k in learning] for place in range(len(self.remembers))]
            if self.remembers[0] == "g":
                torch._foreach_copy_(columns[0], gradients)
            self.update(parameters, gradients, columns, rate)

    def zero_grad(self) -> None:
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        return {
            f"{g}.{name}.{k}": tensors[place]
            for place, name in enumerate(self.remembers)
            for g, memory in enumerate(self.memory)
            for k, tensors in enumerate(memory)
        }

    def numbers(self) -> dict[str, Any]:
        return {"t": self.t, "lr": self.lr}

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "groups": describe_groups(self.groups)}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        for name, tensor in self.state().items():
            tensor.copy_(tensors[name])
        self.t, self.lr = numbers["t"], numbers["lr"]

    @torch.no_grad()
    def last_update(self, parameter: nn.Parameter) -> Tensor | None:
        for group, memory in zip(self.groups, self.memory, strict=True):
            for p, tensors in zip(group.parameters, memory, strict=True):
                if p is parameter and self.t:
                    change = self.direction(tensors)
                    if self.decoupled:
                        change = change + group.weight_decay * p
                    return self.lr * group.scale * change
        return None
