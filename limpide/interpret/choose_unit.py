"""Which unit is opened by default? One rule for the report, `limpide explain`, `limpide.see` and the studio."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.interpret.trace import Op, Trace, record_calls
from limpide.interpret.unit import Unit, unit_of
from limpide.text.messages import N_, message

MIN_CONTRAST = 0.05  # of the largest in the layer: below, the unit sees nearly one shade


def choose_unit(model: nn.Module, seen: Trace, layer: str | None = None) -> Unit:
    """The unit that matters most for the answer: in this layer, the one with the largest value times the gradient of
    the likeliest logit.

    Value × gradient is, to first order, what the logit would lose without the unit; its sign does not count. In a
    convolution, units that see something come first: no padding, and not one shade everywhere. Where there is no
    gradient, the largest value counts.

    Why not simply the largest value: a large number that the network then discards (under a maximum, before a ReLU, or
    with weights that are nearly zero) takes a reader's time and explains nothing. This unit speaks for the answer or
    against it, and what a reader learns from its products is part of the reason for the answer.

    layer: as in `why`; without it the first convolution, or in a network without one the first linear layer. Raises
    KeyError for an unknown layer, TypeError for a network that has neither kind.
    """
    op = _first(seen) if layer is None else seen.find(layer)
    moved = influence(model, seen, op.index)
    tried = (moved * _sees_something(op), moved, op.output[0].abs())
    chosen = next((values for values in tried if float(values.max()) > 0), moved)
    # torch's own unravel_index loads a library for symbolic mathematics, which takes a second
    place = [int(k) for k in np.unravel_index(int(chosen.argmax()), tuple(chosen.shape))]
    channel, y, x = {1: (place[0], 0, 0), 2: (place[-1], place[0], 0)}.get(len(place)) or (place[0], place[1], place[2])
    return unit_of(seen, op.key, channel, y, x)


def influence(model: nn.Module, seen: Trace, index: int) -> Tensor:
    """value × gradient of the likeliest logit| of each number that this operation outputs, without the first axis; 0
    where there is no gradient.
    """
    bump = torch.zeros_like(seen.ops[index].output, requires_grad=True)

    def change(k: int, output: Tensor) -> Tensor:
        return output + bump if k == index else output

    with torch.enable_grad():
        best = record_calls(model, seen.image, change).output[0].max()
        slope = torch.autograd.grad(best, bump, allow_unused=True)[0] if best.requires_grad else None
    value = seen.ops[index].output
    return (value * (torch.zeros_like(value) if slope is None else slope)).abs()[0]


def _first(trace: Trace) -> Op:
    layers = [op for op in trace.ops if op.name in ("conv2d", "linear")]
    if not layers:
        raise TypeError(message(N_("this network has no convolution and no linear layer to open")))
    return next((op for op in layers if op.name == "conv2d"), layers[0])


def _sees_something(op: Op) -> Tensor:
    """1 where the input of the unit has no padding and is not nearly constant, else 0: (height, width) for the maps of
    a convolution; for other operations just 1.
    """
    if op.name != "conv2d":
        return torch.ones(())
    entered, weight = op.args[0].value, op.argument(1, "weight")
    stride, padding, dilation = op.argument(3, "stride", 1), op.argument(4, "padding", 0), op.argument(5, "dilation", 1)
    even = torch.full((1, 1, *weight.shape[2:]), 1 / weight[0, 0].numel())
    grey = entered.mean(1, keepdim=True)
    mean, square, covered = (
        F.conv2d(v, even, None, stride, padding, dilation)[0, 0] for v in (grey, grey * grey, torch.ones_like(grey))
    )
    contrast = (square - mean * mean).clamp(min=0).sqrt() * (covered > 1 - 1e-4)
    return (contrast > MIN_CONTRAST * contrast.max()).float()
