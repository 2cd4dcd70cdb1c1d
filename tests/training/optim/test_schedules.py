"""One cycle: up, then down, never 0 and never above 1."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.training.optim.schedules import one_cycle


@given(st.integers(1, 5000))
def test_shape(steps: int) -> None:
    rates = [one_cycle(k, steps) for k in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    peak = max(range(steps), key=rates.__getitem__)
    assert all(a < b for a, b in itertools.pairwise(rates[: peak + 1])), "rises to the peak"
    rest = rates[peak:]
    assert all(a >= b for a, b in itertools.pairwise(rest)), "then falls"
    assert rates[peak] == pytest.approx(1, abs=1 / max(1.0, 0.25 * steps))


def test_long_ones_peak_after_a_quarter_and_end_near_zero() -> None:
    rates = [one_cycle(k, 400) for k in range(400)]
    assert rates.index(max(rates)) in (98, 99, 100) and max(rates) == 1.0
    assert rates[0] == pytest.approx(0.01) and 0 < rates[-1] < 0.005
    assert rates[199] == pytest.approx(201 / 301)


def test_one_step_runs_at_the_highest_rate() -> None:
    assert one_cycle(0, 1) == 1.0


def test_a_longer_warm_up_peaks_later() -> None:
    rates = [one_cycle(k, 100, warm_up=0.5) for k in range(100)]
    assert rates.index(max(rates)) == 49
