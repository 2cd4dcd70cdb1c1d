"""McCulloch and Pitts' neuron against the gates it is meant to be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from limpide.ladder.neuron import GATES, fires, fires_with_bias, gate, truth_table, with_bias, xor

small = st.integers(-3, 3).map(float)


def test_gates() -> None:
    assert truth_table("AND") == [((0, 0), 0), ((0, 1), 0), ((1, 0), 0), ((1, 1), 1)]
    assert truth_table("OR") == [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1)]
    assert truth_table("NAND") == [((0, 0), 1), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
    assert truth_table("NOT") == [((0,), 1), ((1,), 0)]
    assert list(GATES) == ["AND", "OR", "NOT", "NAND"] and gate("OR", 0, 1) == 1


def test_a_sum_equal_to_the_threshold_does_not_fire() -> None:
    assert fires((1, 1), (1, 1), 2) == 0 and fires((1, 1), (1, 1), 1.999) == 1 and fires((0,), (5,), 0) == 0


def test_three_neurons_are_xor() -> None:
    assert [xor(a, b) for a in (0, 1) for b in (0, 1)] == [0, 1, 1, 0]


@given(st.lists(st.tuples(small, small), min_size=1, max_size=6), small)
def test_the_threshold_is_one_more_weight(pairs: list[tuple[float, float]], threshold: float) -> None:
    x, weights = zip(*pairs, strict=True)
    assert fires(x, weights, threshold) == fires_with_bias(x, with_bias(weights, threshold))
    assert np.array_equal(with_bias(weights, threshold)[1:], weights)
