"""Why does this unit have this value? The layer's arithmetic for one output, term by term, checked against torch.

For a convolution (cross-correlation): y[c, i, j] = b[c] + Σ w[c, k, u, v] · x[k, i·stride + u·dilation − padding, …]
For a linear layer: y[c] = b[c] + Σ w[c, k] · x[k]
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from limpide.finding import Finding, Number
from limpide.interpret.capture import capture
from limpide.language import N_, message

TOLERANCE = 1e-5  # of Σ |x·w|: float32 sums differ by rounding alone


@dataclass(frozen=True)
class Unit:
    """One output number and everything that made it."""

    layer: str
    channel: int
    y: int
    x: int
    patch: Tensor  # (channels, height, width) or (features,): what the unit saw, zeros where padding was
    kernel: Tensor  # the same shape
    bias: float
    torch_value: float

    @property
    def products(self) -> Tensor:
        return self.patch.double() * self.kernel.double()

    @property
    def value(self) -> float:
        """The sum in float64."""
        return float(self.products.sum()) + self.bias

    @property
    def residual(self) -> float:
        return abs(self.value - self.torch_value)

    @property
    def agrees(self) -> bool:
        return self.residual <= TOLERANCE * (float(self.products.abs().sum()) + abs(self.bias)) + 1e-12


def why(model: nn.Module, image: Tensor, layer: str, channel: int, y: int = 0, x: int = 0) -> Unit:
    """The arithmetic of output `channel` at (y, x) of a Conv2d or Linear layer, for one image (1, channels, size, size).

    A linear layer that works on several vectors side by side, as on the tokens of a transformer, has one at each y.

    Raises KeyError for an unknown layer, TypeError for another kind of layer, IndexError for a unit that is not there.
    """
    module = dict(model.named_modules()).get(layer)
    entered, left = capture(model, image, layer)
    if isinstance(module, nn.Linear):
        if not 0 <= channel < module.out_features:
            raise IndexError(f"The unit must be below {module.out_features}. Got {channel} instead.")
        vectors, answers = entered[0].reshape(-1, module.in_features), left[0].reshape(-1, module.out_features)
        if not 0 <= y < len(vectors):
            raise IndexError(f"The place must be below {len(vectors)}. Got {y} instead.")
        bias = float(module.bias[channel].detach()) if module.bias is not None else 0.0
        return Unit(layer, channel, y, 0, vectors[y], module.weight[channel].detach().clone(), bias, float(answers[y, channel]))
    if not isinstance(module, nn.Conv2d):
        raise TypeError(f"The layer must be a Conv2d or a Linear. Got {type(module).__name__} instead.")
    if not (0 <= channel < left.shape[1] and 0 <= y < left.shape[2] and 0 <= x < left.shape[3]):
        raise IndexError(f"The unit must lie within {tuple(left.shape[1:])}. Got {(channel, y, x)} instead.")
    patch = _patch(module, entered[0], channel, y, x)
    bias = float(module.bias[channel].detach()) if module.bias is not None else 0.0
    return Unit(layer, channel, y, x, patch, module.weight[channel].detach().clone(), bias, float(left[0, channel, y, x]))


def _patch(conv: nn.Conv2d, entered: Tensor, channel: int, y: int, x: int) -> Tensor:
    """The part of the input (channels, height, width) that this unit looks at; its own group of channels only."""
    per_group = conv.in_channels // conv.groups
    group = channel // (conv.out_channels // conv.groups)
    own = entered[group * per_group : (group + 1) * per_group]
    if isinstance(conv.padding, str):
        raise TypeError("A convolution with padding given as a word is not explained yet: give numbers.")
    if conv.padding_mode != "zeros":
        raise TypeError(f"Only padding with zeros is explained yet. Got {conv.padding_mode} instead.")
    (kh, kw), (sh, sw), (dh, dw) = _pair(conv.kernel_size), _pair(conv.stride), _pair(conv.dilation)
    ph, pw = _pair(conv.padding)
    padded = F.pad(own, (pw, pw, ph, ph))
    top, left = y * sh, x * sw
    return padded[:, top : top + kh * dh : dh, left : left + kw * dw : dw]


def _pair(value: tuple[int, ...]) -> tuple[int, int]:
    return value[0], value[1]


def strongest_unit(model: nn.Module, image: Tensor) -> Unit:
    """The unit of the first convolution that answers most strongly where there is something to see, away from the border.

    Of a network without convolutions, the strongest unit of its first linear layer. Raises TypeError where there is neither.
    """
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    if not layers:
        raise TypeError("This network has no convolution and no linear layer to open.")
    layer, conv = next((pair for pair in layers if isinstance(pair[1], nn.Conv2d)), layers[0])
    entered, left = capture(model, image, layer)
    if isinstance(conv, nn.Linear):
        place, channel = divmod(int(left[0].argmax()), conv.out_features)
        return why(model, image, layer, channel, place)
    grey = entered.mean(1, keepdim=True)
    window, stride, padding = _pair(conv.kernel_size), _pair(conv.stride), _pair(conv.padding)  # type: ignore[arg-type]
    mean, square = (F.avg_pool2d(v, window, stride, padding) for v in (grey, grey * grey))
    contrast = (square - mean * mean).clamp(min=0).sqrt()  # (1, 1, height, width) like the output
    border = 1 if min(left.shape[2:]) > 2 else 0
    inner = (left * contrast)[0, :, border : left.shape[2] - border, border : left.shape[3] - border]
    channel, rest = divmod(int(inner.argmax()), inner.shape[1] * inner.shape[2])
    y, x = divmod(rest, inner.shape[2])
    return why(model, image, layer, channel, y + border, x + border)


def as_finding(unit: Unit) -> Finding:
    def plain(t: Tensor) -> list[object]:
        return [[[round(float(v), 6) for v in row] for row in plane] for plane in t.reshape(-1, *t.shape[-2:])] if t.ndim > 1 else [[t.tolist()]]

    return Finding(
        name="inside",
        verdict="ok" if unit.agrees else "bad",
        message=message(
            N_("Unit {channel} of layer {layer} at row {y}, column {x} is the sum of {terms:count} products: {value:number}."),
            channel=unit.channel,
            layer=unit.layer,
            y=unit.y,
            x=unit.x,
            terms=unit.patch.numel(),
            value=unit.value,
        ),
        numbers=[Number(N_("difference from torch"), unit.residual, "")],
        details=[message(N_("Every product is summed in 64-bit arithmetic and compared with the value the network computed."))],
        data={
            "layer": unit.layer,
            "channel": unit.channel,
            "y": unit.y,
            "x": unit.x,
            "patch": plain(unit.patch),
            "kernel": plain(unit.kernel),
            "products": plain(unit.products),
            "bias": unit.bias,
            "sum": unit.value,
            "torch": unit.torch_value,
            "residual": unit.residual,
        },
    )
