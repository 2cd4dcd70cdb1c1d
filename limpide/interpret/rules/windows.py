"""Pooling: the largest or the mean of a window."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limpide.interpret.rules.terms import Index, Terms, flat_place, pair
from limpide.interpret.trace import Op, Source


def _windows(op: Op, place: Index) -> tuple[Source, Tensor, Tensor]:
    """Return (source, flat places of the window, the number of them that count in an average) for a pooling with
    kernel, stride and padding.
    """
    x = op.args[0]
    kernel = pair(op.argument(1, "kernel_size"))
    stride = pair(op.argument(2, "stride") or kernel)
    padding, dilation = (
        pair(op.argument(3, "padding", 0)),
        (pair(op.argument(4, "dilation", 1)) if op.name.startswith("max") else (1, 1)),
    )
    height, width = x.value.shape[-2:]
    rows = torch.arange(kernel[0]) * dilation[0] + place[-2] * stride[0] - padding[0]
    columns = torch.arange(kernel[1]) * dilation[1] + place[-1] * stride[1] - padding[1]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    counted = ((rows < height + padding[0])[:, None] & (columns < width + padding[1])).sum()
    base = flat_place(x.value.shape[:-2], place[:-2]) * height
    flat = (base + rows[:, None]) * width + columns
    return x, flat[inside], counted if op.argument(5, "count_include_pad", True) else inside.sum()


def max_pool2d(op: Op, place: Index) -> Terms:
    x, places, _ = _windows(op, place)
    return largest_of(x, places)


def largest_of(x: Source, places: Tensor) -> Terms:
    values = x.value.reshape(-1)[places].double()
    chosen = torch.zeros(len(values)).double()
    chosen[int(values.argmax())] = 1.0
    return Terms("choice", values, chosen, [(x, places)], rule="max")


def avg_pool2d(op: Op, place: Index) -> Terms:
    x, places, count = _windows(op, place)
    values = x.value.reshape(-1)[places].double()
    return Terms(
        "products",
        values,
        torch.full((len(values),), 1 / float(op.argument(6, "divisor_override") or count)).double(),
        [(x, places)],
        rule="mean",
    )


def adaptive(largest: bool) -> Callable[[Op, Index], Terms]:
    def rule(op: Op, place: Index) -> Terms:
        x = op.args[0]
        height, width = x.value.shape[-2:]
        rows, columns = (
            torch.arange(k * n // m, -(-(k + 1) * n // m))
            for k, n, m in zip(place[-2:], (height, width), op.output.shape[-2:], strict=True)
        )
        places = ((flat_place(x.value.shape[:-2], place[:-2]) * height + rows[:, None]) * width + columns).reshape(-1)
        if largest:
            return largest_of(x, places)
        values = x.value.reshape(-1)[places].double()
        return Terms(
            "products", values, torch.full((len(values),), 1 / len(values)).double(), [(x, places)], rule="mean"
        )

    return rule
