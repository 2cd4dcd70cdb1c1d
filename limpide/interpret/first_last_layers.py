"""The two ends of a network as arrays: its first layer with the image that it saw, its last one with the features that
it weighed.

Whoever has them can work out each of their numbers again, without torch, and hold it against what torch computed: the
report does, in the reader's browser.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from limpide.interpret.rules.linear import normalization, same_padding
from limpide.interpret.rules.terms import Unknown, pair
from limpide.interpret.trace import Op, Source, Trace
from limpide.interpret.unit import values_after

MAX_BYTES = 1_500_000  # of both ends: what a page that is sent by mail can carry, written in base64
MAX_OF_LAST = 400_000  # of these, for the last layer
MAX_CHANNELS = 32  # whose maps are kept: more cannot be looked through
# What arithmetic.js can do to a number of the first layer on its way to the next one; batch normalization is a slope
# and a shift of each channel.
STEPS = ("batch_norm", "dropout", "relu", "relu6", "silu", "hardswish", "sigmoid", "tanh")
# what may happen to an image on its way into the first convolution
BEFORE = ("pad", "contiguous", "clone", "to", "float")


def first_and_last(seen: Trace, channel: int = 0) -> dict[str, np.ndarray]:
    """ "first.…" and "last.…" → array (docs/run-format.md); without an end that is no convolution and no linear layer,
    or too large.

    channel: one of the first layer that is kept, whichever others are.
    """
    last = _last(seen)
    first = _first(seen, channel, MAX_BYTES - sum(array.nbytes for array in last.values()))
    return {f"first.{name}": array for name, array in first.items()} | {
        f"last.{name}": array for name, array in last.items()
    }


def _first(seen: Trace, channel: int, room: int) -> dict[str, np.ndarray]:
    op = next((op for op in seen.ops if op.name in ("conv2d", "linear")), None)
    if op is None:
        return {}
    weight, bias, entered, output = (
        _tensor(op.argument(1, "weight")),
        op.argument(2, "bias"),
        op.args[0].value,
        op.output,
    )
    stride, padding, dilation, groups = (1, 1), (0, 0), (1, 1), 1
    if op.name == "linear":  # on the whole image: a convolution whose kernel is as large as the image
        if output.ndim != 2 or not torch.equal(entered.reshape(-1), seen.image.reshape(-1)):
            return {}
        entered, weight, output = seen.image, weight.reshape(-1, *seen.image.shape[1:]), output[:, :, None, None]
    else:
        if entered.ndim != 4 or not _from_the_image(seen, op):
            return {}
        stride, dilation = pair(op.argument(3, "stride", 1)), pair(op.argument(5, "dilation", 1))
        asked, groups = op.argument(4, "padding", 0), op.argument(6, "groups", 1)
        padding = (
            same_padding((weight.shape[2], weight.shape[3]), dilation)
            if asked == "same"
            else (0, 0)
            if asked == "valid"
            else pair(asked)
        )
    each = 4 * (weight[0].numel() + output[0, 0].numel() + 2)
    n = min(MAX_CHANNELS, len(weight), (room - 4 * entered.numel()) // each)
    if n < 1:
        return {}
    strength = output[0].abs().amax((1, 2))
    strength[channel] = torch.inf
    channels = strength.argsort(descending=True, stable=True)[:n].sort().values
    return {
        "name": np.array(op.key),
        "input": _floats(entered[0]),
        "weight": _floats(weight[channels]),
        "bias": _floats(_tensor(bias)[channels] if bias is not None else torch.zeros(n)),
        "output": _floats(output[0, channels]),
        "channels": channels.numpy(),
        "outputs": np.array(len(weight)),
        "stride": np.array(stride),
        "padding": np.array(padding),
        "dilation": np.array(dilation),
        "groups": np.array(groups),
    } | _after(seen, op, channels)


def _after(seen: Trace, op: Op, channels: Tensor) -> dict[str, np.ndarray]:
    """The steps that follow, as far as they can be done again: their keys, names, and of each kept channel slope and
    shift; 1 and 0 where there are none.
    """
    keys, names, slopes, shifts = [], [], [], []
    for step in values_after(seen, op):
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


def _from_the_image(seen: Trace, op: Op) -> bool:
    at: int = op.args[0].op
    while at >= 0 and seen.ops[at].name in BEFORE:
        at = seen.ops[at].inputs[0].op
    return at == -1


def _last(seen: Trace) -> dict[str, np.ndarray]:
    op = seen.ops[-1] if seen.ops else None
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
