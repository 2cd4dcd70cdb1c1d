"""Rosenblatt's rule: the course's trace of OR row for row, XOR, and data that a plane does or does not divide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.core.events import Note, Step
from limpide.ladder.perceptron import OR, XOR, inseparable, perceptron

START = (0.0, 1.0, 0.0)

# X, W before, y, t, W after: as printed, and the three presentations that complete the clean pass
TRACE = [
    ((1, 0, 0), (0, 1, 0), 0, 0, (0, 1, 0)),
    ((1, 0, 1), (0, 1, 0), 0, 1, (1, 1, 1)),
    ((1, 1, 0), (1, 1, 1), 1, 1, (1, 1, 1)),
    ((1, 1, 1), (1, 1, 1), 1, 1, (1, 1, 1)),
    ((1, 0, 0), (1, 1, 1), 1, 0, (0, 1, 1)),
    ((1, 0, 1), (0, 1, 1), 1, 1, (0, 1, 1)),
    ((1, 1, 0), (0, 1, 1), 1, 1, (0, 1, 1)),
    ((1, 1, 1), (0, 1, 1), 1, 1, (0, 1, 1)),
    ((1, 0, 0), (0, 1, 1), 0, 0, (0, 1, 1)),
    ((1, 0, 1), (0, 1, 1), 1, 1, (0, 1, 1)),
    ((1, 1, 0), (0, 1, 1), 1, 1, (0, 1, 1)),
    ((1, 1, 1), (0, 1, 1), 1, 1, (0, 1, 1)),
]


def steps(*args: object, **options: object) -> list[Step]:
    return [event for event in perceptron(*args, **options) if isinstance(event, Step)]  # type: ignore[arg-type]


def test_the_trace_of_or() -> None:
    *shown, note = perceptron(OR, START)
    rows = [
        tuple(tuple(v) if isinstance(v, list) else v for v in (s.values[k] for k in ("X", "W", "y", "t", "W_after")))
        for s in shown
    ]  # type: ignore[union-attr]
    assert rows == TRACE
    assert [s.n for s in shown] == list(range(1, 13)) and [s.epoch for s in shown] == [0] * 4 + [1] * 4 + [2] * 4  # type: ignore[union-attr]
    assert [s.loss for s in shown] == [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]  # type: ignore[union-attr]
    assert (
        isinstance(note, Note)
        and str(note.message) == "learned: a whole epoch without a mistake, 12 presentations and 2 updates in all"
    )


def test_xor_never_comes_to_rest_and_it_is_said_why() -> None:
    *shown, note = perceptron(XOR, START, epochs=50)
    mistakes = np.array([s.loss for s in shown]).reshape(50, 4).sum(1)  # type: ignore[union-attr]
    assert mistakes[:5].tolist() == [2, 2, 3, 4, 4] and (mistakes > 0).all()
    assert isinstance(note, Note)
    assert str(note.message) == (
        "not linearly separable: the point (0.5, 0.5) lies between examples with the answer 1, 0.5·(0, 1) + 0.5·(1, "
        "0), and between examples with the answer 0, 0.5·(0, 0) + 0.5·(1, 1); a line leaves it on one side only"
    )


def test_separable_but_not_learned_yet_is_another_answer() -> None:
    *_, note = perceptron(OR, START, epochs=1)
    assert (
        isinstance(note, Note)
        and str(note.message) == "not learned yet after 1 epoch, though a line can separate the examples: continue"
    )


@given(st.floats(1e-6, 1e3), st.tuples(*[st.floats(-2, 2)] * 3))
def test_any_rate_and_any_start_learn_what_a_plane_divides(rate: float, start: tuple[float, float, float]) -> None:
    normal = np.array(start) / rate  # the number of updates depends on the start in units of the rate
    passes = 20 + int(40 * np.abs(normal).sum()) if np.abs(normal).sum() < 1000 else 0
    if passes:
        *_, note = perceptron(OR, start, rate=rate, epochs=passes)
        assert isinstance(note, Note) and note.topic == "learned"


@given(
    st.lists(st.tuples(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), st.integers(0, 1)), min_size=2, max_size=9)
)
def test_the_reason_is_a_proof(examples: list[tuple[tuple[int, int], int]]) -> None:
    """Either the two mixtures meet in one point, or Rosenblatt's rule finds a plane (its theorem), within a bound for
    such small numbers.
    """
    mixture = inseparable(examples)
    if mixture is None:
        last = list(perceptron(examples, START, epochs=20_000))[-1]
        assert isinstance(last, Note) and last.topic == "learned"
        return
    for shares, target in ((mixture.ones, 1), (mixture.zeros, 0)):
        assert sum(shares.values()) == pytest.approx(1) and min(shares.values()) > 0
        assert {examples[i][1] for i in shares} == {target}
        assert sum(share * np.array(examples[i][0]) for i, share in shares.items()) == pytest.approx(
            mixture.point, abs=1e-6
        )
