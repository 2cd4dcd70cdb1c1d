"""What went into a layer and what came out of it, recorded while the network really ran."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def capture(model: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """(input, output) of the named layer for normalised images (batch, channels, size, size), in eager float32.

    Raises KeyError with the names there are when the model has no such layer.
    """
    layers = dict(model.named_modules())
    if layer not in layers:
        raise KeyError(f"The layer must be one of {', '.join(name for name in layers if name)}. Got {layer} instead.")
    seen: list[tuple[Tensor, Tensor]] = []

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append((inputs[0].detach().clone(), output.detach().clone()))

    handle = layers[layer].register_forward_hook(record)
    try:
        with torch.no_grad():
            model.eval()(images)
    finally:
        handle.remove()
    return seen[0]
