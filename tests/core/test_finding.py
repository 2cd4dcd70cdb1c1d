"""A finding goes to a file and back unchanged, and nothing from outside is taken for markup."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.finding import VERDICTS, Finding, Number, Picture, Table
from limpide.text.language import use_language
from limpide.text.messages import N_, message

HOSTILE = "<script>alert('x')</script>{n:count}\n\x1b[31m"


def finding(**changed: Any) -> Finding:
    values = dict(
        name="example",
        verdict="warn",
        message=message(
            N_("It made no mistake on {n:count} test image."),
            N_("It made no mistake on {n:count} test images."),
            n=1234,
        ),
        numbers=[Number("accuracy", 0.987, "share", 0.97, 0.99, 1234), Number("parameters", 3_500_000, "count")],
        table=Table(
            [("class", "text"), ("recall", "percent")],
            [["cat", 0.5], [message(N_("the network")), None]],
            message(N_("the network")),
        ),
        pictures=[Picture("a/b.jpg", "cat", "dog", 0.91, "abcd")],
        details=[message(N_("A confident mistake is often a wrong label: look at these first."))],
        source="test",
        data={"matrix": [[1, 2], [3, 4]], "classes": ["cat", "dog"]},
    )
    return Finding(**(values | changed))


def test_there_and_back() -> None:
    before = finding()
    after = Finding.from_json(json.loads(json.dumps(before.to_json())))
    assert after == before and str(after) == str(before) and after.to_json() == before.to_json()


def test_the_least_finding() -> None:
    least = Finding("x", "ok", message("fine"))
    again = Finding.from_json(json.loads(json.dumps(least.to_json())))
    assert again.to_json() == least.to_json()
    assert (again.table, list(again.numbers), list(again.pictures), again.data) == (None, [], [], {})


def test_a_stored_finding_speaks_the_language_of_the_reader() -> None:
    stored = json.loads(json.dumps(finding().to_json()))
    use_language("fr")
    assert (
        str(Finding.from_json(stored)) == "Il n’a fait aucune erreur sur 1\N{NARROW NO-BREAK SPACE}234 images de test."
    )
    table = Finding.from_json(stored).table
    assert table and str(table.rows[1][0]) == "le réseau" and str(table.caption) == "le réseau"


@pytest.mark.parametrize("verdict", ["", "good", "OK", None])
def test_no_other_verdict(verdict: Any) -> None:
    with pytest.raises(ValueError, match="ok, warn, bad, unknown"):
        finding(verdict=verdict)


def test_a_number_by_name() -> None:
    assert finding().number("accuracy").low == 0.97
    with pytest.raises(StopIteration):
        finding().number("nothing")


def test_html_for_a_notebook_is_escaped() -> None:
    html = finding(message=message("{label}", label=HOSTILE))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "{n:count}" in html


text = st.text(st.characters(), max_size=20)
shares = st.floats(0, 1)


@given(
    st.sampled_from(VERDICTS),
    text,
    st.lists(st.tuples(text, shares | st.none()), max_size=4),
    st.dictionaries(text, st.lists(st.integers(), max_size=3), max_size=3),
)
def test_any_names_and_numbers_come_back(verdict: Any, name: str, rows: list[Any], data: dict[str, Any]) -> None:
    before = Finding(
        "n",
        verdict,
        message("{x}", x=name),
        [Number(name, 1.5, name)],
        Table([(name, "text")], [list(row) for row in rows]),
        [Picture(name, name, name, 0.5)],
        data=data,
    )
    assert Finding.from_json(json.loads(json.dumps(before.to_json()))).to_json() == before.to_json()
