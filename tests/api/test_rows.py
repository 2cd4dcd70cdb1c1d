"""Rows of numbers as images: FlatImageClassifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limpide import FlatImageClassifier, ImageClassifier
from limpide.core.errors import LimpideError, RunError
from tests.api.test_sklearn import QUICK, X, Y

pytestmark = pytest.mark.usefixtures("one_thread", "temporary")


def test_rows_and_images_are_the_same_thing() -> None:
    images = ImageClassifier(**QUICK).fit(X, Y)
    rows = FlatImageClassifier(image_shape=(8, 8), epochs=6).fit(X.reshape(300, -1) / 100 - 7, Y)  # any linear scale
    assert np.allclose(rows.predict_proba(X.reshape(300, -1) / 100 - 7), images.predict_proba(X), atol=1e-6)
    again = FlatImageClassifier.load(rows.run.path)  # type: ignore[union-attr]
    assert np.array_equal(
        again.predict_proba(X.reshape(300, -1) / 100 - 7), rows.predict_proba(X.reshape(300, -1) / 100 - 7)
    )
    with pytest.raises(RunError, match="rows of numbers"):
        FlatImageClassifier.load(images.run.path)  # type: ignore[union-attr]


def test_how_a_row_fills_a_square() -> None:
    clf = FlatImageClassifier()
    clf.range_ = (0.0, 10.0)
    for features, side in ((1, 1), (2, 2), (4, 2), (5, 3), (64, 8), (65, 9)):
        clf.image_shape_ = clf._shape(features)
        assert clf.image_shape_ == (side, side)
        filled = clf._images(np.full((3, features), 10.0))
        assert (
            filled.shape == (3, side, side, 1)
            and (filled.reshape(3, -1) == [255] * features + [0] * (side**2 - features)).all()
        )
    clf.image_shape_ = clf.set_params(image_shape=[1, 2, 3])._shape(6)
    assert clf._images(np.array([[-1, 0, 5, 2, 10, 11]]))[0].tolist() == [[[0, 0, 128], [51, 255, 255]]]


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((8, 9), "do not fill"),
        ((64,), "not the shape"),
        ((4, 4, 4), "not the shape"),
        ((0, 64), "not the shape"),
        ("8x8", "not the shape"),
    ],
)
def test_a_wrong_shape(shape: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        FlatImageClassifier(image_shape=shape).fit(X.reshape(300, -1), Y)
    assert isinstance(caught.value, LimpideError)


def test_colour_rows() -> None:
    rows = np.repeat(X[..., None], 3, -1).reshape(300, -1)
    clf = FlatImageClassifier(image_shape=(8, 8, 3), epochs=6).fit(rows, Y)
    assert clf.score(rows, Y) > 0.8
