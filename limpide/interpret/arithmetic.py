"""One number of a network, taken apart: which numbers went into it, with which weights, and whether the sum is what torch computed.

Explained: conv2d, linear, matmul, add, sub, mul, div, neg, batch and layer normalisation, pooling (max, average, adaptive, global), ReLU and its
kin, sigmoid, tanh, softmax, and everything that only moves numbers (flatten, reshape, transpose, cat, pad, getitem, dropout …). What is not
in this list is OPAQUE and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limpide.interpret.trace import Op, Source, Trace

TOLERANCE = 1e-5  # of Σ |x·w|: float32 sums differ by rounding alone

Index = tuple[int, ...]


@dataclass
class Explanation:
    """value = Σ values · weights + bias, then `rule` where one is named (relu, max, softmax …).

    kind: products · choice (the largest of them) · function (of one number) · several (a rule of all of them) · moved · opaque
    """

    kind: str
    rule: str
    values: Tensor  # float64 (n,): what went in
    weights: Tensor  # float64 (n,)
    sources: list[int]  # (n,): the operation each came from, −1: the image, −2: padding
    places: list[int]  # (n,): its flat place there
    bias: float
    value: float  # our result, in 64 bits
    torch_value: float
    shape: Index = ()  # in which the terms are drawn: (channels, height, width) of a convolution
    scale: float = 0.0  # of the tolerance: Σ |x·w| + |bias|
    parts: dict[str, float] = field(default_factory=dict)  # what a rule works out on its way: the gates of an LSTM

    @property
    def products(self) -> Tensor:
        return self.values * self.weights

    @property
    def residual(self) -> float:
        return abs(self.value - self.torch_value)

    @property
    def agrees(self) -> bool:
        return self.kind != "opaque" and self.residual <= TOLERANCE * self.scale + 1e-12


@dataclass
class _Terms:
    """What a rule below gives: terms with their sources, and the value in 64 bits."""

    kind: str
    values: Tensor
    weights: Tensor
    origins: list[tuple[Source, Tensor]]  # (source, flat places int64 with −1 for padding), one after the other
    bias: float = 0.0
    value: float | None = None  # None: Σ + bias
    rule: str = ""
    shape: Index = ()
    scale: float | None = None
    parts: dict[str, float] = field(default_factory=dict)


def explain(trace: Trace, op: Op, index: Sequence[int]) -> Explanation:
    """Why output `index` (without the first axis, the image) of this operation is what it is. Raises IndexError for a place that is not there."""
    place = (0, *index) if op.output.ndim == len(index) + 1 else tuple(index)
    if len(place) != op.output.ndim or any(not 0 <= k < n for k, n in zip(place, op.output.shape, strict=True)):
        raise IndexError(f"The unit must lie within {tuple(op.output.shape[1:])}. Got {tuple(index)} instead.")
    torch_value = float(op.output[place])
    rule = RULES.get(op.name) or (_moved if op.name in MOVES else _elementwise if op.name in FUNCTIONS else None)
    terms = None
    if rule is not None:
        try:
            terms = rule(op, place)
        except Exception:  # a form of this operation that the rule does not know: a stranger's network may call it in any
            terms = None
    if terms is None:
        return Explanation("opaque", op.name, torch.zeros(0), torch.zeros(0), [], [], 0.0, torch_value, torch_value)
    sources = [source.op if at >= 0 else -2 for source, places in terms.origins for at in places.tolist()]
    places = [at for _, places in terms.origins for at in places.tolist()]
    total = float((terms.values * terms.weights).sum()) + terms.bias
    scale = terms.scale if terms.scale is not None else float((terms.values * terms.weights).abs().sum()) + abs(terms.bias)
    value = total if terms.value is None else terms.value
    return Explanation(
        terms.kind,
        terms.rule or op.name,
        terms.values,
        terms.weights,
        sources,
        places,
        terms.bias,
        value,
        torch_value,
        terms.shape or (len(places),),
        scale,
        terms.parts,
    )


# -- sums of products


def _conv2d(op: Op, place: Index) -> _Terms:
    x, weight = op.args[0], op.argument(1, "weight")
    bias, stride, padding, dilation, groups = (
        op.argument(k, name, other) for k, name, other in ((2, "bias", None), (3, "stride", 1), (4, "padding", 0), (5, "dilation", 1), (6, "groups", 1))
    )
    _, channel, row, column = place
    weight = weight.value if isinstance(weight, Source) else weight
    (kh, kw), (sh, sw), (dh, dw) = weight.shape[2:], _pair(stride), _pair(dilation)
    ph, pw = _same_padding((kh, kw), (dh, dw)) if padding == "same" else (0, 0) if padding == "valid" else _pair(padding)
    _, channels, height, width = x.value.shape
    per_group = channels // groups
    first = channel // (weight.shape[0] // groups) * per_group
    rows = torch.arange(kh) * dh + row * sh - ph
    columns = torch.arange(kw) * dw + column * sw - pw
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    flat = (torch.arange(first, first + per_group)[:, None, None] * height + rows[:, None]) * width + columns  # (channels, kh, kw)
    flat = torch.where(inside, flat, -1)
    values = torch.where(flat >= 0, x.value.reshape(-1)[flat.clamp(min=0)].double(), 0.0)
    return _Terms(
        "products",
        values.reshape(-1),
        weight[channel].detach().double().reshape(-1),
        [(x, flat.reshape(-1))],
        float(bias[channel]) if bias is not None else 0.0,
        shape=(per_group, kh, kw),
    )


def _linear(op: Op, place: Index) -> _Terms:
    x, weight, bias = op.args[0], op.argument(1, "weight"), op.argument(2, "bias")
    width = x.value.shape[-1]
    start = _flat(x.value.shape[:-1], place[:-1]) * width
    return _Terms(
        "products",
        x.value.reshape(-1)[start : start + width].double(),
        weight[place[-1]].detach().double(),
        [(x, torch.arange(start, start + width))],
        float(bias[place[-1]]) if bias is not None else 0.0,
    )


def _matmul(op: Op, place: Index) -> _Terms:
    """Both factors may be activations: then the second one's numbers are the weights."""
    a, b = op.args[0], op.args[1]
    left, right = _tensor(a), _tensor(b)
    if left.ndim < 2 or right.ndim < 2:
        raise NotImplementedError
    batch = place[:-2]
    one = left[_broadcast(batch, left.shape[:-2])][place[-2]].double()
    other = right[_broadcast(batch, right.shape[:-2])][:, place[-1]].double()
    if not isinstance(a, Source):  # a constant times an activation
        a, b, left, one, other = b, a, right, other, one
        raise NotImplementedError
    start = _flat(left.shape[:-1], (*_broadcast(batch, left.shape[:-2]), place[-2])) * left.shape[-1]
    return _Terms("products", one, other.detach(), [(a, torch.arange(start, start + left.shape[-1]))])


