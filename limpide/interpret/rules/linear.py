"""Sums of products: convolution, linear layer, matrix product, sum, product, normalisation, mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from limpide.interpret.rules.terms import (
    Index,
    Terms,
    Unknown,
    broadcast_place,
    constant,
    doubles,
    flat_place,
    pair,
    tensor_of,
)
from limpide.interpret.trace import Op, Source


def conv2d(op: Op, place: Index) -> Terms:
    x, weight = op.args[0], op.argument(1, "weight")
    bias, stride, padding, dilation, groups = (
        op.argument(k, name, other)
        for k, name, other in (
            (2, "bias", None),
            (3, "stride", 1),
            (4, "padding", 0),
            (5, "dilation", 1),
            (6, "groups", 1),
        )
    )
    _, channel, row, column = place
    weight = weight.value if isinstance(weight, Source) else weight
    (kh, kw), (sh, sw), (dh, dw) = weight.shape[2:], pair(stride), pair(dilation)
    ph, pw = same_padding((kh, kw), (dh, dw)) if padding == "same" else (0, 0) if padding == "valid" else pair(padding)
    _, channels, height, width = x.value.shape
    per_group = channels // groups
    first = channel // (weight.shape[0] // groups) * per_group
    rows = torch.arange(kh) * dh + row * sh - ph
    columns = torch.arange(kw) * dw + column * sw - pw
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    # (channels, kh, kw)
    flat = (torch.arange(first, first + per_group)[:, None, None] * height + rows[:, None]) * width + columns
    flat = torch.where(inside, flat, -1)
    values = torch.where(flat >= 0, x.value.reshape(-1)[flat.clamp(min=0)].double(), 0.0)
    return Terms(
        "products",
        values.reshape(-1),
        weight[channel].detach().double().reshape(-1),
        [(x, flat.reshape(-1))],
        float(bias[channel]) if bias is not None else 0.0,
        shape=(per_group, kh, kw),
    )


def linear(op: Op, place: Index) -> Terms:
    x, weight, bias = op.args[0], op.argument(1, "weight"), op.argument(2, "bias")
    width = x.value.shape[-1]
    start = flat_place(x.value.shape[:-1], place[:-1]) * width
    return Terms(
        "products",
        x.value.reshape(-1)[start : start + width].double(),
        weight[place[-1]].detach().double(),
        [(x, torch.arange(start, start + width))],
        float(bias[place[-1]]) if bias is not None else 0.0,
    )


def matmul(op: Op, place: Index) -> Terms:
    """Both factors may be activations: then the numbers of the second one are the weights."""
    a, b = op.args[0], op.args[1]
    left, right = tensor_of(a), tensor_of(b)
    if left.ndim < 2 or right.ndim < 2:
        raise Unknown
    batch = place[:-2]
    one = left[broadcast_place(batch, left.shape[:-2])][place[-2]].double()
    other = right[broadcast_place(batch, right.shape[:-2])][:, place[-1]].double()
    if not isinstance(a, Source):  # a constant times an activation
        a, b, left, one, other = b, a, right, other, one
        raise Unknown
    start = flat_place(left.shape[:-1], (*broadcast_place(batch, left.shape[:-2]), place[-2])) * left.shape[-1]
    return Terms("products", one, other.detach(), [(a, torch.arange(start, start + left.shape[-1]))])


def add(sign: float) -> Callable[[Op, Index], Terms]:
    def rule(op: Op, place: Index) -> Terms:
        values, weights, origins, bias = [], [], [], 0.0
        for term, weight in zip(op.args[:2], (1.0, sign * float(op.kwargs.get("alpha", 1))), strict=True):
            if isinstance(term, Source):
                at = flat_place(term.value.shape, broadcast_place(place, term.value.shape))
                values.append(float(term.value.reshape(-1)[at]))
                weights.append(weight)
                origins.append((term, torch.tensor([at])))
            else:
                bias += weight * constant(term, place)
        return Terms("products", doubles(values), doubles(weights), origins, bias)

    return rule


def mul(op: Op, place: Index) -> Terms:
    return _multiply_terms(op.args[0], op.args[1], place, lambda y: y)


def div(op: Op, place: Index) -> Terms:
    if not isinstance(op.args[0], Source):
        raise Unknown
    return _multiply_terms(op.args[0], op.args[1], place, lambda y: 1 / y)


def _multiply_terms(a: Any, b: Any, place: Index, of: Callable[[float], float]) -> Terms:
    """The first factor that comes from the network is the number, the other one its weight; where both come from it,
    both are sources.
    """
    if not isinstance(a, Source):
        a, b = b, a
    at = flat_place(a.value.shape, broadcast_place(place, a.value.shape))
    value = float(a.value.reshape(-1)[at])
    weight = of(constant(b.value if isinstance(b, Source) else b, place))
    terms = Terms("products", doubles([value]), doubles([weight]), [(a, torch.tensor([at]))])
    if isinstance(b, Source):
        beside = flat_place(b.value.shape, broadcast_place(place, b.value.shape))
        terms.values, terms.weights = doubles([value, constant(b.value, place)]), doubles([weight, 0.0])
        terms.origins.append((b, torch.tensor([beside])))
        terms.rule = "mul"
    return terms


def neg(op: Op, place: Index) -> Terms:
    source = op.args[0]
    at = flat_place(source.value.shape, place)
    return Terms(
        "products", source.value.reshape(-1)[at : at + 1].double(), doubles([-1.0]), [(source, torch.tensor([at]))]
    )


def batch_norm(op: Op, place: Index) -> Terms:
    slope, shift = (float(one[place[1]]) for one in normalization(op))
    x = op.args[0]
    at = flat_place(x.value.shape, place)
    return Terms(
        "products", x.value.reshape(-1)[at : at + 1].double(), doubles([slope]), [(x, torch.tensor([at]))], shift
    )


def normalization(op: Op) -> tuple[Tensor, Tensor]:
    """Factor and shift of each channel, float64: (x − mean) / √(variance + ε) · weight + bias, with the statistics of
    the training. Raises Unknown.
    """
    mean, variance = op.argument(1, "running_mean"), op.argument(2, "running_var")
    weight, bias, eps = op.argument(3, "weight"), op.argument(4, "bias"), op.argument(7, "eps", 1e-5)
    if mean is None or op.argument(5, "training", False):
        raise Unknown  # normalised with the statistics of the image itself
    slope = 1 / (variance.detach().double() + eps).sqrt()
    if weight is not None:
        slope = slope * weight.detach().double()
    shift = -mean.detach().double() * slope
    return slope, shift if bias is None else shift + bias.detach().double()


def layer_norm(op: Op, place: Index) -> Terms:
    x, shape = op.args[0], op.argument(1, "normalized_shape")
    weight, bias, eps = op.argument(2, "weight"), op.argument(3, "bias"), op.argument(4, "eps", 1e-5)
    if len(shape) != 1:
        raise Unknown
    width, k = x.value.shape[-1], place[-1]
    start = flat_place(x.value.shape[:-1], place[:-1]) * width
    vector = x.value.reshape(-1)[start : start + width].double()
    normal = (vector - vector.mean()) / torch.sqrt(vector.var(correction=0) + eps)
    slope, shift = (float(weight[k]) if weight is not None else 1.0), (float(bias[k]) if bias is not None else 0.0)
    value = float(normal[k]) * slope + shift
    return Terms(
        "several",
        vector,
        torch.zeros(width).double(),
        [(x, torch.arange(start, start + width))],
        shift,
        value,
        "layer_norm",
        scale=abs(value) + abs(shift) + 1,
    )


def reduce_axes(op: Op, place: Index) -> Terms:
    """The mean or sum over some axes."""
    x, axes = op.args[0], op.argument(1, "dim")
    keep = op.argument(2, "keepdim", False)
    shape = x.value.shape
    axes = range(len(shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    axes = {axis % len(shape) for axis in axes}
    rest = iter(place if not keep else [k for axis, k in enumerate(place) if axis not in axes])
    grid = torch.arange(math.prod(shape)).reshape(shape)[
        tuple(slice(None) if axis in axes else next(rest) for axis in range(len(shape)))
    ]
    places = grid.reshape(-1)
    values = x.value.reshape(-1)[places].double()
    each = 1 / len(values) if op.name == "mean" else 1.0
    return Terms("products", values, torch.full((len(values),), each).double(), [(x, places)], rule=op.name)


def same_padding(kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """The padding that torch adds before; after, it adds one more where the total is odd."""
    return dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2
