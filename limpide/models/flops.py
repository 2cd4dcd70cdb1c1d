"""The cost of a network, counted and not timed: learned values, and multiplications for one image."""

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

    Papers call them multiply-adds or MACs; others count each as two FLOPs. Normalisation, activations and pooling are
    not counted, as is usual. One black image passes through, on the network's device.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        nonlocal total
        if inputs:  # empty if all arguments are passed by name
            total += multiply_adds_of(layer, inputs[0], output)

    _call_with_hooks(model, channels, size, count)
    return total


@dataclass(frozen=True)
class Activations:
    """Bytes in float32 for one image. all: the outputs of all layers · largest: inputs and output of the layer where
    they are largest.
    """

    all: int
    largest: int


def activations(model: nn.Module, channels: int, size: int) -> Activations:
    """Count the activations as in `multiply_adds`, with one black image of `size` pixels."""
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
    """Pass one black image through the network; call `count` with every layer, its inputs and its output."""
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
    """The multiply-adds of this layer alone; the layers inside it are counted separately."""
    if isinstance(layer, nn.Conv2d):
        return output.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]  # type: ignore[no-any-return]
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features  # type: ignore[no-any-return]
    if isinstance(layer, nn.RNNBase):  # (1, steps, inputs): every weight matrix once per step
        return x.shape[1] * sum(p.numel() for p in layer.parameters() if p.ndim == 2)
    if isinstance(layer, Attention):  # (1, tokens, width): Q Kᵀ, and the weights times V
        return 2 * x.shape[1] ** 2 * x.shape[2]
    if isinstance(layer, RBFNet):
        return layer.centers.numel()
    return 0
