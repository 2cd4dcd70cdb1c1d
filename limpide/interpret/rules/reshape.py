"""Operations that only move numbers."""

from __future__ import annotations

import torch

from limpide.interpret.rules.terms import Index, Terms, Unknown, doubles
from limpide.interpret.trace import Op

MOVES = [
    "flatten",
    "reshape",
    "view",
    "permute",
    "transpose",
    "transposed",
    "t",
    "squeeze",
    "unsqueeze",
    "getitem",
    "select",
    "narrow",
    "chunk",
    "split",
    "unbind",
    "contiguous",
    "cat",
    "concat",
    "concatenate",
    "stack",
    "pad",
    "expand",
    "expand_as",
    "repeat",
    "clone",
    "to",
    "float",
    "dropout",
    "dropout2d",
    "alpha_dropout",
    "roll",
    "flip",
    "movedim",
    "swapaxes",
    "view_as",
    "unflatten",
    "identity",
]


def move(op: Op, place: Index) -> Terms:
    """Find the number that was moved to `place`, by the same call on numbered places; 0 is padding."""
    if op.name == "pad" and op.argument(2, "mode", "constant") == "constant" and float(op.argument(3, "value", 0) or 0):
        raise Unknown  # padded with a number other than zero
    numbered, first = [], 1
    for source in op.inputs:
        n = source.value.numel()
        numbered.append(torch.arange(first, first + n, dtype=torch.float64).reshape(source.value.shape))
        first += n
    at = round(float(op.again(numbered)[place])) - 1
    for source in op.inputs:
        n = source.value.numel()
        if at < n:
            break
        at -= n
    value = source.value.reshape(-1)[at : at + 1].double() if at >= 0 else doubles([0.0])
    return Terms("moved", value, doubles([1.0]), [(source, torch.tensor([at]))])
