"""Statistics of the training images: right, small, the same every time, and there for two images as for thousands."""

from __future__ import annotations

import json

import numpy as np
import pytest

from limpide.core.typed_json import InvalidJson, to_plain_json
from limpide.deploy.principal_axes import principal_axes, spread
from limpide.deploy.train_stats import (
    LEVELS,
    MAX_COMPONENTS,
    Looked,
    TrainStats,
    Vectors,
    grey_properties,
    make_train_stats,
)


def looked(n: int, classes: int = 3, width: int | None = 16, sizes: bool = True) -> Looked:
    random = np.random.default_rng(n)
    features = None if width is None else random.normal(1, 2, (n, width)).astype(np.float32)
    probabilities = random.dirichlet(np.ones(classes), n).astype(np.float32)
    return Looked(probabilities, features, random.random((n, 3)), random.integers(8, 900, (n, 2)) if sizes else None)


def read_again(stats: TrainStats, classes: int, width: int | None) -> TrainStats:
    text = json.dumps(to_plain_json(stats), allow_nan=False)
    assert len(text) <= 64_000
    return TrainStats.from_json(json.loads(text), classes, width)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 9, 400])
@pytest.mark.parametrize("width", [None, 1, 16, 700])
def test_any_number_of_images_gives_statistics_that_can_be_read(n: int, width: int | None) -> None:
    stats = make_train_stats(np.array([n, 0, 0]), looked(n, width=width), looked(2, width=width, sizes=False))
    assert read_again(stats, 3, width) == stats
    assert stats.images == stats.train.n == n and stats.validation is not None and stats.validation.n == 2
    assert (stats.subspace is None) == (width is None or n < 4)
    assert (stats.train.distance is None) == (width is None or n < 8)
    if stats.subspace is not None:
        assert 0 <= stats.subspace.components.shape[0] <= min(MAX_COMPONENTS, n * 4 // 5 // 4, int(width or 0))
        assert stats.subspace.components.shape[0] > 20 or n < 400 or width != 700
        assert stats.validation.distance is not None
    assert stats.validation.width is None and stats.train.width is not None


@pytest.mark.parametrize("classes", [2, 1000, 4096, 30_000])
@pytest.mark.parametrize("width", [64, 1280, 8192])
def test_it_never_outgrows_its_room(classes: int, width: int) -> None:
    stats = make_train_stats(np.full(classes, 13), looked(60, classes, width), looked(60, classes, width))
    assert read_again(stats, classes, width) == stats
    assert (stats.counts is None) == (classes > 4096)
    if classes <= 1000 and width <= 1280:
        assert stats.subspace is not None and stats.subspace.components.shape[0] >= 1


def test_quantiles_are_of_the_images() -> None:
    some = looked(500)
    stats = make_train_stats(np.array([200, 200, 100]), some, None)
    assert stats.train.best == pytest.approx(np.quantile(some.probabilities.max(1), LEVELS), rel=1e-4)
    assert stats.train.brightness == pytest.approx(np.quantile(some.grey[:, 0], LEVELS), rel=1e-4)
    assert some.sizes is not None and stats.train.height == pytest.approx(
        np.quantile(some.sizes[:, 1], LEVELS), rel=1e-4
    )
    assert stats.probabilities is not None
    assert stats.probabilities.array() == pytest.approx(np.quantile(some.probabilities, LEVELS, axis=0).T, abs=1e-3)


def test_the_axes_are_those_of_a_singular_value_decomposition() -> None:
    random = np.random.default_rng(1)
    z = (random.normal(size=(300, 40)) * np.geomspace(10, 0.1, 40)).astype(np.float32)
    z -= z.mean(0)
    axes, share = principal_axes(z, 5)
    _, sizes, turns = np.linalg.svd(z, full_matrices=False)
    assert np.abs((axes * turns[:5]).sum(1)) == pytest.approx(np.ones(5), abs=1e-3)
    assert share == pytest.approx((sizes[:5] ** 2).sum() / (sizes**2).sum(), rel=1e-3)
    assert axes @ axes.T == pytest.approx(np.eye(5), abs=1e-5) and (principal_axes(z, 5)[0] == axes).all()


def test_what_never_moves_does_not_break_it() -> None:
    still = np.ones((40, 6), np.float32) * np.float32(1e20)
    mean, scale = spread(still)
    assert np.isfinite(mean).all() and (scale > 0).all() and len(principal_axes(still - mean, 3)[0]) <= 3
    still[:, 0] = np.arange(40)
    flat = Looked(np.full((40, 2), 0.5, np.float32), still, np.zeros((40, 3)), None)
    stats = make_train_stats(np.array([20, 20]), flat, None)
    assert (
        read_again(stats, 2, 6) == stats and stats.subspace is not None and len(stats.subspace.components.array()) <= 2
    )


def test_images_of_another_kind_lie_farther_away() -> None:
    """Training images lie near a plane of two directions in fifty; the others leave it by as much as they
    vary in it.
    """
    random = np.random.default_rng(2)
    plane = random.normal(size=(2, 50))

    def drawn(n: int, off: float) -> np.ndarray:
        return (random.normal(size=(n, 2)) @ plane + off * random.normal(size=(n, 50))).astype(np.float32)

    some = Looked(np.full((400, 2), 0.5, np.float32), drawn(400, 0.1), np.zeros((400, 3)), None)
    stats = make_train_stats(np.array([200, 200]), some, None)
    assert stats.subspace is not None and stats.train.distance is not None
    assert (stats.subspace.distances(drawn(200, 1.0)) > stats.train.distance[-1]).mean() > 0.99
    same = np.quantile(stats.subspace.distances(drawn(2000, 0.1)), LEVELS)
    assert stats.train.distance == pytest.approx(same, rel=0.08), "quantiles that images of the same kind meet, too"


def test_grey_properties_in_their_units() -> None:
    black, white = np.zeros((1, 8, 8, 1), np.uint8), np.full((1, 8, 8, 1), 255, np.uint8)
    board = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    found = grey_properties(np.concatenate([black, white, board]))
    assert found == pytest.approx(np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.5, 1]]), abs=1e-6)
    assert grey_properties(np.full((2, 1, 1, 1), 51, np.uint8)) == pytest.approx(np.array([[0.2, 0, 0]] * 2), abs=1e-6)


def test_vectors_keep_their_numbers_to_three_digits() -> None:
    values = np.random.default_rng(0).normal(size=(3, 20)) * 1e9
    assert Vectors.of(values).array() == pytest.approx(values, rel=1e-3, abs=1e4)
    assert (Vectors.of(np.zeros(4)).array() == 0).all()


def test_a_width_that_is_not_the_files_is_refused() -> None:
    stats = to_plain_json(make_train_stats(np.array([20, 20, 20]), looked(60), None))
    for classes, width in ((4, 16), (3, 17), (3, None)):
        with pytest.raises(InvalidJson):
            TrainStats.from_json(stats, classes, width)
