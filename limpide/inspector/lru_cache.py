"""A cache for results that took long: least recently used, with a limit in bytes."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

MIN_WEIGHT = 1000  # bytes counted for any value, at least

T = TypeVar("T")


class LRUCache:
    """max_bytes: of all entries, except that the newest one stays however large."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()  # key → (value, its bytes)

    def get(self, key: Hashable, work: Callable[[], T]) -> T:
        """The value for this key; computed by `work` if missing. A key belongs to one kind of work."""
        if key in self._entries:
            self._entries.move_to_end(key)
            entry: T = self._entries[key][0]
            return entry
        value = work()
        self._entries[key] = value, bytes_of(value)
        while len(self._entries) > 1 and sum(weight for _, weight in self._entries.values()) > self.max_bytes:
            self._entries.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._entries)


def bytes_of(value: Any) -> int:
    """Bytes of the arrays and tensors in the value, and a little for everything else."""
    if isinstance(value, np.ndarray):
        return max(MIN_WEIGHT, value.nbytes)
    if isinstance(value, bytes):
        return max(MIN_WEIGHT, len(value))
    if hasattr(value, "parameters") and callable(value.parameters):
        return MIN_WEIGHT + sum(p.nbytes for p in value.parameters())
    if hasattr(value, "nbytes"):
        return max(MIN_WEIGHT, int(value.nbytes))
    if isinstance(value, dict):
        return bytes_of(list(value.values()))
    if isinstance(value, (list, tuple)):
        return MIN_WEIGHT + sum(bytes_of(item) for item in value)
    if dataclasses.is_dataclass(value):
        return MIN_WEIGHT + sum(bytes_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    return MIN_WEIGHT
