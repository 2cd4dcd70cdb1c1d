"""Augmentations: functions that change the images of a batch, and their targets, before the network sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from limpide.text.messages import Message

# (images, targets, generator of all random numbers) → (images, targets). Class numbers may become shares of all
# classes: float (batch, classes).
Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


class Augmentation(Protocol):
    """An Augment that a run can record: a frozen dataclass whose fields are JSON values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]: ...

    def describe(self) -> Message:
        """Describe the changes in one sentence."""
