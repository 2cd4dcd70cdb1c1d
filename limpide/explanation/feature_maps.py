"""The outputs of a network's layers for one image, as maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from limpide.explanation.record import (
    Maps,
)

if TYPE_CHECKING:
    from torch import nn

    from limpide.interpret.trace import Op, Trace

STAGES = 5  # the number of map sizes shown
STRONGEST = 8  # maps of each


def stages_of(seen: Trace, network: nn.Module) -> list[Maps]:
    """The last maps of each size, at most STAGES sizes; for a network without maps, the outputs of its linear
    layers.
    """
    last: dict[tuple[int, ...], Op] = {}
    for op in seen.ops:
        if op.output.ndim == 4 and min(op.output.shape[2:]) > 1 and op.name not in ("getitem", "pad"):
            last[tuple(op.output.shape[2:])] = op
    chosen = list(last.values()) or [op for op in seen.ops if op.name == "linear"]
    return [maps_of(op, network) for op in chosen[-STAGES:]]


def maps_of(op: Op, network: nn.Module, most: int = STRONGEST) -> Maps:
    """The maps of an operation with the largest numbers."""
    planes = planes_of(op)
    shape = tuple(op.output.shape[1:])
    facts = (op.key, kind_of(op, network), shape)
    ends = float(planes.min(initial=0.0)), float(planes.max(initial=0.0))
    if op.output.ndim != 4:
        return Maps(*facts, (), planes[:, 0].T[None], *ends)  # (1, tokens, channels)
    # many maps may be clipped at 6: then those with the larger spread come first
    order = np.lexsort((-planes.std((1, 2)), -np.abs(planes).max((1, 2))))[:most]
    return Maps(*facts, tuple(order.tolist()), planes[order], *ends)


def planes_of(op: Op) -> np.ndarray:
    """Its output as float32 (channels, height, width); a vector as (n, 1, 1), tokens as (channels, 1, tokens)."""
    value = op.output[0].float().numpy()
    if value.ndim == 3:
        return value  # type: ignore[no-any-return]
    rows = value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)
    return np.ascontiguousarray(rows.T[:, None])


def kind_of(op: Op, network: nn.Module) -> str:
    """The class of the layer, or the name of the operation where it is not a layer's."""
    module = dict(network.named_modules()).get(op.layer)
    return type(module).__name__ if module is not None and op.key == op.layer else op.name
