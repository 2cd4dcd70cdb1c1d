"""Intervals and tests that know which images belong together, against scipy, against counting by hand, and by
simulation.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from limpide.statistics.intervals import (
    design_effect,
    effective_groups,
    interval_of_share,
    mean_of_shares,
    wilson_bounds,
)


@given(st.integers(1, 3000), st.data())
def test_alone_it_is_wilsons(n: int, data: st.DataObject) -> None:
    right = np.arange(n) < data.draw(st.integers(0, n))
    theirs = binomtest(int(right.sum()), n).proportion_ci(0.95, "wilson")
    for groups in (None, np.arange(n)[::-1]):
        ours = interval_of_share(right, groups)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        assert (ours.n, ours.groups, ours.effective) == (n, n, n) and ours.alone


@pytest.mark.parametrize("level", [0.9, 0.99, 0.999])
def test_other_levels(level: float) -> None:
    theirs = binomtest(7, 30).proportion_ci(level, "wilson")
    ours = interval_of_share(np.arange(30) < 7, None, level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(1, 400), st.data())
def test_the_tests_of_a_bound_are_exact(n: int, data: st.DataObject) -> None:
    right, bound = data.draw(st.integers(0, n)), data.draw(st.floats(0.02, 0.98))
    found = interval_of_share(np.arange(n) < right)
    for ours, side in ((found.above, "greater"), (found.below, "less")):
        p = binomtest(right, n, bound, alternative=side).pvalue
        assert ours(bound, p * 1.001 + 1e-12) and not ours(bound, p * 0.999 - 1e-12)
    one = interval_of_share(np.ones(9, bool), np.zeros(9, int))
    assert not one.above(0.001) and not one.below(0.999), "a single group proves nothing"


def test_no_image_and_one_group_say_nothing() -> None:
    assert (interval_of_share(np.zeros(0, bool)).low, interval_of_share(np.zeros(0, bool)).high) == (0.0, 1.0)
    one = interval_of_share(np.ones(80, bool), np.zeros(80, int))
    assert (one.low, one.high, one.groups, one.effective) == (0.0, 1.0, 1, 0.0)


@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 10_000))
def test_groups_that_are_right_as_a_whole_count_as_one_image_each(count: int, size: int, seed: int) -> None:
    """The design effect is then the size, up to the factor G / (G − 1) of a variance that is estimated."""
    right = np.where(np.random.default_rng(seed).random(count) < 0.7, size, 0)
    effect = float(design_effect(right, np.full(count, size)))
    assert size - 1e-9 <= effect <= size * count / (count - 1) + 1e-9


@given(st.integers(0, 10_000))
def test_numbers_and_order_of_groups_do_not_matter(seed: int) -> None:
    dice = np.random.default_rng(seed)
    right, groups = dice.random(60) < 0.8, dice.integers(0, 12, 60)
    ours, order = interval_of_share(right, groups), dice.permutation(60)
    again = interval_of_share(right[order], 1000 - 7 * groups[order])
    assert (again.low, again.high, again.effective) == pytest.approx((ours.low, ours.high, ours.effective))
    alone = interval_of_share(right)
    assert ours.effective <= 60 and ours.low <= alone.low + 1e-12 and ours.high >= alone.high - 1e-12


def test_one_large_group_is_not_many() -> None:
    assert effective_groups(np.ones(20, int)) == 20
    assert effective_groups(np.array([80, *[1] * 20])) < 2


def test_coin_flips_of_whole_groups_are_held_by_the_interval() -> None:
    """What counting images as independent holds in 23 to 56 % (3 standard errors of 500 draws below 93 %)."""
    for count, size in ((6, 10), (10, 20), (20, 10), (40, 5)):
        right = np.random.default_rng(count).integers(0, 2, (500, count)) * size
        _, low, high, _ = wilson_bounds(right, np.full(count, size))
        assert np.mean((low <= 0.5) & (high >= 0.5)) >= 0.896
        assert np.mean(low > 0.5) <= 0.025 + 0.021


def test_the_mean_of_shares_holds_its_promise() -> None:
    """Of three classes of 8, 30 and 200 images: the interval holds the mean of the true shares 93 times in 100."""
    random = np.random.default_rng(4)
    holds, draws = 0, 600
    for _ in range(draws):
        truth = random.uniform(0.5, 1.0, 3)
        shares = [interval_of_share(random.random(n) < p) for n, p in zip((8, 30, 200), truth, strict=True)]
        found = mean_of_shares(shares)
        assert found.value == pytest.approx(np.mean([one.value for one in shares])) and found.n == 238
        holds += found.low <= truth.mean() <= found.high
    assert 0.93 <= holds / draws <= 0.99


def test_the_mean_of_one_share_is_that_share() -> None:
    one = interval_of_share(np.arange(40) < 30)
    same = mean_of_shares([one])
    assert (same.value, same.low, same.high) == pytest.approx((one.value, one.low, one.high))
    assert same.effective == pytest.approx(one.effective)
