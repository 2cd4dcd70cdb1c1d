"""Each section of the report ends with what to do, which follows from its verdict."""

from __future__ import annotations

from typing import get_args

import pytest

from limpide.core.finding import Finding, Picture, Table, Verdict
from limpide.report.html.page import headings
from limpide.report.next_steps import BALANCED, INCOMPLETE, NEXT, NOTHING, next_step
from limpide.text.messages import message

VERDICTS = get_args(Verdict)


def finding(name: str, verdict: Verdict = "ok", **more: object) -> Finding:
    return Finding(name=name, verdict=verdict, message=message("…"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["accuracy", *headings()])
def test_every_section_has_one_for_every_verdict(name: str) -> None:
    for verdict in VERDICTS:
        step = next_step(name, verdict, None, "photos-001")
        assert step is not None and "{" not in str(step), (name, verdict)


def test_the_table_names_no_finding_that_the_report_does_not_have() -> None:
    assert set(NEXT) <= {"accuracy", *headings()}


def test_a_doubt_is_never_followed_by_nothing_to_do() -> None:
    for name, steps in NEXT.items():
        assert {verdict for verdict, says in steps.items() if says == NOTHING} <= {"ok"}, name


def test_a_stranger_has_none() -> None:
    assert next_step("mine", "warn", finding("mine", "warn"), "a") is None


def test_where_nothing_is_wrong_nothing_is_to_be_mended() -> None:
    picture = Picture("a.jpg", "cat", "dog", 0.9)
    rows = Table([("true class", "text")], [["cat"]])
    assert next_step("mistakes", "ok", finding("mistakes"), "a") == message(NOTHING, run="a")
    assert next_step("mistakes", "ok", finding("mistakes", pictures=[picture]), "a") != message(NOTHING, run="a")
    assert next_step("confusion", "ok", finding("confusion", table=Table([], [])), "a") == message(NOTHING, run="a")
    assert next_step("confusion", "ok", finding("confusion", table=rows), "a") != message(NOTHING, run="a")
    assert next_step("mistakes", "unknown", finding("mistakes", "unknown"), "a") != message(NOTHING, run="a")


def test_what_more_than_the_verdict_matters_for() -> None:
    balanced = finding("calibration", data={"balanced": True})
    assert next_step("calibration", "ok", balanced, "a") == message(BALANCED, run="a")
    assert next_step("calibration", "ok", finding("calibration"), "a") != message(BALANCED, run="a")
    cut = finding("simpler", "unknown", data={"is_complete": False})
    assert next_step("simpler", "unknown", cut, "a") == message(INCOMPLETE, run="a")
