"""Groups of parameters that share a learning rate and a weight decay: the same groups for every optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn


@dataclass
class ParameterGroup:
    """Parameters that share a learning rate: `scale` multiplies the learning rate of the step."""

    parameters: list[nn.Parameter]
    scale: float = 1.0
    weight_decay: float = 0.0


def parameter_groups(
    model: nn.Module, weight_decay: float, scales: Sequence[tuple[str, float]] = ()
) -> list[ParameterGroup]:
    """One group per (rate scale, decayed or not). `scales`: (prefix of the parameter's name, scale); the first match
    counts.

    Biases and normalisation weights (one axis) are not decayed: shrinking them regularises nothing.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = next((s for prefix, s in scales if name.startswith(prefix)), 1.0)
            decay = weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((scale, decay), []).append(parameter)
    return [ParameterGroup(parameters, scale, decay) for (scale, decay), parameters in groups.items()]


def describe_groups(groups: Sequence[ParameterGroup]) -> list[list[float]]:
    """[rate scale, weight decay, number of parameters] of each: what the state of an optimizer belongs to."""
    return [[group.scale, group.weight_decay, len(group.parameters)] for group in groups]
