"""How each operation makes one number of its output out of its inputs: a rule is (operation, place) → Terms.

Explained: conv2d, linear, matmul, add, sub, mul, div, neg, batch and layer normalisation, pooling (max, average, adaptive, global), ReLU and its
kin, sigmoid, tanh, softmax, recurrent cells, and everything that only moves numbers (flatten, reshape, transpose, cat, pad, getitem, dropout …).
"""

from __future__ import annotations

from collections.abc import Callable

from limpide.interpret.rules import functions, moves, products, recurrent, windows
from limpide.interpret.rules.terms import Index, Terms
from limpide.interpret.trace import Op

RULES: dict[str, Callable[[Op, Index], Terms]] = {
    "conv2d": products.conv2d,
    "linear": products.linear,
    "matmul": products.matmul,
    "bmm": products.matmul,
    "add": products.added(1.0),
    "sub": products.added(-1.0),
    "mul": products.mul,
    "div": products.div,
    "neg": products.neg,
    "batch_norm": products.batch_norm,
    "layer_norm": products.layer_norm,
    "mean": products.reduced,
    "sum": products.reduced,
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
    **dict.fromkeys(moves.MOVES, moves.moved),
}
