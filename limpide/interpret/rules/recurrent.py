"""Recurrent cells: the equations of torch.nn.LSTM, GRU and RNN (Hochreiter & Schmidhuber 1997, Cho et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limpide.interpret.rules.terms import Index, Terms, Unknown
from limpide.interpret.trace import Op, Source


@dataclass(frozen=True)
class CellState:
    """The result of one step: the state (units,), the memory cell of an LSTM, and the gates that made them."""

    hidden: Tensor
    cell: Tensor
    gates: dict[str, Tensor]


def recurrent(op: Op, place: Index) -> Terms:
    """One layer, one direction, computed from the first step on in 64 bits; the gates are those of the requested
    step.
    """
    x, weights = op.args[0], op.args[2]
    if not _is_explained(op):
        raise Unknown
    steps, size, width = x.value.shape[1], op.output.shape[-1], x.value.shape[-1]
    t, unit = (place[1] if op.part == 0 else steps - 1), place[2]  # other parts are the last step's state
    w, u, b, c = (tensor.double() for tensor in weights)
    start = torch.zeros(size).double()
    state = before = CellState(start, start, {})
    for k in range(t + 1):
        before = state
        state = advance_cell(op.name, w @ x.value[0, k].double() + b, u @ before.hidden + c, before)
    memory = Source(op.index - op.part, op.output)  # its own output, one step before
    return Terms(
        "several",
        torch.cat([x.value[0, t].double(), before.hidden]),
        torch.zeros(width + size).double(),
        [
            (x, torch.arange(t * width, (t + 1) * width)),
            (memory, torch.arange((t - 1) * size, t * size) if t else torch.full((size,), -1)),
        ],
        0.0,
        float((state.cell if op.name == "lstm" and op.part == 2 else state.hidden)[unit]),
        op.name,
        scale=10.0,  # rounding adds up over the steps; the values lie between −1 and 1
        parts={name: float(gate[unit]) for name, gate in state.gates.items()},
    )


def _is_explained(op: Op) -> bool:
    """Whether it is one layer with biases, one direction, batch first, from a state of zeros."""
    x, hidden, _weights, bias, layers, _, _, both_ways, batch_first = op.args
    if layers != 1 or both_ways or not bias or not batch_first or not isinstance(x, Source):
        return False
    return not any(h.abs().max() > 0 for h in _flatten(hidden))


def advance_cell(kind: str, a: Tensor, r: Tensor, before: CellState) -> CellState:
    """One step. a: the contribution of the input to each gate, r: that of the previous state; both (gates · units,)."""
    size = len(before.hidden)
    if kind == "lstm":
        i, f, g, o = (a + r).split(size)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        cell = f * before.cell + i * g
        gates = {"input gate": i, "forget gate": f, "candidate": g, "output gate": o, "cell": cell}
        return CellState(o * cell.tanh(), cell, gates)
    if kind == "gru":
        (ar, az, an), (rr, rz, rn) = a.split(size), r.split(size)
        reset, update = (ar + rr).sigmoid(), (az + rz).sigmoid()
        candidate = (an + reset * rn).tanh()
        gates = {"reset gate": reset, "update gate": update, "candidate": candidate}
        return CellState((1 - update) * candidate + update * before.hidden, before.cell, gates)
    return CellState(torch.tanh(a + r) if kind == "rnn_tanh" else torch.relu(a + r), before.cell, {})


def _flatten(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else [tensor for item in value for tensor in _flatten(item)]
