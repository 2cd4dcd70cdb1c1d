"""Gradient descent: the table of ten steps, and what a forgotten reset does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from limpide.ladder.descent import descend, parabola

# x, f(x), f′(x) with rate ¼ from −2
TABLE = [(0.5 - 2.5 * 2.0**-n, 1.75 + 6.25 * 4.0**-n, -5 * 2.0**-n) for n in range(10)]


def test_ten_steps_down_the_parabola() -> None:
    found = [(s.values["x"], s.values["f"], s.values["slope"]) for s in descend(parabola, -2.0, 0.25, 10)]
    assert all(row == pytest.approx(expected, abs=1e-12) for row, expected in zip(found, TABLE, strict=True))
    assert found[0] == (-2, 8, -5) and [round(v, 5) for v in found[-1]] == [0.49512, 1.75002, -0.00977]


def test_without_the_reset_it_rolls_past_the_valley_and_back() -> None:
    places = [s.values["x"] - 0.5 for s in descend(parabola, -2.0, 0.25, 60, reset=False)]
    turns = sum(a * b < 0 for a, b in pairwise(places))
    assert turns > 5 and max(abs(p) for p in places[-20:]) > 1, "it does not settle"
    slopes = [s.values["slope"] for s in descend(parabola, -2.0, 0.25, 3, reset=False)]
    assert slopes[:2] == [-5, -5 + 2 * (-2 + 1.25) - 1], "slopes add up"
