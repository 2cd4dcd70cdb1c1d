"""What a network costs, counted and not timed: learned values, and multiplications for one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limpide.models.rbf import RBFNet
from limpide.models.vit import Attention


def parameters(model: nn.Module) -> int:
    """Number of learned values, each counted once."""
    return sum(p.numel() for p in model.parameters())


def multiply_adds(model: nn.Module, channels: int, size: int) -> int:
    """Multiplications followed by an addition, for one square of `size` pixels.

    What papers call multiply-adds or MACs, and half of what others call FLOPs. Normalisation, activations and pooling
    are not counted, as is usual. One black image goes through, on the device where the network is.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        nonlocal total
        if inputs:  # none where everything is handed over by name
            total += multiply_adds_of(layer, inputs[0], output)

    _call_with_hooks(model, channels, size, count)
    return total


@dataclass(frozen=True)
class Activations:
    """Bytes in float32 of what the layers give for one image: all of it, and the most that one layer takes
    and gives.
    """

    all: int
    largest: int


def activations(model: nn.Module, channels: int, size: int) -> Activations:
    """Counted as `multiply_adds` is, with one black image of `size` pixels."""
    total = largest = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        nonlocal total, largest
        if isinstance(output, Tensor) and not any(True for _ in layer.children()):
            total += 4 * output.numel()
            largest = max(largest, 4 * (output.numel() + sum(x.numel() for x in inputs if isinstance(x, Tensor))))

    _call_with_hooks(model, channels, size, count)
    return Activations(total, largest)


def _call_with_hooks(
    model: nn.Module, channels: int, size: int, count: Callable[[nn.Module, tuple[Tensor, ...], Any], None]
) -> None:
    """One black image goes through, and `count` sees every layer, what it takes and what it gives."""
    watched = [layer.register_forward_hook(count) for layer in model.modules()]
    was_training, parameter = model.training, next(model.parameters())
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, channels, size, size, device=parameter.device, dtype=parameter.dtype))
    finally:
        model.train(was_training)
        for hook in watched:
            hook.remove()


def multiply_adds_of(layer: nn.Module, x: Tensor, output: Any) -> int:
    """Of this layer alone: the layers within it are counted when it is their turn."""
    if isinstance(layer, nn.Conv2d):
        return output.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]  # type: ignore[no-any-return]
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features  # type: ignore[no-any-return]
    if isinstance(layer, nn.RNNBase):  # (1, steps, inputs): every weight matrix once a step
        return x.shape[1] * sum(p.numel() for p in layer.parameters() if p.ndim == 2)
    if isinstance(layer, Attention):  # (1, tokens, width): Q Kᵀ, and the weights times V
        return 2 * x.shape[1] ** 2 * x.shape[2]
    if isinstance(layer, RBFNet):
        return layer.centers.numel()
    return 0