def _added(sign: float) -> Callable[[Op, Index], _Terms]:
    def rule(op: Op, place: Index) -> _Terms:
        values, weights, origins, bias = [], [], [], 0.0
        for term, weight in zip(op.args[:2], (1.0, sign * float(op.kwargs.get("alpha", 1))), strict=True):
            if isinstance(term, Source):
                at = _flat(term.value.shape, _broadcast(place, term.value.shape))
                values.append(float(term.value.reshape(-1)[at]))
                weights.append(weight)
                origins.append((term, torch.tensor([at])))
            else:
                bias += weight * _constant(term, place)
        return _Terms("products", _doubles(values), _doubles(weights), origins, bias)

    return rule


def _mul(op: Op, place: Index) -> _Terms:
    return _times(op.args[0], op.args[1], place, lambda y: y)


def _div(op: Op, place: Index) -> _Terms:
    if not isinstance(op.args[0], Source):
        raise NotImplementedError
    return _times(op.args[0], op.args[1], place, lambda y: 1 / y)


def _times(a: Any, b: Any, place: Index, of: Callable[[float], float]) -> _Terms:
    """The first that comes from the network is the number, the other its weight; both are sources where both come from it."""
    if not isinstance(a, Source):
        a, b = b, a
    at = _flat(a.value.shape, _broadcast(place, a.value.shape))
    value = float(a.value.reshape(-1)[at])
    weight = of(_constant(b.value if isinstance(b, Source) else b, place))
    terms = _Terms("products", _doubles([value]), _doubles([weight]), [(a, torch.tensor([at]))])
    if isinstance(b, Source):
        beside = _flat(b.value.shape, _broadcast(place, b.value.shape))
        terms.values, terms.weights = _doubles([value, _constant(b.value, place)]), _doubles([weight, 0.0])
        terms.origins.append((b, torch.tensor([beside])))
        terms.rule = "mul"
    return terms


