"""The networks, one family a file. Each hands out `features(images)` → (batch, width) and ends in `head`, a Linear.

MODELS maps a name to a function (classes, channels, size of the square) → network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from limpide.models.cnn import SmallCNN
from limpide.models.counting import multiply_adds, parameters
from limpide.models.efficientnet import EfficientNetLite

MODELS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "cnn": lambda classes, channels, size: SmallCNN(classes=classes, channels=channels, size=size),
    "efficientnet_lite0": lambda classes, channels, size: EfficientNetLite(classes=classes, channels=channels),
}

# The images that each was made for: classes, channels, side of the square in pixels. Papers count parameters with these.
MADE_FOR: dict[str, tuple[int, int, int]] = {
    "cnn": (10, 1, 28),
    "efficientnet_lite0": (1000, 3, 224),
}

# Networks with published weights, and the function that loads them into a fresh one.
PRETRAINED: dict[str, Callable[[Any], None]] = {
    "efficientnet_lite0": EfficientNetLite.load_imagenet,
}

__all__ = ["MADE_FOR", "MODELS", "PRETRAINED", "multiply_adds", "parameters"]
