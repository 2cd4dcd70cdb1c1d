"""The rivals get the images that they are allowed, no clock changes that unless a time was asked for, and they are what
their names say.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from limpide.baselines import simple_models
from limpide.baselines.simple_models import (
    Allowance,
    Fitted,
    HeldOut,
    fit_allowed,
    fit_in_time,
    flat_pixels,
    forest,
    logistic,
    majority,
    nearest_neighbors,
)


class Clock:
    """Stands for the computer: a fit takes `cost(n)` seconds of a time that only it moves."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, per_image: float, power: float = 1.0, fixed: float = 0.0
    ) -> None:
        self.now, self.per_image, self.power, self.fixed = 0.0, per_image, power, fixed
        self.sizes: list[int] = []
        self.subsets: list[np.ndarray] = []
        monkeypatch.setattr(simple_models.time, "perf_counter", lambda: self.now)

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


def test_always_the_majority_is_that_of_training() -> None:
    found = majority(np.array([0, 1, 1, 2]), np.array([1, 0, 0, 0]))
    assert found.right.tolist() == [True, False, False, False] and (found.n_test, found.n_train, found.seconds) == (
        4,
        4,
        0.0,
    )


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray, HeldOut]:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    found = rng.integers(0, 200, (120, 6, 6, 1), dtype=np.uint8)
    found[labels == 1, :2] //= 2
    return flat_pixels(found[:80]), labels[:80], HeldOut(flat_pixels(found[80:]), labels[80:], np.arange(40) * 2)


Images = tuple[np.ndarray, np.ndarray, HeldOut]


def test_logistic_regression_on_pixels_is_that(images: Images) -> None:
    x, y, test = images
    found = logistic(x, y, test, Allowance(80))
    theirs = LogisticRegression(C=0.01, max_iter=60, tol=1e-3).fit(x, y)
    assert (
        found
        and found.n_train == 80
        and (found.right == (theirs.predict(test.x) == test.labels)).all()
        and (found.rows == test.rows).all()
    )
    assert (found.multiply_adds, found.bytes) == (36, 37 * 4) and found.milliseconds and found.seconds > 0


def test_a_random_forest_is_that(images: Images) -> None:
    x, y, test = images
    found = forest(x, y, test, Allowance(80, seed=7))
    theirs = RandomForestClassifier(100, random_state=7).fit(x, y)
    assert (
        found and found.n_train == found.drawn == 80 and (found.right == (theirs.predict(test.x) == test.labels)).all()
    )
    assert found.bytes and found.bytes > 100 * 40 and found.multiply_adds is None


def test_a_forest_costs_no_more_with_more_images_yet_has_them_all(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simple_models, "TREE_WORK", 20 * 6)
    x, y, test = images
    found = forest(x, y, test, Allowance(80))
    theirs = RandomForestClassifier(100, random_state=0, max_samples=20).fit(x, y)
    assert (
        found
        and (found.n_train, found.drawn) == (80, 20)
        and (found.right == (theirs.predict(test.x) == test.labels)).all()
    )


def test_nearest_neighbours_are_that(images: Images) -> None:
    x, y, test = images
    found = nearest_neighbors("nearest", x, y, test, Allowance(80))
    theirs = KNeighborsClassifier(5).fit(x, y)
    assert found and found.n_train == 80 and (found.right == (theirs.predict(test.x) == test.labels)).all()
    assert (found.bytes, found.multiply_adds) == (80 * 36 * 4, 80 * 36)


@pytest.mark.parametrize("build", [logistic, forest])
def test_without_time_there_is_no_rival(build: object, images: Images) -> None:
    x, y, test = images
    assert build(x, y, test, Allowance(80, seconds=0.0)) is None  # type: ignore[operator]
    assert nearest_neighbors("nearest", x, y, test, Allowance(80, seconds=0.0)) is None


def test_few_images_have_few_neighbours() -> None:
    x = np.arange(6, dtype=np.float32)[:, None]
    found = nearest_neighbors(
        "nearest", x[:3], np.array([0, 0, 1]), HeldOut(x[3:], np.array([0, 0, 1]), np.arange(3)), Allowance(30)
    )
    assert found and found.n_train == 3 and found.right.sum() == 2


def test_a_linear_model_has_one_thread(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads of OpenBLAS wait for each other by turning round: on a busy machine that takes many times as long."""
    from threadpoolctl import threadpool_info, threadpool_limits

    seen: list[int] = []
    fit = LogisticRegression.fit

    def watched(self: LogisticRegression, x: np.ndarray, y: np.ndarray) -> LogisticRegression:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return fit(self, x, y)  # type: ignore[no-any-return]

    monkeypatch.setattr(LogisticRegression, "fit", watched)
    with threadpool_limits(2, user_api="blas"):
        logistic(images[0], images[1], images[2], Allowance(80))
        assert seen and set(seen) == {1}
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {2}, "as before"


def test_a_forest_of_many_classes_takes_no_longer() -> None:
    """The work of a tree grows with the classes that it counts at each cut; until then nothing changes."""
    few, many = simple_models.max_drawn(3072, 10), simple_models.max_drawn(3072, 1500)
    assert few == simple_models.max_drawn(3072, 2) == 3608 and 0.9 * few <= many * 150 <= few
    random = np.random.default_rng(0)
    labels = np.arange(3000) % 1500
    train = random.normal(size=(3000, 192)).astype(np.float32)
    found = simple_models.forest(train, labels, HeldOut(train[:50], labels[:50], np.arange(50)), Allowance(3000))
    assert found and found.n_train == 3000 and found.drawn == simple_models.max_drawn(192, 1500) == 96
