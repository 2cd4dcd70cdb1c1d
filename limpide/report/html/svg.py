"""The few SVG pieces that the charts are built from. Colours and dashes are classes of the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from limpide.text.formats import visible_text


@dataclass(frozen=True)
class Axis:
    """Maps values low…high to pixels start…end (of the view box)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """An element. `class_` and `stroke_width` become class and stroke-width; children and values are escaped."""
    pairs = (
        f' {key.rstrip("_").replace("_", "-")}="{escape(_shorten(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child if isinstance(child, Markup) else visible_text(child))) for child in children)
    return Markup(f"<{name}{''.join(pairs)}>{inside}</{name}>")


def _shorten(value: object) -> object:
    """Coordinates with one decimal, which keeps the page small."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def drawing(width: int, height: int, title: str, children: Iterable[Markup], kind: str = "") -> Markup:
    return tag(
        "svg",
        tag("title", title),
        *children,
        class_=f"chart {kind}".strip(),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=title,
    )


def line(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag("polyline", points=path, class_=kind)


def rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def text(x: float, y: float, words: object, anchor: str = "start", kind: str | None = None) -> Markup:
    return tag("text", words, x=x, y=y, text_anchor=anchor, class_=kind)


def ticks(low: float, high: float, count: int = 5, smallest: float = 0.0) -> list[float]:
    """Round values within low…high: steps of 1, 2 or 5 times a power of ten, none below `smallest`."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    raw = max(span / count, smallest)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def decimals(values: list[float], scale: float = 1.0) -> int:
    """The number of decimals that distinguishes these tick values."""
    steps = [abs(b - a) * scale for a, b in pairwise(values)]
    smallest = min(steps, default=1.0)
    return 0 if smallest <= 0 else max(0, -math.floor(math.log10(smallest) + 1e-9))


def horizontal(
    axis: Axis, values: Iterable[float], top: float, bottom: float, words: Callable[[float], str]
) -> list[Markup]:
    """Vertical grid lines with their labels below."""
    pieces = []
    for value in values:
        x = axis.at(value)
        pieces += [rule(x, top, x, bottom, "grid"), text(x, bottom + 18, words(value), "middle", "tick")]
    return pieces


def vertical(
    axis: Axis, values: Iterable[float], left: float, right: float, words: Callable[[float], str]
) -> list[Markup]:
    """Horizontal grid lines with their labels at the left."""
    pieces = []
    for value in values:
        y = axis.at(value)
        pieces += [rule(left, y, right, y, "grid"), text(left - 8, y + 4, words(value), "end", "tick")]
    return pieces
