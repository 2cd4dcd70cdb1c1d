"""The effect of a unit: the classes that it supports, and the answer when it is switched off or when one of its weights
is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from limpide.interpret.trace import Trace, record_calls, trace
from limpide.text.messages import N_, message


def class_votes(
    model: nn.Module, seen: Trace, index: int, place: Sequence[int], classes: int = 10
) -> list[tuple[int, float]]:
    """Return (class, gradient of its logit with respect to this unit's value) for the likeliest classes: a positive one
    speaks for the class, a negative one against it.

    index: of the operation in `seen`; place: in its output, the first axis (the image) included.
    """
    bump = torch.zeros((), requires_grad=True)

    def change(k: int, output: Tensor) -> Tensor:
        if k != index:
            return output
        one = torch.zeros_like(output)
        one[tuple(place)] = 1.0
        return output + bump * one

    with torch.enable_grad():
        logits = record_calls(model, seen.image, change).output[0]
        order = logits.detach().argsort(descending=True)[:classes].tolist()
        votes = []
        for k in order:
            (slope,) = torch.autograd.grad(logits[k], bump, retain_graph=True, allow_unused=True)
            votes.append((k, float(slope) if slope is not None else 0.0))
    return votes


def without_channel(model: nn.Module, seen: Trace, index: int, channel: int) -> Tensor:
    """Logits (classes,) when this channel of the operation outputs 0 everywhere. A vector's channel is its last
    axis.
    """

    def change(k: int, output: Tensor) -> Tensor:
        if k != index:
            return output
        output = output.clone()
        if output.ndim == 4:
            output[:, channel] = 0
        else:
            output[..., channel] = 0
        return output

    return trace(model, seen.image, change).output[0]


@torch.no_grad()
def with_weight(model: nn.Module, seen: Trace, index: int, channel: int, place: int, value: float) -> Tensor:
    """Logits (classes,) when one weight of a convolution or linear layer is `value`. The network is restored
    afterwards.

    place: flat, among the weights of this channel. Raises TypeError for an operation without weights of this kind.
    """
    op = seen.ops[index]
    weight = op.argument(1, "weight")
    if op.name not in ("conv2d", "linear") or not any(p.data_ptr() == weight.data_ptr() for p in model.parameters()):
        raise TypeError(message(N_("only a weight that is a parameter of the network can be changed")))
    row = weight[channel].view(-1)  # a view: writing to it changes the parameter
    before = row[place].clone()
    try:
        row[place] = value
        return trace(model, seen.image).output[0]
    finally:
        row[place] = before
