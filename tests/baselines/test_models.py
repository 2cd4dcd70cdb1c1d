"""Each baseline is what its name says: the one of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from limpide.baselines import forest as forest_module
from limpide.baselines.baseline import Allowance, HeldOut
from limpide.baselines.compare import flat_pixels
from limpide.baselines.forest import forest, max_drawn
from limpide.baselines.logistic import logistic
from limpide.baselines.majority import always_majority
from limpide.baselines.nearest_neighbors import nearest_neighbors


def test_always_the_majority_is_that_of_training() -> None:
    found = always_majority(np.array([0, 1, 1, 2]), np.array([1, 0, 0, 0]))
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
    monkeypatch.setattr(forest_module, "TREE_WORK", 20 * 6)
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
    found = nearest_neighbors(x, y, test, Allowance(80))
    theirs = KNeighborsClassifier(5).fit(x, y)
    assert found and found.n_train == 80 and (found.right == (theirs.predict(test.x) == test.labels)).all()
    assert (found.bytes, found.multiply_adds) == (80 * 36 * 4, 80 * 36)


@pytest.mark.parametrize("build", [logistic, forest])
def test_without_time_there_are_no_scores(build: object, images: Images) -> None:
    x, y, test = images
    assert build(x, y, test, Allowance(80, seconds=0.0)) is None  # type: ignore[operator]
    assert nearest_neighbors(x, y, test, Allowance(80, seconds=0.0)) is None


def test_few_images_have_few_neighbours() -> None:
    x = np.arange(6, dtype=np.float32)[:, None]
    found = nearest_neighbors(
        x[:3], np.array([0, 0, 1]), HeldOut(x[3:], np.array([0, 0, 1]), np.arange(3)), Allowance(30)
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
    few, many = max_drawn(3072, 10), max_drawn(3072, 1500)
    assert few == max_drawn(3072, 2) == 3608 and 0.9 * few <= many * 150 <= few
    random = np.random.default_rng(0)
    labels = np.arange(3000) % 1500
    train = random.normal(size=(3000, 192)).astype(np.float32)
    found = forest(train, labels, HeldOut(train[:50], labels[:50], np.arange(50)), Allowance(3000))
    assert found and found.n_train == 3000 and found.drawn == max_drawn(192, 1500) == 96
