"""How the values of a question are written in an address. Each parser raises ValueError for a text that it cannot
read.
"""

from __future__ import annotations

import json
from collections.abc import Callable

MAX_DIGITS = 15  # of a number in an address: a longer one fits into no array
MASK_SIDE = 16  # places of a mask along a side


def natural(text: str) -> int:
    """0, 1, 2 …"""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise ValueError(text)
    return int(text)


def within(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of numbers from `low` to `high`."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return number


def operation_key(text: str) -> str:
    """The name of an operation, which must not be empty."""
    if not text:
        raise ValueError("key")
    return text


def mask(text: str) -> list[list[int]]:
    """[[row, column], …] in sixteenths of the side."""
    cells = json.loads(text)
    if not isinstance(cells, list) or not all(
        isinstance(cell, list) and len(cell) == 2 and all(isinstance(k, int) and 0 <= k < MASK_SIDE for k in cell)
        for cell in cells
    ):
        raise ValueError(text)
    return cells
