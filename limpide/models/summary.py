"""A network layer by layer: the shape of each output, the formula behind it, and the receptive field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from limpide.models.flops import multiply_adds, multiply_adds_of
from limpide.models.vit import Attention

WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
OUTSIDE = "of its own"  # kind of the row for parameters outside the listed layers
SHOWN_LAYERS = (*WINDOWS, nn.Linear, nn.RNNBase, nn.BatchNorm2d, nn.LayerNorm)


@dataclass(frozen=True)
class Layer:
    name: str  # as in named_modules
    kind: str  # Conv2d, Linear, …
    shape: tuple[int, ...]  # of its output for one image: (maps, height, width) or (units,)
    side: str  # the formula of the side: ⌊(28 + 2·1 − 3)/1⌋ + 1 = 28; empty where there is none
    parameters: int
    count: str  # the formula of the parameters: 3·3·1·16 + 16
    multiply_adds: int


@torch.inference_mode()
def layers(model: nn.Module, channels: int, size: int) -> list[Layer]:
    """The layers that do arithmetic or change the resolution, in the order in which an image passes through them.

    The parameters outside of them (a transformer's positions, centres of radial units) are the last row.
    """
    layer_list: list[Layer] = []
    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        first_output = output[0] if isinstance(output, tuple) else output
        n_parameters = sum(p.numel() for p in module.parameters())
        side = (
            _side(module, inputs[0].shape[-1], first_output.shape[-1]) if isinstance(module, WINDOWS) and inputs else ""
        )
        cost = multiply_adds_of(module, inputs[0], output) if inputs else 0
        layer_list.append(
            Layer(
                names[module],
                type(module).__name__,
                tuple(first_output.shape[1:]),
                side,
                n_parameters,
                _count(module, n_parameters),
                cost,
            )
        )

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, SHOWN_LAYERS)]
    was_training, parameter = model.training, next(model.parameters())
    try:
        model.eval()(torch.zeros(1, channels, size, size, device=parameter.device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    shown_parameters = {
        id(p) for module in model.modules() if isinstance(module, SHOWN_LAYERS) for p in module.parameters()
    }
    rest = sum(p.numel() for p in model.parameters() if id(p) not in shown_parameters)
    missing = multiply_adds(model, channels, size) - sum(layer.multiply_adds for layer in layer_list)
    if rest or missing:
        layer_list.append(Layer("", OUTSIDE, (), "", rest, "", missing))
    return layer_list


def _side(layer: Any, before: int, after: int) -> str:
    """out = ⌊(in + 2·padding − kernel) / stride⌋ + 1, with the numbers of this layer, along the width; dilation widens
    the kernel.
    """
    if isinstance(layer.padding, str):
        return ""
    kernel, stride, padding = (_last_side(value) for value in (layer.kernel_size, layer.stride, layer.padding))
    kernel = (kernel - 1) * _last_side(getattr(layer, "dilation", 1)) + 1
    up = getattr(layer, "ceil_mode", False)
    opening, closing = ("⌈", "⌉") if up else ("⌊", "⌋")
    formula = f"{opening}({before} + 2·{padding} − {kernel})/{stride}{closing} + 1"
    reached = (-(-(before + 2 * padding - kernel) // stride) if up else (before + 2 * padding - kernel) // stride) + 1
    # a window that would begin outside is dropped when rounding up
    return f"{formula} = {after}" if reached == after else ""


def _count(layer: nn.Module, n_parameters: int) -> str:
    """The formula, if it yields the real number of the layer's parameters."""
    formula, value = "", 0
    if isinstance(layer, nn.Conv2d):
        (height, width), inputs, outputs = layer.kernel_size, layer.in_channels // layer.groups, layer.out_channels
        formula, value = f"{height}·{width}·{inputs}·{outputs}", height * width * inputs * outputs
        if layer.bias is not None:
            formula, value = f"{formula} + {outputs}", value + outputs
    elif isinstance(layer, nn.Linear):
        formula, value = f"{layer.in_features}·{layer.out_features}", layer.in_features * layer.out_features
        if layer.bias is not None:
            formula, value = f"{formula} + {layer.out_features}", value + layer.out_features
    elif isinstance(layer, nn.RNNBase):
        gates, units, inputs = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1), layer.hidden_size, layer.input_size
        formula, value = (
            f"{gates}·({units}·{inputs} + {units}·{units} + 2·{units})",
            gates * (units * inputs + units * units + 2 * units),
        )
    elif isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm)):
        width = layer.num_features if isinstance(layer, nn.BatchNorm2d) else layer.normalized_shape[-1]
        formula, value = f"2·{width}", 2 * width
    return formula if value == n_parameters else ""  # several layers in one, or an unusual number


def _last_side(value: Any) -> int:
    return int(value[-1]) if isinstance(value, tuple) else int(value)


def receptive_field(model: nn.Module, channels: int, size: int) -> int | None:
    """Side in pixels of the part of the image that one position of the last maps depends on; None: all of it.

    field ← field + (kernel − 1) · jump,  jump ← jump · stride

    along the width and every path; the widest path counts (Araujo, Norris & Sim 2019, Distill). The dependence of a
    squeeze-and-excitation block on the whole image is not counted.
    """
    if not any(isinstance(layer, nn.Conv2d) for layer in model.modules()) or any(
        isinstance(layer, Attention) for layer in model.modules()
    ):
        return None
    was_training, parameter = model.training, next(model.parameters())
    with torch.inference_mode(), _Fields() as fields:
        image = torch.zeros(1, channels, size, size, device=parameter.device)
        fields.begin(image)
        model.eval()(image)
    model.train(was_training)
    return fields.largest


GLOBAL = ("mean", "amax", "adaptive_avg_pool2d", "adaptive_max_pool2d")  # functions of all positions at once


class _Fields(TorchFunctionMode):
    """Records (field, jump), in pixels, of every map while a network runs."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[int, tuple[int, int]] = {}
        self.alive: list[Tensor] = []  # an id is only valid while its tensor exists
        self.largest = 1

    def begin(self, image: Tensor) -> None:
        self.fields[id(image)] = (1, 1)
        self.alive.append(image)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        before = [self.fields[id(t)] for t in _tensors(args) if id(t) in self.fields]
        pooled = getattr(func, "__name__", "") in GLOBAL
        if before and not pooled and isinstance(output, Tensor) and output.ndim == 4:
            field, jump = max(field for field, _ in before), max(jump for _, jump in before)
            kernel, stride = _window(func, args, kwargs)
            self.fields[id(output)] = (field + (kernel - 1) * jump, jump * stride)
            self.alive.append(output)
            self.largest = max(self.largest, self.fields[id(output)][0])
        return output


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _window(func: Any, args: Any, kwargs: Any) -> tuple[int, int]:
    """(kernel, stride) of the called function; (1, 1) if it uses one position only."""
    name = getattr(func, "__name__", "")
    if name == "conv2d":
        stride, dilation = (
            args[k] if len(args) > k else kwargs.get(name, 1) for k, name in ((3, "stride"), (5, "dilation"))
        )
        return (args[1].shape[-1] - 1) * _last_side(dilation) + 1, _last_side(stride)
    if name in ("max_pool2d", "avg_pool2d", "fn", "boolean_dispatch"):
        kernel = _last_side(args[1] if len(args) > 1 else kwargs["kernel_size"])
        stride = args[2] if len(args) > 2 else kwargs.get("stride")
        return kernel, _last_side(stride or kernel)
    return 1, 1
