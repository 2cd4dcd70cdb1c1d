"""Which pixels of the image can reach one unit: its receptive field, traced back through the recorded operations.

EXACT: the smallest box around them. BOUND: they are inside the box. OPAQUE: some operation on the way is not
understood, so the box is the whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limpide.interpret.rules.functions import FUNCTIONS
from limpide.interpret.rules.reshape import MOVES
from limpide.interpret.trace import Op, Source, Trace

EXACT, BOUND, OPAQUE = "EXACT", "BOUND", "OPAQUE"
SAME = (
    "batch_norm",
    "dropout",
    "dropout2d",
    "contiguous",
    "clone",
    "neg",
    "to",
    "float",
    "cat",
    "concat",
    "add",
    "sub",
    "mul",
    "div",
)


@dataclass(frozen=True)
class Box:
    """Rows top … bottom − 1, columns left … right − 1, in pixels of the square that the network sees."""

    top: int
    left: int
    bottom: int
    right: int

    def within(self, height: int, width: int) -> Box:
        return Box(max(0, self.top), max(0, self.left), min(height, self.bottom), min(width, self.right))

    def around(self, other: Box) -> Box:
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


@dataclass(frozen=True)
class Field:
    box: Box
    status: str


def receptive_field(trace: Trace, op: Op, index: Sequence[int]) -> Field:
    """index: (channel, row, column) of a map, or (unit,) of a vector."""
    height, width = trace.image.shape[-2:]
    status = BOUND if op.name in MOVES and op.output.ndim != 4 else EXACT
    boxes: dict[int, Box | None] = {
        op.index: Box(index[1], index[2], index[1] + 1, index[2] + 1) if op.output.ndim == 4 else None
    }
    for at in range(op.index, -1, -1):
        if at not in boxes:
            continue
        box, this = boxes[at], trace.ops[at]
        for source in this.inputs:
            try:
                before, how = _before(this, box, source)
            except Exception:  # called in a form that is not known here
                before, how = None, OPAQUE
            status = max(status, how, key=(EXACT, BOUND, OPAQUE).index)
            if source.op in boxes:
                other = boxes[source.op]
                before = before.around(other) if before is not None and other is not None else None
            boxes[source.op] = before
    input_box = boxes.get(-1)
    if status == OPAQUE or input_box is None:
        return Field(Box(0, 0, height, width), status)
    return Field(input_box.within(height, width), status)


def _before(op: Op, box: Box | None, source: Source) -> tuple[Box | None, str]:
    """The part of the source that this part of the output needs; None: the whole source."""
    if source.value.ndim != 4:
        has_rule = op.name in (
            "linear",
            "flatten",
            "matmul",
            "softmax",
            "layer_norm",
            "mean",
            "sum",
            "square",
        ) or op.name in SAME + tuple(FUNCTIONS) + tuple(MOVES)
        return None, EXACT if has_rule and box is None else BOUND if has_rule else OPAQUE
    height, width = source.value.shape[-2:]
    if op.name in ("conv2d", "max_pool2d", "avg_pool2d") and box is not None:
        return _window(op, box).within(height, width), EXACT
    if op.name in ("mean", "sum", "adaptive_avg_pool2d", "adaptive_max_pool2d", "flatten", "reshape", "view"):
        return None, EXACT if op.name == "flatten" or op.output.numel() == source.value.shape[1] else BOUND
    if op.name == "batch_norm" and (op.argument(1, "running_mean") is None or op.argument(5, "training", False)):
        return None, BOUND  # normalised with the statistics of the whole image
    if op.name == "pad" and op.argument(2, "mode", "constant") != "constant":
        return None, BOUND
    if op.name == "pad" and box is not None:
        left, _, top = (*op.argument(1, "pad"), 0, 0)[:3]
        return Box(box.top - top, box.left - left, box.bottom - top, box.right - left).within(height, width), EXACT
    if op.name in SAME or op.name in FUNCTIONS:
        if box is None or (height, width) == tuple(op.output.shape[-2:]):
            return box, EXACT
        return None, EXACT  # one number for all places: a squeeze-and-excitation block sees the whole image
    if op.name in MOVES or op.name in ("softmax", "matmul", "layer_norm"):
        return None, BOUND
    return None, OPAQUE


def _window(op: Op, box: Box) -> Box:
    if op.name == "conv2d":
        kernel, stride, padding, dilation = (
            op.argument(1, "weight").shape[2:],
            op.argument(3, "stride", 1),
            op.argument(4, "padding", 0),
            op.argument(5, "dilation", 1),
        )
    else:
        kernel, padding = op.argument(1, "kernel_size"), op.argument(3, "padding", 0)
        stride, dilation = (
            op.argument(2, "stride") or kernel,
            (op.argument(4, "dilation", 1) if op.name == "max_pool2d" else 1),
        )
    (kh, kw), (sh, sw), (dh, dw) = (
        value if isinstance(value, (tuple, list)) else (value, value)
        for value in (tuple(kernel) if not isinstance(kernel, int) else kernel, stride, dilation)
    )
    ph, pw = (
        (dh * (kh - 1) // 2, dw * (kw - 1) // 2)
        if padding == "same"
        else (0, 0)
        if padding == "valid"
        else padding
        if isinstance(padding, (tuple, list))
        else (padding, padding)
    )
    return Box(
        box.top * sh - ph,
        box.left * sw - pw,
        (box.bottom - 1) * sh - ph + dh * (kh - 1) + 1,
        (box.right - 1) * sw - pw + dw * (kw - 1) + 1,
    )
