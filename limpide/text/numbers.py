"""Numbers as people write them: the decimal mark and the thousands mark follow the current language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from limpide.text.language import _, current_language

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NBSP = "\N{NO-BREAK SPACE}"


def format_number(value: float, decimals: int = 0) -> str:
    """1234.5 → "1,234.5" in English, "1 234,5" in French."""
    plain = f"{value:,.{decimals}f}"
    if current_language() == "fr":
        return plain.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
    return plain


def format_significant(value: float) -> str:
    """Three significant digits, and powers of ten only below 0.0001."""
    if value == 0 or not abs(value) < 100:  # NaN, too
        return format_number(value)
    if abs(value) < 1e-4:
        mantissa, exponent = f"{value:.1e}".split("e")
        power = str(int(exponent)).translate(SUPERSCRIPTS)
        return f"{format_number(float(mantissa), 1)}{NBSP}·{NBSP}10{power}"
    decimals = max(0, 2 - int(f"{value:e}".split("e")[1]))
    text = format_number(value, decimals)
    return text.rstrip("0").rstrip(".,") if decimals else text


def format_percent(share: float, decimals: int = 1) -> str:
    """0.9912 → "99.1 %"; a share that is not quite 1 is never rounded up to 100 %, nor one above 0 down to 0 %."""
    value = share * 100
    if value < 100 and round(value, decimals) == 100:
        value = 100 - 10**-decimals
    if value > 0 and round(value, decimals) == 0:
        return f"<{NBSP}{format_number(10**-decimals, decimals)}{NBSP}%"
    return format_number(value, decimals) + f"{NBSP}%"


def format_points(share: float) -> str:
    """A difference of two shares: 0.021 → "2.1 points"."""
    return f"{format_number(100 * share, 1)}{NBSP}" + _("points")


def format_gap(share: float) -> str:
    """The same without its unit, where a heading names it, with its sign: −0.021 → "−2.1"."""
    sign = "+" if share > 0 else "\N{MINUS SIGN}" if share < 0 else ""
    return sign + format_number(abs(100 * share), 1)


def format_duration(seconds: float) -> str:
    """0.4 → "0.4 s", 74 → "1 min 14 s", 5400 → "1 h 30 min"."""
    if seconds < 9.95:
        return format_number(seconds, 1) + f"{NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{NBSP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min" + (f" {rest}{NBSP}s" if rest else "")
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{format_number(hours)}{NBSP}h" + (f" {minutes}{NBSP}min" if minutes else "")


def format_bytes(count: float) -> str:
    """Bytes in decimal units, as disks and downloads are sold: 18_600_000 → "18.6 MB" ("18,6 Mo" in French)."""
    letter = "o" if current_language() == "fr" else "B"
    value, prefix = float(count), ""
    for prefix in ("", "k", "M", "G", "T"):
        if value < 999.5 or prefix == "T":
            break
        value /= 1000
    return f"{format_significant(value)}{NBSP}{prefix}{letter}"


def format_large(count: float) -> str:
    """Counts beyond what people read digit by digit: 385_187_552 → "385 million"."""
    for step, says in ((1e9, _("{n} billion")), (1e6, _("{n} million"))):
        if count >= step:
            return says.format(n=format_significant(count / step))
    return format_number(count)


FORMATS: dict[str, Callable[[Any], str]] = {
    "percent": format_percent,
    "count": format_number,
    "points": format_points,
    "gap": format_gap,
    "duration": format_duration,
    "bytes": format_bytes,
    "number": format_significant,
    "large": format_large,
}