def _neg(op: Op, place: Index) -> _Terms:
    source = op.args[0]
    at = _flat(source.value.shape, place)
    return _Terms("products", source.value.reshape(-1)[at : at + 1].double(), _doubles([-1.0]), [(source, torch.tensor([at]))])


def _batch_norm(op: Op, place: Index) -> _Terms:
    """(x − mean) / √(variance + ε) · weight + bias, with what was seen in training: one weight and one bias a channel."""
    x, mean, variance = op.args[0], op.argument(1, "running_mean"), op.argument(2, "running_var")
    weight, bias, eps = op.argument(3, "weight"), op.argument(4, "bias"), op.argument(7, "eps", 1e-5)
    if mean is None or op.argument(5, "training", False):
        raise NotImplementedError  # with the statistics of the image itself
    channel = place[1]
    spread = math.sqrt(float(variance[channel]) + eps)
    slope = (float(weight[channel]) if weight is not None else 1.0) / spread
    shift = (float(bias[channel]) if bias is not None else 0.0) - float(mean[channel]) * slope
    at = _flat(x.value.shape, place)
    return _Terms("products", x.value.reshape(-1)[at : at + 1].double(), _doubles([slope]), [(x, torch.tensor([at]))], shift)


def _layer_norm(op: Op, place: Index) -> _Terms:
    x, shape = op.args[0], op.argument(1, "normalized_shape")
    weight, bias, eps = op.argument(2, "weight"), op.argument(3, "bias"), op.argument(4, "eps", 1e-5)
    if len(shape) != 1:
        raise NotImplementedError
    width, k = x.value.shape[-1], place[-1]
    start = _flat(x.value.shape[:-1], place[:-1]) * width
    vector = x.value.reshape(-1)[start : start + width].double()
    normal = (vector - vector.mean()) / torch.sqrt(vector.var(correction=0) + eps)
    slope, shift = (float(weight[k]) if weight is not None else 1.0), (float(bias[k]) if bias is not None else 0.0)
    value = float(normal[k]) * slope + shift
    return _Terms(
        "several", vector, torch.zeros(width).double(), [(x, torch.arange(start, start + width))], shift, value, "layer_norm", scale=abs(value) + abs(shift) + 1
    )


# -- windows


def _windows(op: Op, place: Index) -> tuple[Source, Tensor, Tensor]:
    """(source, flat places of the window, how many of them count in an average) of a pooling with kernel, stride and padding."""
    x = op.args[0]
    kernel = _pair(op.argument(1, "kernel_size"))
    stride = _pair(op.argument(2, "stride") or kernel)
    padding, dilation = _pair(op.argument(3, "padding", 0)), (_pair(op.argument(4, "dilation", 1)) if op.name.startswith("max") else (1, 1))
    height, width = x.value.shape[-2:]
    rows = torch.arange(kernel[0]) * dilation[0] + place[-2] * stride[0] - padding[0]
    columns = torch.arange(kernel[1]) * dilation[1] + place[-1] * stride[1] - padding[1]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    counted = ((rows < height + padding[0])[:, None] & (columns < width + padding[1])).sum()
    base = _flat(x.value.shape[:-2], place[:-2]) * height
    flat = (base + rows[:, None]) * width + columns
    return x, flat[inside], counted if op.argument(5, "count_include_pad", True) else inside.sum()


def _max_pool(op: Op, place: Index) -> _Terms:
    x, places, _ = _windows(op, place)
    return _largest(x, places)


def _largest(x: Source, places: Tensor) -> _Terms:
    values = x.value.reshape(-1)[places].double()
    chosen = torch.zeros(len(values)).double()
    chosen[int(values.argmax())] = 1.0
    return _Terms("choice", values, chosen, [(x, places)], rule="max")


def _avg_pool(op: Op, place: Index) -> _Terms:
    x, places, count = _windows(op, place)
    values = x.value.reshape(-1)[places].double()
    return _Terms("products", values, torch.full((len(values),), 1 / float(op.argument(6, "divisor_override") or count)).double(), [(x, places)], rule="mean")


