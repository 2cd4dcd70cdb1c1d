"""Numbers with their units, and names that come from files, as text for a reader."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any

from limpide.text.messages import N_, _, message
from limpide.text.numbers import (
    FORMATS,
    NBSP,
    format_bytes,
    format_duration,
    format_large,
    format_number,
    format_percent,
    format_significant,
)

NOTHING = "–"  # a cell without a value
MIN_SHARE = 0.001  # the smallest share that is not shown as 0 with one decimal

UNITS: dict[str, Callable[[float], str]] = {
    "share": format_percent,
    "count": format_number,
    "s": format_duration,
    "bytes": format_bytes,
    "large": format_large,
    "": format_significant,
}

# Directional marks and overrides: a file name must not reverse the text around it.
_DIRECTION_MARKS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def visible_text(text: object) -> str:
    """Text from a file with everything invisible spelled out: no line break, no escape sequence, no reversed text."""
    return "".join(f"\\x{ord(c):02x}" if _is_invisible(c) else c for c in str(text))


def _is_invisible(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in _DIRECTION_MARKS


def format_cell(value: Any, form: str = "text") -> str:
    """One cell of a finding's table. `form` is a key of FORMATS, or "text"."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if form in FORMATS and isinstance(value, (int, float)):
        return FORMATS[form](value)
    return visible_text(value)


def format_measure(value: float | None, unit: str) -> str:
    """A value with its unit: (0.0123, "share") → "1.2 %", (3.2, "ms") → "3.2 ms"."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if unit == "share" and 0 < value < MIN_SHARE:
        return f"<{NBSP}{format_percent(MIN_SHARE)}"
    if unit in UNITS:
        return UNITS[unit](value)
    return f"{format_significant(value)}{NBSP}{_(unit)}"


def format_interval(low: float | None, high: float | None, unit: str = "share") -> str:
    """ "98.9 % to 99.3 %", or an empty string if no interval is known."""
    if low is None or high is None:
        return ""
    return str(message(N_("{low} to {high}"), low=format_measure(low, unit), high=format_measure(high, unit)))


def format_basis(n: int | None) -> str:
    """The number of observations behind a number: "n = 10,000"."""
    return "" if n is None else f"n{NBSP}={NBSP}{format_number(n)}"
