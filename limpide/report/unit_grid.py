"""One unit's arithmetic as grids of numbers: patch × kernel = products, their sum, the bias, and the next
operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limpide.core.finding import Finding
from limpide.text.formats import NOTHING
from limpide.text.messages import N_, Message, message
from limpide.text.numbers import format_number

MAX_CHANNELS = 3  # drawn; the written sums include all channels
MAX_SIDE = 7  # cells of a grid's side that are still readable
DIGITS = 4  # after the decimal mark in the sums
SHADES = 4
STEP, LAST_STEP = N_("after {name} ({layer})"), N_("after {name} ({layer}): what the next layer sees")
STEP_NAMES = {"batch_norm": N_("batch normalization"), "relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU"}

Plane = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Square:
    words: str
    shade: int  # 0 … SHADES: size of the number relative to the largest of its grid
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
class Line:
    """One line of the written sum: sign, value, what it is."""

    sign: str
    value: str
    what: Message


@dataclass(frozen=True)
class Arithmetic:
    where: Message
    channels: Sequence[Channel]  # empty where there are too many numbers to read: a linear layer
    hidden: int  # channels that are not drawn
    rest: str  # sum of their products
    lines: Sequence[Line]


def arithmetic_of(finding: Finding) -> Arithmetic | None:
    """None where the numbers of the unit are missing."""
    data = finding.data
    patch, kernel, products = (data.get(name) or [] for name in ("patch", "kernel", "products"))
    if not patch or not len(patch) == len(kernel) == len(products):
        return None
    sums = [math.fsum(value for row in plane for value in row) for plane in products]
    drawn = _choose_channels(products)
    titles = (N_("what the unit sees"), N_("its weights"), N_("products"))
    channels = [
        Channel(
            c,
            [Grid(title, _squares(planes[c])) for title, planes in zip(titles, (patch, kernel, products), strict=True)],
            signed(sums[c]),
        )
        for c in drawn
    ]
    rest = math.fsum(value for c, value in enumerate(sums) if c not in drawn)
    values = {name: data.get(name, NOTHING) for name in ("layer", "channel", "y", "x")}
    where = message(N_("layer {layer}, channel {channel}, row {y}, column {x}"), **values)
    return Arithmetic(where, channels, len(products) - len(drawn), signed(rest), _column(data, math.fsum(sums)))


def _choose_channels(products: Sequence[Plane]) -> list[int]:
    """The channels with the largest products, in their own order, so that the drawing shows something."""
    if len(products[0]) > MAX_SIDE or len(products[0][0]) > MAX_SIDE:
        return []
    largest = sorted(range(len(products)), key=lambda c: -max(abs(v) for row in products[c] for v in row))
    return sorted(largest[:MAX_CHANNELS])


def _column(data: Any, total: float) -> list[Line]:
    """The sum as a person would write it, one line below the other."""
    bias = data.get("bias") or 0.0
    lines = [Line("", signed(total), message(N_("sum of all products")))]
    if bias:  # a layer may have none
        lines.append(
            Line(
                "\N{MINUS SIGN}" if bias < 0 else "+", signed(abs(bias)), message(N_("bias, the constant of the unit"))
            )
        )
    lines.append(Line("=", signed(total + bias), message(N_("value of the unit"))))
    if data.get("torch") is not None:
        lines.append(Line("", signed(data["torch"]), message(N_("the same value, computed by the network"))))
    return lines + steps_of(data)


def steps_of(data: Any) -> list[Line]:
    """The values after normalization and activation, one after the other."""
    steps = data.get("after") or []
    if not steps and data.get("activation") is not None:  # for a run that kept only the last one
        return [Line("→", signed(data["activation"]), message(N_("what the next layer sees")))]
    return [
        Line(
            "→",
            signed(step["value"]),
            message(
                LAST_STEP if k == len(steps) else STEP,
                name=message(STEP_NAMES.get(step["name"], step["name"])),
                layer=step["layer"],
            ),
        )
        for k, step in enumerate(steps, 1)
    ]


def _squares(plane: Plane) -> list[list[Square]]:
    largest = max((abs(v) for row in plane for v in row), default=0.0) or 1.0
    return [[Square(signed(v, 2), _shade(v, largest), v < 0) for v in row] for row in plane]


def _shade(value: float, largest: float) -> int:
    return round(SHADES * abs(value) / largest) if math.isfinite(value) and math.isfinite(largest) else 0


def signed(value: float, digits: int = DIGITS) -> str:
    """With a true minus sign, and never "−0.00"."""
    if not math.isfinite(value):
        return NOTHING
    text = format_number(abs(value), digits)
    return ("\N{MINUS SIGN}" if value < 0 and text.strip("0.,") else "") + text
