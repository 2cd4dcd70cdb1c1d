"""Charts and numbers: what is drawn lies where its value says, and every number carries its unit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from limpide.core.events import Epoch, Step
from limpide.core.finding import Finding, Number
from limpide.report.html import charts, run_data, svg
from limpide.report.html.confusion import MAX_CONFUSED, matrix_of
from limpide.report.html.page import squares_of
from limpide.report.unit_grid import arithmetic_of, signed
from limpide.text import formats
from limpide.text.language import use_language
from limpide.text.messages import message
from tests.report import fake_run as fake

NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("en")


def elements(markup: str, tag: str, kind: str = "") -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(markup).iter(tag) if kind in (e.get("class") or "")]


def test_numbers_carry_their_unit() -> None:
    assert formats.format_measure(0.9912, "share") == f"99.1{NBSP}%"
    assert formats.format_measure(0.99999, "share") == f"99.9{NBSP}%"
    assert formats.format_measure(2e-7, "share") == f"<{NBSP}0.1{NBSP}%"
    assert formats.format_measure(0.0, "share") == f"0.0{NBSP}%"
    assert formats.format_measure(303_146, "count") == "303,146"
    assert formats.format_measure(1_240_000, "bytes") == f"1.24{NBSP}MB"
    assert formats.format_measure(92.0, "s") == f"1{NBSP}min 32{NBSP}s"
    assert formats.format_measure(0.41, "ms") == f"0.41{NBSP}ms"
    assert formats.format_measure(0.713, "") == "0.713"
    assert formats.format_measure(math.nan, "share") == formats.format_measure(None, "s") == formats.NOTHING
    assert formats.format_interval(0.989, 0.993) == f"98.9{NBSP}% to 99.3{NBSP}%"
    assert formats.format_interval(None, 0.5) == ""
    assert formats.format_basis(10_000) == f"n{NBSP}={NBSP}10,000"


def test_cells_of_a_table() -> None:
    assert formats.format_cell(None, "percent") == formats.NOTHING
    assert formats.format_cell(0.5, "percent") == f"50.0{NBSP}%"
    assert formats.format_cell(message("never"), "percent") == "never"
    assert formats.format_cell("a\nb", "text") == "a\\x0ab"


def test_numbers_follow_the_language() -> None:
    use_language("fr")
    assert formats.format_measure(0.9912, "share") == f"99,1{NBSP}%"
    assert signed(-1234.5, 1) == "−1\u202f234,5"


def test_signed() -> None:
    assert signed(-0.5, 2) == "−0.50"
    assert signed(-0.001, 2) == "0.00"
    assert signed(math.inf) == formats.NOTHING


@pytest.mark.parametrize("low,high", [(0, 1), (0.9, 1), (0, 3), (0.93, 0.9312), (1, 100_000)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = svg.ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    digits = svg.decimals(found)
    assert len({f"{tick:.{digits}f}" for tick in found}) == len(found)


def test_names_are_escaped_in_drawings() -> None:
    drawn = charts.interval_bars([(fake.HOSTILE, 0.9, 0.8, 0.95)], [])
    assert "<img" not in drawn and "&lt;img" in drawn


def test_learning_curve_has_units_and_a_legend() -> None:
    curves = [
        charts.Curve("training", "training", [(1, 0.8), (2, 0.4)]),
        charts.Curve("validation", "validation", [(1, 0.6), (2, 0.5)]),
    ]
    drawn = charts.learning_curve(curves, "Loss", "passes", "loss (nats per image)", best=2.0)
    words = " ".join(ElementTree.fromstring(drawn).itertext())
    for expected in ("Loss", "passes", "loss (nats per image)", "training", "validation", "best"):
        assert expected in words
    drawn_at = [
        float(y) for y in re.findall(r",([\d.]+)", elements(drawn, "polyline", "curve training")[0].get("points") or "")
    ]
    assert drawn_at[0] < drawn_at[1]  # a smaller loss lies lower, and y grows downwards
    assert {e.get("class") for e in elements(drawn, "polyline")} == {"curve training", "curve validation"}


def test_interval_bars_leave_out_the_empty_part_and_say_so() -> None:
    rows = [("network", 0.99, 0.98, 0.995), ("pixels", 0.92, 0.91, 0.93), ("majority", 0.1, 0.09, 0.11)]
    words = " ".join(ElementTree.fromstring(charts.interval_bars(rows, [("chance:", 0.1)])).itertext())
    assert "◂ chance: 10.0" in words
    assert len(elements(charts.interval_bars(rows, []), "circle")) == 2  # the third lies left of the axis
    assert len(elements(charts.interval_bars([("network", 0.4, 0.3, 0.5)], [("chance:", 0.1)]), "line", "best")) == 2


def test_reliability_draws_filled_bins_only() -> None:
    bins = [
        {"low": 0.8, "high": 0.9, "confidence": 0.85, "accuracy": 0.8, "n": 10},
        {"low": 0, "high": 0.1, "confidence": 0.0, "accuracy": 0.0, "n": 0},
    ]
    assert len(elements(charts.reliability(bins), "circle")) == 1


@pytest.mark.parametrize(
    "accuracy,n,total,wrong",
    [
        (1.0, 50, 50, 0),
        (0.98, 50, 50, 1),
        (0.99999, 10_000, 1000, 1),
        (0.00001, 10_000, 1000, 999),
        (0.0, 7, 7, 7),
        (0.5, None, 1000, 500),
    ],
)
def test_squares_never_round_the_mistakes_away(accuracy: float, n: int | None, total: int, wrong: int) -> None:
    drawn = squares_of(accuracy, n)
    assert (drawn["total"], drawn["wrong"]) == (total, wrong)
    paths = {e.get("class"): (e.get("d") or "").count("M") for e in elements(drawn["chart"], "path")}
    assert paths == {"right": total - wrong, "wrong": wrong}


def test_history_is_thinned_and_finite() -> None:
    events: list[object] = [Step(n, 0, math.nan if n == 3 else 1 / n, 0.1, 0.0) for n in range(1, 5001)]
    found = run_data.history(events)
    assert len(found.steps) <= run_data.MAX_POINTS
    assert found.steps[-1] == (5000, 1 / 5000)
    assert not found.by_epoch and found.best is None
    events += [Epoch(0, 2500, 0.5, 0.4, 0.9, True, 1.0), Epoch(1, 5000, 0.3, 0.5, 0.88, False, 1.0)]
    found = run_data.history(events)
    assert found.by_epoch and found.best == 1.0 and found.steps[-1][0] == 2.0


def test_only_the_most_confused_of_many_classes_are_drawn() -> None:
    counts = fake.counts_of(100)
    counts[70, 3] = 60
    matrix = matrix_of(
        Finding(
            "confusion", "ok", message("m"), data={"classes": [f"c{k}" for k in range(100)], "matrix": counts.tolist()}
        ),
        (),
    )
    assert matrix is not None
    assert len(matrix.columns) <= MAX_CONFUSED and {"c70", "c3"} <= set(matrix.columns)
    for row in matrix.rows:
        assert sum(cell.count for cell in row.cells) + row.rest == row.n
    assert max(cell.shade for row in matrix.rows for cell in row.cells) == 6


def test_a_confusion_matrix_that_does_not_fit_is_not_drawn() -> None:
    assert matrix_of(Finding("confusion", "ok", message("m"), data={"classes": ["a"], "matrix": [[1, 2]]}), ()) is None
    assert matrix_of(Finding("confusion", "ok", message("m")), ()) is None


def test_the_arithmetic_adds_up() -> None:
    finding = fake.inside()
    found = arithmetic_of(finding)
    assert found is not None and len(found.channels) == 3 and found.hidden == 2
    drawn = sum(float(c.sum.replace("−", "-")) for c in found.channels) + float(found.rest.replace("−", "-"))
    values = {str(line.what): float(line.value.replace("−", "-")) for line in found.lines}
    assert drawn == pytest.approx(values["sum of all products"], abs=3e-4)
    assert values["value of the unit"] == pytest.approx(finding.data["sum"], abs=1e-4)


def test_a_linear_unit_is_shown_as_its_sum_only() -> None:
    finding = Finding(
        "inside",
        "ok",
        message("m"),
        [Number("difference from torch", 0.0, "")],
        data={
            "patch": [[[0.5] * 64]],
            "kernel": [[[1.0] * 64]],
            "products": [[[0.5] * 64]],
            "bias": -1.0,
            "torch": 31.0,
        },
    )
    found = arithmetic_of(finding)
    assert found is not None and found.channels == []
    assert [(line.sign, line.value) for line in found.lines] == [
        ("", "32.0000"),
        ("−", "1.0000"),
        ("=", "31.0000"),
        ("", "31.0000"),
    ]
