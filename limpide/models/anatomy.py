"""A network layer by layer: the shape each gives, the formula behind it, and how much of the image a place has seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from limpide.models.counting import multiply_adds_of
from limpide.models.vit import Attention

WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
SHOWN = (*WINDOWS, nn.Linear, nn.RNNBase, nn.BatchNorm2d, nn.LayerNorm)


@dataclass(frozen=True)
class Layer:
    name: str  # as in named_modules
    kind: str  # Conv2d, Linear, …
    shape: tuple[int, ...]  # of what it gives for one image: (maps, height, width) or (units,)
    side: str  # the formula of the side: ⌊(28 + 2·1 − 3)/1⌋ + 1 = 28; empty where there is none
    parameters: int
    count: str  # the formula of the parameters: 3·3·1·16 + 16
    multiply_adds: int


@torch.inference_mode()
def layers(model: nn.Module, channels: int, size: int) -> list[Layer]:
    """The layers that do arithmetic or change the resolution, in the order in which an image passes them."""
    found: list[Layer] = []
    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        given = output[0] if isinstance(output, tuple) else output
        own = sum(p.numel() for p in module.parameters())
        found.append(
            Layer(
                names[module],
                type(module).__name__,
                tuple(given.shape[1:]),
                _side(module, inputs[0].shape[-1]) if isinstance(module, WINDOWS) else "",
                own,
                _count(module),
                multiply_adds_of(module, inputs[0], output),
            )
        )

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, SHOWN)]
    some = next(model.parameters())
    try:
        model.eval()(torch.zeros(1, channels, size, size, device=some.device))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _side(layer: Any, before: int) -> str:
    """out = ⌊(in + 2·padding − kernel) / stride⌋ + 1, with the numbers of this layer, along the width."""
    kernel, stride, padding = (_last(value) for value in (layer.kernel_size, layer.stride, layer.padding))
    up = isinstance(layer, nn.MaxPool2d) and layer.ceil_mode
    after = -(-(before + 2 * padding - kernel) // stride) + 1 if up else (before + 2 * padding - kernel) // stride + 1
    opening, closing = ("⌈", "⌉") if up else ("⌊", "⌋")
    return f"{opening}({before} + 2·{padding} − {kernel})/{stride}{closing} + 1 = {after}"


def _count(layer: nn.Module) -> str:
    bias = ""
    if isinstance(layer, nn.Conv2d):
        (height, width), inputs, outputs = layer.kernel_size, layer.in_channels // layer.groups, layer.out_channels
        bias = f" + {outputs}" if layer.bias is not None else ""
        return f"{height}·{width}·{inputs}·{outputs}{bias}"
    if isinstance(layer, nn.Linear):
        bias = f" + {layer.out_features}" if layer.bias is not None else ""
        return f"{layer.in_features}·{layer.out_features}{bias}"
    if isinstance(layer, nn.RNNBase):
        gates, units = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1), layer.hidden_size
        return f"{gates}·({units}·{layer.input_size} + {units}·{units} + 2·{units})"
    if isinstance(layer, nn.BatchNorm2d):
        return f"2·{layer.num_features}"
    if isinstance(layer, nn.LayerNorm):
        return f"2·{layer.normalized_shape[-1]}"
    return ""


def _last(value: Any) -> int:
    return int(value[-1]) if isinstance(value, tuple) else int(value)


def receptive_field(model: nn.Module, channels: int, size: int) -> int | None:
    """Side in pixels of the part of the image that one place of the last maps has seen; None: all of it.

    field ← field + (kernel − 1) · jump,  jump ← jump · stride, along the width and every path, the widest counted (Araujo, Norris & Sim
    2019, Distill). What a squeeze-and-excitation block knows of the whole image is not counted.
    """
    if not any(isinstance(layer, nn.Conv2d) for layer in model.modules()) or any(isinstance(layer, Attention) for layer in model.modules()):
        return None
    some = next(model.parameters())
    with torch.inference_mode(), _Fields() as fields:
        image = torch.zeros(1, channels, size, size, device=some.device)
        fields.begin(image)
        model.eval()(image)
    return fields.largest


class _Fields(TorchFunctionMode):
    """Knows of every map on its way (field, jump), in pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, tuple[int, int]] = {}
        self.alive: list[Tensor] = []  # an id is only good while its tensor lives
        self.largest = 1

    def begin(self, image: Tensor) -> None:
        self.known[id(image)] = (1, 1)
        self.alive.append(image)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        before = [self.known[id(t)] for t in _tensors(args) if id(t) in self.known]
        if before and isinstance(output, Tensor) and output.ndim == 4 and output.shape[-1] > 1:
            field, jump = max(field for field, _ in before), max(jump for _, jump in before)
            kernel, stride = _window(func, args, kwargs)
            self.known[id(output)] = (field + (kernel - 1) * jump, jump * stride)
            self.alive.append(output)
            self.largest = max(self.largest, self.known[id(output)][0])
        return output


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _window(func: Any, args: Any, kwargs: Any) -> tuple[int, int]:
    """(kernel, stride) of what is called, (1, 1) where it looks at one place only."""
    name = getattr(func, "__name__", "")
    if name == "conv2d":
        kernel, stride = args[1].shape[-1], args[3] if len(args) > 3 else kwargs.get("stride", 1)
        return kernel, _last(stride)
    if name in ("max_pool2d", "avg_pool2d", "fn", "boolean_dispatch"):
        kernel = _last(args[1] if len(args) > 1 else kwargs["kernel_size"])
        stride = args[2] if len(args) > 2 else kwargs.get("stride")
        return kernel, _last(stride or kernel)
    return 1, 1
