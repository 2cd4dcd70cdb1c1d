"""What a network costs, counted and not timed: learned values, and multiplications for one image."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def parameters(model: nn.Module) -> int:
    """Number of learned values, each counted once."""
    return sum(p.numel() for p in model.parameters())


def multiply_adds(model: nn.Module, channels: int, size: int) -> int:
    """Multiplications followed by an addition in the convolutions and linear layers, for one square of `size` pixels.

    What papers call multiply-adds or MACs, and half of what others call FLOPs. Normalisation, activations and pooling are
    not counted, as is usual. One black image goes through: the meta device would compute nothing, but loading what it
    needs takes longer (a second and a half) than the largest network here takes for one image.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += output.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features

    watched = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    was_training, some = model.training, next(model.parameters())
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, channels, size, size, device=some.device, dtype=some.dtype))
    finally:
        model.train(was_training)
        for hook in watched:
            hook.remove()
    return total
