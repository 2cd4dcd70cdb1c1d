"""Recurrent cells: the equations of torch.nn.LSTM, GRU and RNN (Hochreiter & Schmidhuber 1997, Cho et al. 2014)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from limpide.interpret.rules.terms import Index, Terms, Unknown
from limpide.interpret.trace import Op, Source


def recurrent(op: Op, place: Index) -> Terms:
    """One layer, one direction, read from the first step on in 64 bits; the gates are those of the step that is asked
    for.
    """
    x, hidden, weights, bias, layers, _, _, both_ways, batch_first = op.args
    if (
        layers != 1
        or both_ways
        or not bias
        or not batch_first
        or not isinstance(x, Source)
        or any(True for h in _flattened(hidden) if h.abs().max() > 0)
    ):
        raise Unknown
    steps, size = x.value.shape[1], op.output.shape[-1]
    if op.part == 0:
        _, t, unit = place
    else:  # the last step's state
        _, _, unit = place
        t = steps - 1
    w, u, b, c = (tensor.double() for tensor in weights)
    h = cell = torch.zeros(size).double()
    before, parts = h, {}
    for k in range(t + 1):
        before = h
        a, r = w @ x.value[0, k].double() + b, u @ h + c
        if op.name == "lstm":
            i, f, g, o = (a + r).split(size)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            cell = f * cell + i * g
            h = o * cell.tanh()
            parts = {"input gate": i, "forget gate": f, "candidate": g, "output gate": o, "cell": cell}
        elif op.name == "gru":
            (ar, az, an), (rr, rz, rn) = a.split(size), r.split(size)
            reset, update = (ar + rr).sigmoid(), (az + rz).sigmoid()
            candidate = (an + reset * rn).tanh()
            h = (1 - update) * candidate + update * h
            parts = {"reset gate": reset, "update gate": update, "candidate": candidate}
        else:
            h = torch.tanh(a + r) if op.name == "rnn_tanh" else torch.relu(a + r)
    value = float((cell if op.name == "lstm" and op.part == 2 else h)[unit])
    width = x.value.shape[-1]
    own = Source(op.index - op.part, op.output)  # what it remembers: its output one step before
    return Terms(
        "several",
        torch.cat([x.value[0, t].double(), before]),
        torch.zeros(width + size).double(),
        [
            (x, torch.arange(t * width, (t + 1) * width)),
            (own, torch.arange((t - 1) * size, t * size) if t else torch.full((size,), -1)),
        ],
        0.0,
        value,
        op.name,
        scale=10.0,  # rounding adds up over the steps; the values lie between −1 and 1
        parts={name: float(gate[unit]) for name, gate in parts.items()},
    )


def _flattened(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else [tensor for item in value for tensor in _flattened(item)]
