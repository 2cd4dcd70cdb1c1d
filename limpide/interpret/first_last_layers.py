"""The two ends of a network as arrays: the first layer with its image, the last layer with its features.

With these, each of their numbers can be computed again without torch and compared with what torch computed: the report
does so in the reader's browser.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpide.interpret.rules.linear import normalization, same_padding
from limpide.interpret.rules.terms import Unknown, pair
from limpide.interpret.trace import Op, Source, Trace
from limpide.interpret.unit import values_after

MAX_BYTES = 1_500_000  # of both ends: what a page sent by mail can carry, encoded in base64
MAX_OF_LAST = 400_000  # of these, for the last layer
MAX_CHANNELS = 32  # whose maps are kept: more cannot be looked through
# The operations that arithmetic.js can apply to a number of the first layer on its way to the next one; batch
# normalization is a factor and a shift for each channel.
STEPS = ("batch_norm", "dropout", "relu", "relu6", "silu", "hardswish", "sigmoid", "tanh")
# operations that may be applied to an image on its way into the first convolution
BEFORE = ("pad", "contiguous", "clone", "to", "float")


def first_and_last(seen: Trace, channel: int = 0) -> dict[str, np.ndarray]:
    """ "first.…" and "last.…" → array (docs/reference/run-format.md). An end is left out if it is not a convolution or
    a linear layer, or if it is too large.

    channel: one of the first layer, which is always kept.
    """
    last = _last(seen)
    first = _first(seen, channel, MAX_BYTES - sum(array.nbytes for array in last.values()))
    return {f"first.{name}": array for name, array in first.items()} | {
        f"last.{name}": array for name, array in last.items()
    }


@dataclass(frozen=True)
class _Convolution:
    """The first layer as a convolution of the image."""

    image: Tensor  # its input, (1, channels, height, width)
    weight: Tensor
    output: Tensor  # (1, channels, height, width)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


def _first(trace: Trace, channel: int, room: int) -> dict[str, np.ndarray]:
    """The arrays of the first layer, with as many of its channels as fit into `room` bytes."""
    op = next((op for op in trace.ops if op.name in ("conv2d", "linear")), None)
    layer = _as_convolution(trace, op) if op is not None else None
    if op is None or layer is None:
        return {}
    channels = _strongest_channels(layer, channel, room)
    if channels is None:
        return {}
    bias = op.argument(2, "bias")
    return {
        "name": np.array(op.key),
        "input": _floats(layer.image[0]),
        "weight": _floats(layer.weight[channels]),
        "bias": _floats(_tensor(bias)[channels] if bias is not None else torch.zeros(len(channels))),
        "output": _floats(layer.output[0, channels]),
        "channels": channels.numpy(),
        "outputs": np.array(len(layer.weight)),
        "stride": np.array(layer.stride),
        "padding": np.array(layer.padding),
        "dilation": np.array(layer.dilation),
        "groups": np.array(layer.groups),
    } | _after(trace, op, channels)


def _as_convolution(trace: Trace, op: Op) -> _Convolution | None:
    """The layer as a convolution; None where its input is not the image."""
    weight, entered, output = _tensor(op.argument(1, "weight")), op.args[0].value, op.output
    if op.name == "linear":  # on the whole image: a convolution whose kernel is as large as the image
        if output.ndim != 2 or not torch.equal(entered.reshape(-1), trace.image.reshape(-1)):
            return None
        return _Convolution(trace.image, weight.reshape(-1, *trace.image.shape[1:]), output[:, :, None, None])
    if entered.ndim != 4 or not _is_from_image(trace, op):
        return None
    stride, dilation = pair(op.argument(3, "stride", 1)), pair(op.argument(5, "dilation", 1))
    padding = _padding_of(op, weight, dilation)
    return _Convolution(entered, weight, output, stride, padding, dilation, op.argument(6, "groups", 1))


def _padding_of(op: Op, weight: Tensor, dilation: tuple[int, int]) -> tuple[int, int]:
    padding = op.argument(4, "padding", 0)
    if padding == "same":
        return same_padding((weight.shape[2], weight.shape[3]), dilation)
    return (0, 0) if padding == "valid" else pair(padding)


def _strongest_channels(layer: _Convolution, channel: int, room: int) -> Tensor | None:
    """The channels with the largest numbers, and `channel`, in ascending order; None where not even one fits into
    `room` bytes.
    """
    each = 4 * (layer.weight[0].numel() + layer.output[0, 0].numel() + 2)
    n = min(MAX_CHANNELS, len(layer.weight), (room - 4 * layer.image.numel()) // each)
    if n < 1:
        return None
    strength = layer.output[0].abs().amax((1, 2))
    strength[channel] = torch.inf
    return strength.argsort(descending=True, stable=True)[:n].sort().values


def _after(trace: Trace, op: Op, channels: Tensor) -> dict[str, np.ndarray]:
    """The following steps that can be computed again: their keys and names, and the factor and shift of each kept
    channel; 1 and 0 for a step without them.
    """
    keys, names, slopes, shifts = [], [], [], []
    for step in values_after(trace, op):
        slope, shift = torch.ones(len(channels)), torch.zeros(len(channels))
        bounds = [value for value in (*step.args[1:], *step.kwargs.values()) if not isinstance(value, bool)]
        if step.name == "batch_norm":
            try:
                slope, shift = (one[channels] for one in normalization(step))
            except Unknown:
                break
        elif step.name not in STEPS or (step.name == "relu6" and bounds not in ([], [0.0, 6.0])):
            break
        keys.append(step.key)
        names.append(step.name)
        slopes.append(_floats(slope.float()))
        shifts.append(_floats(shift.float()))
    if not keys:
        return {}
    return {
        "after": np.array(keys),
        "after_names": np.array(names),
        "slopes": np.stack(slopes),
        "shifts": np.stack(shifts),
    }


def _is_from_image(trace: Trace, op: Op) -> bool:
    at: int = op.args[0].op
    while at >= 0 and trace.ops[at].name in BEFORE:
        at = trace.ops[at].inputs[0].op
    return at == -1


def _last(trace: Trace) -> dict[str, np.ndarray]:
    op = trace.ops[-1] if trace.ops else None
    if op is None or op.name != "linear" or op.output.ndim != 2:
        return {}
    weight, bias, logits = _tensor(op.argument(1, "weight")), op.argument(2, "bias"), op.output[0]
    n = min(len(weight), (MAX_OF_LAST - 4 * weight.shape[1]) // (4 * weight.shape[1] + 16))
    if n < 1:
        return {}
    classes = logits.argsort(descending=True, stable=True)[:n].sort().values
    return {
        "name": np.array(op.key),
        "features": _floats(op.args[0].value[0]),
        "weight": _floats(weight[classes]),
        "bias": _floats(_tensor(bias)[classes] if bias is not None else torch.zeros(n)),
        "logits": _floats(logits[classes]),
        "classes": classes.numpy(),
    }


def _tensor(value: Tensor | Source) -> Tensor:
    return value.value if isinstance(value, Source) else value


def _floats(value: Tensor) -> np.ndarray:
    return np.ascontiguousarray(value.detach().numpy(), np.float32)
