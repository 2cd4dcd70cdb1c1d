"""One event is one line, and comes back as the same event."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.events import CLOCK_FIELDS, Epoch, Note, Step, from_line, to_line
from limpide.text.messages import message

EVENTS = [
    Step(1, 0, 2.3025, 0.01, 0.125),
    Step(7, 2, 0.5, 0.001, 0.5, {"w": [1.0, -2.0], "x": {"y": 1}}),
    Epoch(3, 400, 0.25, 0.125, 0.96875, True, 1.5),
    Note("decision", message("{n:count} of {name}", "plural", n=3, name="\n\udcff{x}")),
    Note("data", message("plain")),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_there_and_back(event: Step | Epoch | Note) -> None:
    line = json.dumps(to_line(event))
    assert "\n" not in line
    assert from_line(json.loads(line)) == event


def test_the_form_of_a_line_is_a_promise() -> None:
    """events.jsonl is read by others: names and their order are part of the format."""
    assert to_line(EVENTS[0]) == {"kind": "step", "n": 1, "epoch": 0, "loss": 2.3025, "lr": 0.01, "seconds": 0.125}
    assert list(to_line(EVENTS[2])) == [
        "kind",
        "n",
        "step",
        "train_loss",
        "validation_loss",
        "validation_accuracy",
        "best",
        "seconds",
        "train_accuracy",
    ]
    assert to_line(EVENTS[4]) == {"kind": "note", "topic": "data", "message": {"id": "plain", "values": {}}}


def test_clock_fields_are_fields() -> None:
    names = {field.name for kind in (Step, Epoch) for field in dataclasses.fields(kind)}
    assert "seconds" in CLOCK_FIELDS and "seconds" in names


@given(
    st.integers(1, 10**9),
    st.floats(allow_nan=False),
    st.floats(0, 10),
    st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=3),
)
def test_any_step_comes_back_bit_for_bit(n: int, loss: float, lr: float, values: dict[str, float]) -> None:
    step = Step(n, n // 7, loss, lr, 0.5, values)
    assert from_line(json.loads(json.dumps(to_line(step)))) == step