def _adaptive(largest: bool) -> Callable[[Op, Index], _Terms]:
    def rule(op: Op, place: Index) -> _Terms:
        x = op.args[0]
        height, width = x.value.shape[-2:]
        rows, columns = (torch.arange(k * n // m, -(-(k + 1) * n // m)) for k, n, m in zip(place[-2:], (height, width), op.output.shape[-2:], strict=True))
        places = ((_flat(x.value.shape[:-2], place[:-2]) * height + rows[:, None]) * width + columns).reshape(-1)
        if largest:
            return _largest(x, places)
        values = x.value.reshape(-1)[places].double()
        return _Terms("products", values, torch.full((len(values),), 1 / len(values)).double(), [(x, places)], rule="mean")

    return rule


def _reduced(op: Op, place: Index) -> _Terms:
    """mean or sum over some axes."""
    x, axes = op.args[0], op.argument(1, "dim")
    keep = op.argument(2, "keepdim", False)
    shape = x.value.shape
    axes = range(len(shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    axes = {axis % len(shape) for axis in axes}
    rest = iter(place if not keep else [k for axis, k in enumerate(place) if axis not in axes])
    grid = torch.arange(math.prod(shape)).reshape(shape)[tuple(slice(None) if axis in axes else next(rest) for axis in range(len(shape)))]
    places = grid.reshape(-1)
    values = x.value.reshape(-1)[places].double()
    each = 1 / len(values) if op.name == "mean" else 1.0
    return _Terms("products", values, torch.full((len(values),), each).double(), [(x, places)], rule=op.name)


# -- functions


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "silu": F.silu,
    "gelu": F.gelu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "clamp": torch.clamp,
    "pow": torch.pow,
}


def _elementwise(op: Op, place: Index) -> _Terms:
    source = op.args[0]
    if len(op.inputs) != 1:
        raise NotImplementedError
    at = _flat(source.value.shape, place)
    before = source.value.reshape(-1)[at : at + 1].double()
    kwargs = {name: value for name, value in op.kwargs.items() if name != "inplace"}
    result = FUNCTIONS[op.name](before, *[v for v in op.args[1:] if not isinstance(v, bool)], **kwargs)
    value = float(result)
    return _Terms("function", before, _doubles([1.0]), [(source, torch.tensor([at]))], 0.0, value, op.name, scale=abs(float(before)) + abs(value))


def _softmax(op: Op, place: Index) -> _Terms:
    x, axis = op.args[0], op.argument(1, "dim")
    axis = axis % x.value.ndim
    grid = torch.arange(x.value.numel()).reshape(x.value.shape)
    places = grid[tuple(slice(None) if k == axis else at for k, at in enumerate(place))]
    values = x.value.reshape(-1)[places].double()
    value = float(values.softmax(0)[place[axis]])
    return _Terms("several", values, torch.zeros(len(values)).double(), [(x, places)], 0.0, value, "softmax", scale=1.0)


# -- recurrent cells (equations of torch.nn.LSTM, GRU and RNN; Hochreiter & Schmidhuber 1997, Cho et al. 2014)


def _recurrent(op: Op, place: Index) -> _Terms:
    """One layer, one direction, read from the first step on in 64 bits; the gates are those of the step that is asked for."""
    x, hidden, weights, bias, layers, _, _, both_ways, batch_first = op.args
    if layers != 1 or both_ways or not bias or not batch_first or not isinstance(x, Source) or any(True for h in _flattened(hidden) if h.abs().max() > 0):
        raise NotImplementedError
    steps, size = x.value.shape[1], op.output.shape[-1]
    if op.part == 0:
        _, t, unit = place
    else:  # the last step's state
        _, _, unit = place
        t = steps - 1
    w, u, b, c = (tensor.double() for tensor in weights)
    h = cell = torch.zeros(size).double()
    before, parts = h, {}
    for k in range(t + 1):
        before = h
        a, r = w @ x.value[0, k].double() + b, u @ h + c
        if op.name == "lstm":
            i, f, g, o = (a + r).split(size)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            cell = f * cell + i * g
            h = o * cell.tanh()
            parts = {"input gate": i, "forget gate": f, "candidate": g, "output gate": o, "cell": cell}
        elif op.name == "gru":
            (ar, az, an), (rr, rz, rn) = a.split(size), r.split(size)
            reset, update = (ar + rr).sigmoid(), (az + rz).sigmoid()
            candidate = (an + reset * rn).tanh()
            h = (1 - update) * candidate + update * h
            parts = {"reset gate": reset, "update gate": update, "candidate": candidate}
        else:
            h = torch.tanh(a + r) if op.name == "rnn_tanh" else torch.relu(a + r)
    value = float((cell if op.name == "lstm" and op.part == 2 else h)[unit])
    width = x.value.shape[-1]
    own = Source(op.index - op.part, op.output)  # what it remembers: its output one step before
    return _Terms(
        "several",
        torch.cat([x.value[0, t].double(), before]),
        torch.zeros(width + size).double(),
        [(x, torch.arange(t * width, (t + 1) * width)), (own, torch.arange((t - 1) * size, t * size) if t else torch.full((size,), -1))],
        0.0,
        value,
        op.name,
        scale=10.0,  # rounding adds up over the steps; the values lie between −1 and 1
        parts={name: float(gate[unit]) for name, gate in parts.items()},
    )


def _flattened(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else [tensor for item in value for tensor in _flattened(item)]


# -- what only moves numbers

MOVES = [
    "flatten",
    "reshape",
    "view",
    "permute",
    "transpose",
    "transposed",
    "t",
    "squeeze",
    "unsqueeze",
    "getitem",
    "select",
    "narrow",
    "chunk",
    "split",
    "unbind",
    "contiguous",
    "cat",
    "concat",
    "concatenate",
    "stack",
    "pad",
    "expand",
    "expand_as",
    "repeat",
    "clone",
    "to",
    "float",
    "dropout",
    "dropout2d",
    "alpha_dropout",
    "roll",
    "flip",
    "movedim",
    "swapaxes",
    "view_as",
    "unflatten",
    "identity",
]


def _moved(op: Op, place: Index) -> _Terms:
    """The same call on numbered places says which number came here; 0 is padding."""
    if op.name == "pad" and op.argument(2, "mode", "constant") == "constant" and float(op.argument(3, "value", 0) or 0):
        raise NotImplementedError  # filled with another number than zero
    numbered, first = [], 1
    for source in op.inputs:
        n = source.value.numel()
        numbered.append(torch.arange(first, first + n, dtype=torch.float64).reshape(source.value.shape))
        first += n
    at = round(float(op.again(numbered)[place])) - 1
    for source in op.inputs:
        n = source.value.numel()
        if at < n:
            break
        at -= n
    value = source.value.reshape(-1)[at : at + 1].double() if at >= 0 else _doubles([0.0])
    return _Terms("moved", value, _doubles([1.0]), [(source, torch.tensor([at]))])


RULES: dict[str, Callable[[Op, Index], _Terms]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "matmul": _matmul,
    "bmm": _matmul,
    "add": _added(1.0),
    "sub": _added(-1.0),
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "adaptive_avg_pool2d": _adaptive(False),
    "adaptive_max_pool2d": _adaptive(True),
    "mean": _reduced,
    "sum": _reduced,
    "softmax": _softmax,
    "lstm": _recurrent,
    "gru": _recurrent,
    "rnn_tanh": _recurrent,
    "rnn_relu": _recurrent,
}


# -- places


def _flat(shape: Sequence[int], place: Sequence[int]) -> int:
    at = 0
    for n, k in zip(shape, place, strict=True):
        at = at * n + k
    return at


def _broadcast(place: Sequence[int], shape: Sequence[int]) -> Index:
    """Where this place of the result lies in a tensor that was spread over it."""
    own = place[len(place) - len(shape) :] if len(shape) else ()
    return tuple(0 if n == 1 else k for k, n in zip(own, shape, strict=True))


def _constant(term: Any, place: Index) -> float:
    return float(term[_broadcast(place, term.shape)]) if isinstance(term, Tensor) else float(term)


def _tensor(term: Any) -> Tensor:
    return term.value if isinstance(term, Source) else term


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def _same_padding(kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """What torch puts before; the rest, where it is odd, comes after."""
    return dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2


def _doubles(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
