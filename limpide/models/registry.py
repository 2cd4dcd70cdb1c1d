"""Facts about a network before it is built: how to build it, what it was made for, and what it requires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from limpide.core.errors import ModelError


@dataclass(frozen=True)
class Entry:
    """An entry of MODELS."""

    make: Callable[[int, int, int], nn.Module]  # (classes, channels, side of the square in pixels) → a fresh network
    classes: int = 1000  # these three are as in its paper, and the parameters are counted with them
    channels: int = 3
    size: int = 224  # pixels
    least: int = 32  # pixels: with fewer, a layer would have no input left
    multiple: int = 1  # pixels: the side must be a multiple of it
    lr: float = 1e-3  # highest learning rate of AdamW from scratch, by default
    augment: Literal["light", "shifted"] = "light"  # how training images are altered, by default (training/augment/)
    published: Callable[[Any], None] | None = None  # loads the published weights into a fresh network

    def build(self, name: str, classes: int, channels: int, size: int) -> nn.Module:
        """Build a fresh network. Raises ModelError for a size that the network does not accept."""
        values: dict[str, Any] = {"size": size, "fitting": self.fitting(size), "multiple": self.multiple}
        if size < self.least:
            raise ModelError("L410", where=name, **values)
        if size % self.multiple:
            raise ModelError("L411", where=name, **values)
        return self.make(classes, channels, size)

    def fitting(self, size: int) -> int:
        """The nearest side that this network accepts."""
        return max(-(-self.least // self.multiple), round(size / self.multiple)) * self.multiple
