"""The charts of the page, each a function from plain values to SVG markup.

Every axis names its unit, every line has its own dash as well as its colour, and every chart has a title for screen
readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from limpide.report.html.svg import Axis, decimals, drawing, horizontal, line, rule, tag, text, ticks, vertical
from limpide.text.messages import N_, _, message
from limpide.text.numbers import NBSP, format_number, format_percent

WIDTH = 440  # units of the view box; small, so that the words stay readable on a phone


@dataclass(frozen=True)
class Curve:
    """One line of a chart: its label (already translated), its style, and its (x, y) points."""

    name: str
    style: str  # "training" · "validation" · "faint": classes of the style sheet
    points: Sequence[tuple[float, float]]


def learning_curve(
    curves: Sequence[Curve], title: str, x_label: str, y_label: str, *, shares: bool = False, best: float | None = None
) -> Markup:
    """Lines over steps or epochs; `best` marks the epoch whose weights were kept. `shares`: y is a share,
    shown in %.
    """
    height, left, right, top, bottom = 292, 52, WIDTH - 12, 56, 242
    xs = [x for curve in curves for x, _y in curve.points]
    ys = [y for curve in curves for _x, y in curve.points]
    x_axis = Axis(0, max(xs), left, right)
    low, high = _range(ys, shares)
    y_axis = Axis(low, high, bottom, top)
    x_ticks = ticks(x_axis.low, x_axis.high, 6, smallest=1)
    y_ticks = ticks(low, high, 5)
    digits = decimals(y_ticks, 100 if shares else 1)
    pieces = horizontal(x_axis, x_ticks, top, bottom, format_number)
    pieces += vertical(
        y_axis,
        y_ticks,
        left,
        right,
        lambda y: format_number(y * 100, digits) + NBSP + "%" if shares else format_number(y, digits),
    )
    if best is not None:
        pieces += [rule(x_axis.at(best), top, x_axis.at(best), bottom, "best")]
        pieces += [_label_beside(x_axis.at(best), top + 12, _("best"), right)]
    for curve in curves:
        at = [(x_axis.at(x), y_axis.at(y)) for x, y in curve.points]
        pieces.append(line(at, f"curve {curve.style}"))
        if len(at) <= 40 and curve.style != "faint":
            pieces += [tag("circle", cx=x, cy=y, r=2.6, class_=f"point {curve.style}") for x, y in at]
    pieces += _legend(curves, left)
    pieces += [text((left + right) / 2, height - 8, x_label, "middle", "label"), text(0, 40, y_label, kind="label")]
    return drawing(WIDTH, height, title, pieces, "learning")


def _range(ys: Sequence[float], shares: bool) -> tuple[float, float]:
    """The range of y. Losses start at 0; shares omit the empty part below, since a line need not start at zero. Spikes
    are cut.
    """
    ordered = sorted(ys)
    top = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    if not shares:
        return 0.0, (top or 1.0) * 1.05
    low = max(0.0, ordered[0] - 0.1 * (1 - ordered[0]) - 0.002)
    return low, 1.0


def _legend(curves: Sequence[Curve], left: float) -> list[Markup]:
    pieces, x = [], 0.0
    for curve in curves:
        pieces += [line([(x, 12), (x + 26, 12)], f"curve {curve.style}"), text(x + 32, 16, curve.name, kind="legend")]
        x += 32 + 7.0 * len(curve.name) + 18
    return pieces


def _label_beside(x: float, y: float, words: str, right: float) -> Markup:
    """A label right of the mark, or left of it where the edge is near."""
    return text(x - 5, y, words, "end", "note") if x > right - 50 else text(x + 5, y, words, "start", "note")


def reliability(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """How often the network was right (up) against how sure it was (across); the area of a dot grows with its
    images.
    """
    size, left, right, top, bottom = 400, 58, 388, 40, 350
    filled = [b for b in bins if b.get("n")]
    most = max((b["n"] for b in filled), default=1)
    x_axis, y_axis = Axis(0, 1, left, right), Axis(0, 1, bottom, top)
    marks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]

    def words(value: float) -> str:
        return format_number(value * 100) + NBSP + "%"

    pieces = horizontal(x_axis, marks, top, bottom, words) + vertical(y_axis, marks, left, right, words)
    pieces += [line([(left, bottom), (right, top)], "honest")]
    slope = f"rotate(-43 {x_axis.at(0.3):.0f} {y_axis.at(0.33):.0f})"
    pieces += [
        tag(
            "text",
            _("as often right as it says"),
            x=x_axis.at(0.3),
            y=y_axis.at(0.33),
            transform=slope,
            text_anchor="middle",
            class_="note",
        )
    ]
    at = [(x_axis.at(b["confidence"]), y_axis.at(b["accuracy"])) for b in filled]
    pieces.append(line(at, "curve validation thin"))
    for (x, y), b in zip(at, filled, strict=True):
        if "accuracy_low" in b:  # a run of an older limpide has no intervals
            pieces += [rule(x, y_axis.at(b["accuracy_low"]), x, y_axis.at(b["accuracy_high"]), "gap")]
        pieces += [tag("circle", cx=x, cy=y, r=3 + 9 * (b["n"] / most) ** 0.5, class_="dot")]
    pieces += [
        text((left + right) / 2, size - 8, _("stated confidence (%)"), "middle", "label"),
        text(0, 20, _("how often it was right (%)"), kind="label"),
    ]
    return drawing(size, size, _("How often it was right, against its stated confidence"), pieces, "reliability")


def interval_bars(
    rows: Sequence[tuple[str, float, float | None, float | None]], marks: Sequence[tuple[str, float]]
) -> Markup:
    """One line a model: (name, accuracy, low, high), the first one the network. `marks`: chance and majority as (name,
    share).

    The axis omits the empty part on its left, as intervals would be too small to see; a value in that part gets an
    arrow.
    """
    left, right, top, row = 2, WIDTH - 8, 6, 48
    axis = Axis(_left_end(rows), 1.0, left, right)
    bottom = top + row * len(rows) + 2
    values = ticks(axis.low, 1.0, 5)
    digits = decimals(values, 100)
    pieces = []
    for value in values:
        x = axis.at(value)
        anchor = "start" if x < left + 14 else "end" if x > right - 18 else "middle"
        pieces += [
            rule(x, top + 22, x, bottom, "grid"),
            text(x, bottom + 17, format_number(value * 100, digits) + NBSP + "%", anchor, "tick"),
        ]
    y = bottom + 64
    for name, share in marks:
        pieces += _mark(axis, str(message(N_("{name} {share:percent}"), name=name, share=share)), share, top, bottom, y)
        y += 19
    for i, (name, value, low, high) in enumerate(rows):
        pieces += _model(axis, name, value, low, high, top + row * i, first=i == 0)
    pieces.append(text(left, bottom + 40, _("test images recognised (%); band: interval (95 %)"), kind="label"))
    return drawing(WIDTH, int(y - 10), _("Accuracy of the network and of simpler models"), pieces, "intervals")


def _left_end(rows: Sequence[tuple[str, float, float | None, float | None]]) -> float:
    """The left end of the axis: 0, unless the best models are crowded at the right."""
    best = max(value for _name, value, _low, _high in rows)
    near = [value if low is None else low for _name, value, low, _high in rows if value > 0.5]
    if best < 0.75 or not near:
        return 0.0
    lowest = min(near)
    return max(0.0, lowest - 0.3 * (1 - lowest) - 0.005)


def _model(
    axis: Axis, name: str, value: float, low: float | None, high: float | None, y: float, first: bool
) -> list[Markup]:
    # The bounds are in the table below: next to a long name there is no room for them.
    short = name if len(name) <= 46 else name[:45] + "…"
    kind = "ours" if first else "other"
    pieces = [
        text(axis.start, y + 16, short, kind=f"model {kind}"),
        text(axis.end, y + 16, format_percent(value), "end", "strong"),
    ]
    if value < axis.low:
        return [*pieces, text(axis.start, y + 36, "◂", kind="legend")]
    if low is not None and high is not None:
        pieces.append(rule(axis.at(low), y + 32, axis.at(high), y + 32, f"whisker {kind}"))
    return [*pieces, tag("circle", cx=axis.at(value), cy=y + 32, r=3.5, class_=f"dot {kind}")]


def _mark(axis: Axis, words: str, share: float, top: float, bottom: float, y: float) -> list[Markup]:
    if share < axis.low:
        return [text(axis.start, y, "◂ " + words, kind="note")]
    x = axis.at(share)
    anchor = "end" if x > (axis.start + axis.end) / 2 else "start"
    return [
        rule(x, top + 22, x, bottom, "best"),
        rule(x, bottom + 46, x, y - 12, "best"),
        text(x, y, words, anchor, "note"),
    ]


def squares(right: int, total: int) -> Markup:
    """One square an image, the mistakes marked and last: it shows a share to readers who do not know shares."""
    columns = 50 if total > 250 else 25 if total > 50 else 10
    pitch = 400 / columns if columns > 10 else 20
    side = pitch * 0.74
    rows = -(-total // columns)
    good = "".join(_square(i, columns, pitch, side) for i in range(right))
    wrong = "".join(_square(i, columns, pitch, side) for i in range(right, total))
    title = message(N_("{right:count} squares of {total:count} stand for images recognised"), right=right, total=total)
    pieces = [tag("path", d=good, class_="right"), tag("path", d=wrong, class_="wrong")]
    return drawing(int(columns * pitch), int(rows * pitch) or 1, str(title), pieces, "squares")


def _square(i: int, columns: int, pitch: float, side: float) -> str:
    x, y = i % columns * pitch + (pitch - side) / 2, i // columns * pitch + (pitch - side) / 2
    return f"M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z"


def small_interval(value: float, low: float, high: float, start: float) -> Markup:
    """A dot and its interval on an axis from `start` to 100 %, small enough for a table cell, next to its numbers."""
    axis = Axis(start, 1.0, 5, 115)
    pieces = [
        rule(5, 8, 115, 8, "grid"),
        rule(axis.at(low), 8, axis.at(high), 8, "whisker ours"),
        tag("circle", cx=axis.at(value), cy=8, r=3, class_="dot ours"),
    ]
    return tag("svg", *pieces, class_="chart small", viewBox="0 0 120 16", aria_hidden="true")
