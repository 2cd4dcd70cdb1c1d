"""The linear neuron: least squares, when it arrives, and where online learning ends."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.ladder.adaline import batch, largest_rate, least_squares, online
from limpide.ladder.perceptron import OR, XOR

ZERO = (0.0, 0.0, 0.0)


def final(steps: object) -> np.ndarray:
    return np.array(list(steps)[-1].values["W_after"])  # type: ignore[call-overload]


def test_least_squares_of_or_and_xor() -> None:
    assert least_squares(OR) == pytest.approx([1 / 4, 1 / 2, 1 / 2]) and least_squares(XOR) == pytest.approx(
        [1 / 2, 0, 0], abs=1e-12
    )
    answers = np.array([[1, *x] for x, _ in OR]) @ least_squares(OR)
    assert (answers > 0.5).tolist() == [bool(t) for _, t in OR] and (answers > 0).tolist() != [bool(t) for _, t in OR]


def test_batch_arrives_below_the_largest_rate_and_leaps_away_above() -> None:
    assert largest_rate(OR) == pytest.approx(0.31, abs=0.005)
    for rate in (0.05, 0.3, 0.99 * largest_rate(OR)):
        assert final(batch(OR, ZERO, rate, 3000)) == pytest.approx(least_squares(OR), abs=1e-6)
    assert np.abs(final(batch(OR, ZERO, 1.02 * largest_rate(OR), 1000))).max() > 1e6
    losses = [s.loss for s in batch(OR, ZERO, 0.1, 200)]
    assert losses == sorted(losses, reverse=True) and losses[0] == 1.5


def test_online_ends_in_a_cycle_with_a_constant_rate_and_arrives_with_a_falling_one() -> None:
    assert final(online(OR, ZERO, 0.1, 500)) == pytest.approx([0.278, 0.444, 0.472], abs=5e-4)
    assert final(online(OR, ZERO, lambda k: 0.5 / (1 + 0.1 * k), 5000)) == pytest.approx(least_squares(OR), abs=2e-3)


def test_a_step_shows_what_it_did() -> None:
    first, second = list(online(OR, (0.0, 1.0, 0.0), 0.1, 1))[:2]
    assert (
        first.loss == 0
        and second.values == {"X": [1, 0, 1], "W": [0, 1, 0], "y": 0, "t": 1, "W_after": [0.1, 1, 0.1]}
        and second.loss == 0.5
    )
