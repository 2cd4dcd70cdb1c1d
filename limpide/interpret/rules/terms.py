"""The result of a rule, and the places of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from limpide.interpret.trace import Source

Index = tuple[int, ...]


class Unknown(Exception):
    """This form of an operation has no rule: it is OPAQUE."""


@dataclass
class Terms:
    """The result of a rule: terms with their sources, and the value in 64 bits."""

    kind: str
    values: Tensor
    weights: Tensor
    origins: list[tuple[Source, Tensor]]  # (source, flat places int64 with −1 for padding), one after the other
    bias: float = 0.0
    value: float | None = None  # None: Σ + bias
    rule: str = ""
    shape: Index = ()
    scale: float | None = None
    parts: dict[str, float] = field(default_factory=dict)


def flat_place(shape: Sequence[int], place: Sequence[int]) -> int:
    at = 0
    for n, k in zip(shape, place, strict=True):
        at = at * n + k
    return at


def broadcast_place(place: Sequence[int], shape: Sequence[int]) -> Index:
    """The place in a tensor that was broadcast to the result, for this place of the result."""
    trailing = place[len(place) - len(shape) :] if len(shape) else ()
    return tuple(0 if n == 1 else k for k, n in zip(trailing, shape, strict=True))


def constant(term: Any, place: Index) -> float:
    return float(term[broadcast_place(place, term.shape)]) if isinstance(term, Tensor) else float(term)


def tensor_of(term: Any) -> Tensor:
    return term.value if isinstance(term, Source) else term


def pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def doubles(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
