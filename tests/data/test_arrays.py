"""Arrays and lists of paths that a program hands over: the same data set, or one line that says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limpide.core.errors import DataError
from limpide.data.arrays import from_arrays, from_paths
from limpide.data.dataset import ArrayImages
from limpide.data.layouts.scan import scan
from tests.data.layouts.photo_layouts import (
    FREE,
    pixels,
    rows,
)


def test_arrays_and_lists_of_paths(photos: Path) -> None:
    folder = scan(photos)
    files = [photos / name for name in folder.images.names]
    names = [folder.classes[k] for k in folder.labels]
    listed = from_paths(files, names)
    assert rows(listed) == FREE and pixels(listed) == pixels(folder)
    stack = np.stack([np.asarray(folder.images.image(i)) for i in range(len(folder))])
    for given in (stack, stack / 255, stack.astype(np.float32), stack.astype(np.int64), np.moveaxis(stack, -1, 1)):
        held = from_arrays(given, names)
        assert rows(held) == FREE and pixels(held) == pixels(folder)
    assert (
        from_arrays(stack, names).location
        == from_arrays(stack, names).location
        != from_arrays(stack[::-1], names).location
    )


@pytest.mark.parametrize(
    ("images", "labels", "code"),
    [
        (np.zeros((4, 8)), [0, 1] * 2, "L219"),
        (np.zeros((4, 8, 8, 2)), [0, 1] * 2, "L283"),
        (np.zeros((0, 8, 8)), [], "L219"),
        (np.full((4, 8, 8), np.nan), [0, 1] * 2, "L230"),
        (np.full((4, 8, 8), "x"), [0, 1] * 2, "L219"),
        (np.zeros((4, 8, 8)), [0, 1], "L232"),
        (np.zeros((4, 8, 8)), ["a", "b", None, "b"], "L240"),
        (np.zeros((4, 8, 8)), ["a", "b", float("nan"), "b"], "L240"),
        (np.zeros((4, 8, 8)), ["a", "b", " ", "b"], "L240"),
        (np.zeros((4, 8, 8)), np.ma.masked_equal([0, 1, 9, 1], 9), "L240"),
        (np.zeros((4, 8, 8)), [0.0, 1.0, float("nan"), 1.0], "L240"),
        (np.zeros((4, 8, 8)), [0, 0, 0, 0], "L204"),
        (np.zeros((4, 8, 8)), [0.5, 1.25, 2.5, 3.1], "L229"),
        (np.zeros((4, 8, 8)), np.eye(4), "L280"),
        (np.zeros((4, 8, 8)), np.eye(4, dtype=bool), "L280"),
        (np.zeros((4, 8, 8)), np.eye(4) + np.eye(4)[::-1], "L215"),
    ],
)
def test_arrays_that_are_no_images(images: np.ndarray, labels: object, code: str) -> None:
    with pytest.raises(DataError) as told:
        from_arrays(images, labels)
    assert told.value.code == code and "\n" not in str(told.value)


def test_paths_that_are_not_there(photos: Path) -> None:
    with pytest.raises(DataError) as told:
        from_paths([photos / "disc/0000.png", photos / "gone.png"], ["a", "b"])
    assert told.value.code == "L218" and "gone.png" in str(told.value)


@pytest.mark.parametrize(
    ("high", "scale"), [(0.5, 255.0), (1.0, 255.0), (1.5, 255 / 16), (16.0, 255 / 16), (17.0, 1.0), (255.0, 1.0)]
)
def test_floats_become_grey_levels_by_one_rule(high: float, scale: float) -> None:
    array = np.linspace(0, high, 4 * 64).reshape(4, 8, 8)
    held = from_arrays(array, [0, 1, 0, 1])
    assert isinstance(held.images, ArrayImages)
    np.testing.assert_array_equal(held.images.array, np.rint(array * scale))
    assert "rounded to 256 grey levels" in str(held.notes[0])


def test_groups_from_python_may_be_missing() -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    for given in ([None, "p", "p", None], [np.nan, 1.0, 1.0, np.nan]):
        groups = from_arrays(images, [0, 1, 0, 1], groups=given).groups
        assert groups is not None and groups[[0, 3]].tolist() == [-1, -1] and groups[1] == groups[2] >= 0
