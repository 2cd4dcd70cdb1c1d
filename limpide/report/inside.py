"""One unit's arithmetic as grids of numbers: patch × kernel = products, their sum, the bias, the activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import math

from limpide.finding import Finding
from limpide.language import Message, N_, message, number
from limpide.report.wording import NOTHING

MOST_CHANNELS = 3  # drawn; the sums of all of them are in the arithmetic
MOST_SIDE = 7  # cells of a grid's side that can be read


@dataclass(frozen=True)
class Square:
    words: str
    shade: int  # 0 … 4, size of the number against the largest of its grid
    negative: bool


@dataclass(frozen=True)
class Grid:
    title: str  # msgid
    rows: Sequence[Sequence[Square]]


@dataclass(frozen=True)
class Channel:
    number: int
    grids: Sequence[Grid]
    sum: str


@dataclass(frozen=True)
class Arithmetic:
    where: Message
    channels: Sequence[Channel]
    hidden: int  # channels that are not drawn
    rest: str  # sum of their products
    lines: Sequence[tuple[str, str, str]]  # (sign, value, msgid): the column that a person would write


def arithmetic_of(finding: Finding) -> Arithmetic | None:
    """None where the numbers of the unit are not there, or too many to be read."""
    data = finding.data
    patch, kernel, products = (data.get(name) or [] for name in ("patch", "kernel", "products"))
    if not patch or len(patch) != len(kernel) or len(kernel) != len(products) or len(patch[0]) > MOST_SIDE:
        return None
    # A channel that is drawn should have something to show: those with the largest products, in their own order.
    largest = sorted(range(len(products)), key=lambda c: -max(abs(v) for row in products[c] for v in row))
    drawn = sorted(largest[:MOST_CHANNELS])
    channels = [
        Channel(c, [Grid(N_("what the unit sees"), _squares(patch[c])), Grid(N_("its weights"), _squares(kernel[c])), Grid(N_("products"), _squares(products[c]))], shown_number(_total(products[c])))
        for c in drawn
    ]
    rest = sum(_total(products[c]) for c in range(len(products)) if c not in drawn)
    where = message(
        N_("Layer {layer}, channel {channel}, row {y}, column {x}"), **{name: data.get(name, NOTHING) for name in ("layer", "channel", "y", "x")}
    )
    return Arithmetic(where, channels, len(products) - len(drawn), shown_number(rest), _column(finding))


def _column(finding: Finding) -> list[tuple[str, str, str]]:
    data = finding.data
    lines = []
    total, bias, before = data.get("sum"), data.get("bias"), data.get("torch")
    if total is not None:
        lines.append(("", shown_number(total), N_("sum of all products")))
    if bias is not None:
        lines.append(("+", shown_number(bias), N_("bias, the unit's own constant")))
    if total is not None and bias is not None:
        lines.append(("=", shown_number(total + bias), N_("before the activation")))
    if data.get("activation") is not None:
        lines.append(("→", shown_number(data["activation"]), N_("after the activation: what the next layer sees")))
    if before is not None:
        lines.append(("", shown_number(before), N_("the same value as the network computed it")))
    return lines


def _total(plane: Sequence[Sequence[float]]) -> float:
    return sum(value for row in plane for value in row)


def _squares(plane: Sequence[Sequence[float]]) -> list[list[Square]]:
    largest = max((abs(v) for row in plane for v in row), default=0.0) or 1.0
    return [[Square(shown_number(v, 2), round(4 * abs(v) / largest), v < 0) for v in row] for row in plane]


def shown_number(value: float, digits: int = 4) -> str:
    """With a true minus sign, and never "-0.00"."""
    if not math.isfinite(value):
        return NOTHING
    text = number(abs(value), digits)
    return ("\N{MINUS SIGN}" if value < 0 and text.strip("0.,") else "") + text
