"""Baselines get the images that they are allowed, and no clock changes that unless a time was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limpide.baselines import fitting
from limpide.baselines.baseline import Allowance
from limpide.baselines.fitting import Fitted, fit_allowed, fit_in_time


class Clock:
    """Stands for the computer: a fit takes `cost(n)` seconds of a time that only it moves."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, per_image: float, power: float = 1.0, fixed: float = 0.0
    ) -> None:
        self.now, self.per_image, self.power, self.fixed = 0.0, per_image, power, fixed
        self.sizes: list[int] = []
        self.subsets: list[np.ndarray] = []
        monkeypatch.setattr(fitting.time, "perf_counter", lambda: self.now)

    def fit(self, rows: np.ndarray) -> str:
        self.sizes.append(len(rows))
        self.subsets.append(rows)
        self.now += self.fixed + self.per_image * len(rows) ** self.power
        return f"model of {len(rows)}"


def test_all_images_when_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    found = fit_in_time(10, np.arange(6000) % 3, clock.fit, 0)
    assert found and (found.model, found.n) == ("model of 6000", 6000)
    assert clock.sizes == [32, 256, 2048, 6000] and found.seconds == pytest.approx(clock.now)


def test_a_tiny_set_is_fitted_once_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-3)
    assert fit_in_time(1.0, np.arange(20) % 2, clock.fit, 0) == Fitted(
        "model of 20", 20, pytest.approx(0.02)
    ) and clock.sizes == [20]


def test_nothing_when_not_even_the_smallest_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1.0)
    assert fit_in_time(31.9, np.arange(6000) % 3, clock.fit, 0) is None and clock.sizes == [32]


def test_the_smallest_subset_has_two_images_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1.0)
    fit_in_time(1.0, np.arange(6000) % 300, clock.fit, 0)
    assert clock.sizes == [600]


@given(
    st.floats(1e-6, 1e-2),
    st.floats(0.8, 2.0),
    st.floats(0, 0.2),
    st.floats(0, 5),
    st.integers(2, 20_000),
    st.integers(1, 12),
)
def test_all_the_time_spent_on_the_model_that_is_shown_is_within_the_budget(
    per_image: float, power: float, fixed: float, budget: float, n: int, classes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch, per_image, power, fixed)
        found = fit_in_time(budget, np.arange(n) % classes, clock.fit, 0)
    if found is None:
        assert (len(clock.sizes) == 1 and clock.now > budget) or (not clock.sizes and budget == 0)
    else:
        assert found.seconds <= budget and found.model == f"model of {found.n}" and found.n in clock.sizes
        spent = sum(fixed + per_image * size**power for size in clock.sizes if size <= found.n)
        assert found.seconds == pytest.approx(spent)


@pytest.mark.parametrize("per_image", [1e-3, 2e-3, 5e-4])
def test_a_good_part_of_the_time_is_used(monkeypatch: pytest.MonkeyPatch, per_image: float) -> None:
    clock = Clock(monkeypatch, per_image)
    found = fit_in_time(3.0, np.arange(60_000) % 3, clock.fit, 0)
    assert found and found.n >= 0.4 * 3.0 / per_image and clock.sizes == sorted(clock.sizes)


def test_every_subset_is_sorted_stratified_and_holds_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    labels = np.array([0] * 3900 + [1] * 90 + [2] * 10)
    fit_in_time(10, labels, clock.fit, 3)
    for rows in clock.subsets:
        assert (np.diff(rows) > 0).all() and set(labels[rows]) == {0, 1, 2}
    for small, large in zip(clock.subsets, clock.subsets[1:], strict=False):
        assert set(small.tolist()) <= set(large.tolist())


@pytest.mark.parametrize("per_image", [1e-9, 1.0, 1e6])
def test_without_a_time_the_clock_decides_nothing(monkeypatch: pytest.MonkeyPatch, per_image: float) -> None:
    clock, labels = Clock(monkeypatch, per_image), np.arange(6000) % 3
    found = fit_allowed(labels, clock.fit, Allowance(10_000))
    assert found and found.n == 6000 and clock.sizes == [6000], "all of them, in one fit"
    found = fit_allowed(labels, clock.fit, Allowance(700))
    assert found and found.n == 700 and clock.sizes == [6000, 700]


def test_with_a_time_no_more_than_is_allowed_are_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1e-6)
    found = fit_allowed(np.arange(6000) % 3, clock.fit, Allowance(700, seconds=10))
    assert found and found.n == 700 and clock.sizes == [32, 256, 700]


@pytest.mark.parametrize("again", [1e-9, 1e6])
def test_what_a_clock_decided_is_done_again_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch, again: float
) -> None:
    labels = np.arange(6000) % 3
    first = Clock(monkeypatch, 1e-3)
    found = fit_allowed(labels, first.fit, Allowance(6000, seconds=1.0, seed=4))
    assert found and 300 < found.n < 1000
    second = Clock(monkeypatch, again)
    repeated = fit_allowed(labels, second.fit, Allowance(6000, seconds=1.0, decided=found.n, seed=4))
    assert repeated and repeated.n == found.n and second.sizes == [found.n]
    assert (second.subsets[0] == first.subsets[first.sizes.index(found.n)]).all(), "the very same images"
    assert fit_allowed(labels, second.fit, Allowance(6000, seconds=1.0, decided=0)) is None


def test_no_time_is_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0.0)
    assert fit_in_time(0.0, np.arange(100) % 2, clock.fit, 0) is None and not clock.sizes
