"""What is known of a network before it is built: how to build it, what it was made for, and what it cannot
do without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from limpide.core.errors import ModelError


@dataclass(frozen=True)
class Entry:
    """A line of MODELS."""

    make: Callable[[int, int, int], nn.Module]  # (classes, channels, side of the square in pixels) → a fresh network
    classes: int = 1000  # with these three the parameters are counted, as in its paper
    channels: int = 3
    size: int = 224  # pixels
    least: int = 32  # pixels: below, a layer would have nothing left to look at
    multiple: int = 1  # pixels: the side must be one of these
    lr: float = 1e-3  # highest rate of AdamW from scratch, when nobody said
    published: Callable[[Any], None] | None = None  # puts the published weights into a fresh network

    def build(self, name: str, classes: int, channels: int, size: int) -> nn.Module:
        """Raises ModelError for squares that the network cannot see."""
        values: dict[str, Any] = {"size": size, "fitting": self.fitting(size), "multiple": self.multiple}
        if size < self.least:
            raise ModelError("L410", where=name, **values)
        if size % self.multiple:
            raise ModelError("L411", where=name, **values)
        return self.make(classes, channels, size)

    def fitting(self, size: int) -> int:
        """The nearest side that this network can see."""
        return max(-(-self.least // self.multiple), round(size / self.multiple)) * self.multiple
