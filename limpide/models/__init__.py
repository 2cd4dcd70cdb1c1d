"""The networks, one family a file. Each hands out `features(images)` → (batch, width) and ends in `head`, a Linear.

MODELS maps a name to a function (classes, channels) → network; `input_of` says what a network wants to see.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from limpide.models.cnn import SmallCNN
from limpide.models.efficientnet import EfficientNetLite

MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "cnn": lambda classes, channels: SmallCNN(classes=classes, channels=channels),
    "efficientnet_lite0": lambda classes, channels: EfficientNetLite(classes=classes, channels=channels),
}

# Networks with published weights, and the function that loads them into a fresh one.
PRETRAINED: dict[str, Callable[[nn.Module], None]] = {
    "efficientnet_lite0": EfficientNetLite.load_imagenet,
}


def parameters(model: nn.Module) -> int:
    """Number of learned values, each counted once."""
    return sum(p.numel() for p in model.parameters())
