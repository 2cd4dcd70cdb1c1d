"""What a network costs, counted and not timed: learned values, and multiplications for one image."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def parameters(model: nn.Module) -> int:
    """Number of learned values, each counted once."""
    return sum(p.numel() for p in model.parameters())


def multiply_adds(model: nn.Module, channels: int, size: int) -> int:
    """Multiplications followed by an addition in the convolutions and linear layers, for one square of `size` pixels.

    What papers call multiply-adds or MACs, and half of what others call FLOPs. Normalisation, activations and pooling are
    not counted, as is usual. Nothing is computed: a copy without values (on the meta device) is walked through.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += output.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features

    shell = copy.deepcopy(model).to("meta").float().eval()
    for layer in shell.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    shell(torch.empty(1, channels, size, size, device="meta"))
    return total
