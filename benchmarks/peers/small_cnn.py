"""The network of `limpide train mnist` and its parts of a recipe, in plain PyTorch."""

from __future__ import annotations

import torch
from shared import WEIGHT_DECAY, WIDTHS
from torch import Tensor, nn


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class SmallCNN(nn.Module):
    """Images (batch, 1, 28, 28) → logits (batch, 10). Convolutions in bfloat16 while it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*map(block, (1, *WIDTHS[:-1]), WIDTHS))
        self.head = nn.Linear(WIDTHS[-1] * 4 * 4, 10)

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.training):
            logits = self.head(self.blocks(images).flatten(1))
        return logits.float()  # type: ignore[no-any-return]


def parameter_groups(model: nn.Module) -> list[dict[str, object]]:
    """Weights decay, biases and batch normalization do not."""
    return [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
