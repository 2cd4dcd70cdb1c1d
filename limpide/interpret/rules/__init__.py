"""How each operation computes one number of its output from its inputs: a rule is (operation, place) → Terms.

Explained: conv2d, linear, matmul, add, sub, mul, div, neg, batch and layer normalisation, pooling (max, average,
adaptive, global), ReLU and its kin, sigmoid, tanh, softmax, recurrent cells, and all operations that only move numbers
(flatten, reshape, transpose, cat, pad, getitem, dropout …).
"""

from __future__ import annotations

from collections.abc import Callable

from limpide.interpret.rules import functions, linear, recurrent, reshape, windows
from limpide.interpret.rules.terms import Index, Terms
from limpide.interpret.trace import Op

RULES: dict[str, Callable[[Op, Index], Terms]] = {
    "conv2d": linear.conv2d,
    "linear": linear.linear,
    "matmul": linear.matmul,
    "bmm": linear.matmul,
    "add": linear.add(1.0),
    "sub": linear.add(-1.0),
    "mul": linear.mul,
    "div": linear.div,
    "neg": linear.neg,
    "batch_norm": linear.batch_norm,
    "layer_norm": linear.layer_norm,
    "mean": linear.reduce_axes,
    "sum": linear.reduce_axes,
    "max_pool2d": windows.max_pool2d,
    "avg_pool2d": windows.avg_pool2d,
    "adaptive_avg_pool2d": windows.adaptive(largest=False),
    "adaptive_max_pool2d": windows.adaptive(largest=True),
    "softmax": functions.softmax,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "rnn_tanh": recurrent.recurrent,
    "rnn_relu": recurrent.recurrent,
    **dict.fromkeys(functions.FUNCTIONS, functions.elementwise),
    **dict.fromkeys(reshape.MOVES, reshape.move),
}
