"""Functions of one number, and softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limpide.interpret.rules.terms import Index, Terms, Unknown, broadcast_place, doubles, flat_place
from limpide.interpret.trace import Op


def _relu6(x: Tensor, min_val: float = 0.0, max_val: float = 6.0) -> Tensor:
    """ReLU6; called with its bounds where the layer is nn.ReLU6 (interpret/trace.py)."""
    return F.hardtanh(x, min_val, max_val)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": torch.relu,
    "relu6": _relu6,
    "hardtanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "silu": F.silu,
    "gelu": F.gelu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "clamp": torch.clamp,
    "pow": torch.pow,
}


def elementwise(op: Op, place: Index) -> Terms:
    source = op.args[0]
    if len(op.inputs) != 1:
        raise Unknown
    at = flat_place(source.value.shape, place)
    before = source.value.reshape(-1)[at : at + 1].double()
    kwargs = {name: _value_at(value, place) for name, value in op.kwargs.items() if name != "inplace"}
    result = FUNCTIONS[op.name](
        before, *[_value_at(value, place) for value in op.args[1:] if not isinstance(value, bool)], **kwargs
    )
    value = float(result)
    return Terms(
        "function",
        before,
        doubles([1.0]),
        [(source, torch.tensor([at]))],
        0.0,
        value,
        op.name,
        scale=abs(float(before)) + abs(value),
    )


def _value_at(value: Any, place: Index) -> Any:
    """The value of a bound or an exponent at this place: it may be a tensor that is broadcast over the input."""
    return value[broadcast_place(place, value.shape)].double() if isinstance(value, Tensor) else value


def softmax(op: Op, place: Index) -> Terms:
    x, axis = op.args[0], op.argument(1, "dim")
    axis = axis % x.value.ndim
    grid = torch.arange(x.value.numel()).reshape(x.value.shape)
    places = grid[tuple(slice(None) if k == axis else at for k, at in enumerate(place))]
    values = x.value.reshape(-1)[places].double()
    value = float(values.softmax(0)[place[axis]])
    return Terms("several", values, torch.zeros(len(values)).double(), [(x, places)], 0.0, value, "softmax", scale=1.0)
