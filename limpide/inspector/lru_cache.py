"""What took long is kept, the newest use last, within so many bytes."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

MIN_WEIGHT = 1000  # bytes that anything counts


class LRUCache:
    def __init__(self, most: int) -> None:
        self.most = most  # bytes
        self._kept: OrderedDict[Any, tuple[Any, int]] = OrderedDict()

    def once(self, key: Any, work: Callable[[], Any]) -> Any:
        """What `work` gave for this key; it is worked out when it is not there. The newest stays, however large."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        value = work()
        self._kept[key] = value, bytes_of(value)
        while len(self._kept) > 1 and sum(weight for _, weight in self._kept.values()) > self.most:
            self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._kept)


def bytes_of(value: Any) -> int:
    """Bytes of the arrays and tensors in it, and a little for everything."""
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
