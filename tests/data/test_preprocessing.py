"""The square of pixels a network sees: Pillow's own arithmetic, and nothing that depends on the way to it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limpide.data.preprocessing import Preprocessing

sides = st.integers(1, 60)


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("fit", "size", "box"),
    [
        ("squash", (640, 480), (0, 0, 640, 480)),
        ("crop", (640, 480), (80, 0, 560, 480)),
        ("crop", (480, 640), (0, 80, 480, 560)),
        ("crop", (5, 4), (0, 0, 4, 4)),
        ("crop", (4, 7), (0, 1, 4, 5)),
        ("crop", (9, 9), (0, 0, 9, 9)),
    ],
)
def test_the_part_that_is_kept(fit: str, size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert Preprocessing(32, 3, fit).box(*size) == box


@given(sides, sides)
def test_a_crop_is_the_largest_centred_square(width: int, height: int) -> None:
    left, top, right, bottom = Preprocessing(32, 3, "crop").box(width, height)
    assert right - left == bottom - top == min(width, height)
    assert left >= 0 and right <= width and top >= 0 and bottom <= height
    assert abs((width - right) - left) <= 1 and abs((height - bottom) - top) <= 1


def test_grey_is_pillows_grey_for_every_colour() -> None:
    """All 16.7 million colours, 1/8 of them here: every red and green, every eighth blue shifted by red."""
    red, green, blue = np.meshgrid(np.arange(256), np.arange(256), np.arange(0, 256, 8), indexing="ij")
    colors = np.stack([red, green, (blue + red % 8)], -1).astype(np.uint8).reshape(2048, 1024, 3)
    theirs = np.asarray(Image.fromarray(colors).convert("L"))
    np.testing.assert_array_equal(Preprocessing.grey(colors)[..., 0], theirs)


def test_grey_of_grey_is_itself() -> None:
    levels = np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1)
    np.testing.assert_array_equal(Preprocessing.grey(levels)[:, 0], np.arange(256))


@pytest.mark.parametrize("fit", ["squash", "crop"])
@pytest.mark.parametrize("kind", ["bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_square_of_the_right_size_is_not_touched(fit: str, kind: str, channels: int) -> None:
    image = photo(32, 32)
    found = Preprocessing(32, channels, fit, kind).pixels(image)
    expected = np.asarray(image) if channels == 3 else np.asarray(image.convert("L"))[..., None]
    assert found.shape == (32, 32, channels) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@given(sides, sides, st.integers(8, 40), st.sampled_from(["squash", "crop"]), st.sampled_from(["bilinear", "bicubic"]))
def test_the_resize_is_pillows(width: int, height: int, size: int, fit: str, kind: str) -> None:
    """Within one grey level of Pillow asked for both axes at once (it may take the other axis first)."""
    image, preprocessing = photo(width, height), Preprocessing(size, 3, fit, kind)
    found = preprocessing.pixels(image)
    theirs = np.asarray(
        image.resize((size, size), Image.Resampling[kind.upper()], box=preprocessing.box(width, height))
    )
    assert found.shape == (size, size, 3)
    # Bicubic may overshoot and is clipped after the first axis, so the order shows a little more.
    assert np.abs(found.astype(int) - theirs.astype(int)).max() <= (1 if kind == "bilinear" else 40)
    assert np.abs(found.astype(int) - theirs.astype(int)).mean() < 1


def test_one_colour_stays_one_colour() -> None:
    for size in ((7, 99), (1, 5), (300, 200)):
        found = Preprocessing(16, 3, "crop", "bicubic").pixels(Image.new("RGB", size, (12, 200, 77)))
        assert (found == [12, 200, 77]).all()


@pytest.mark.parametrize("kind", ["bilinear", "bicubic"])
def test_what_is_well_outside_a_crop_is_not_seen(kind: str) -> None:
    """The filter reaches a little over the edge of the box, as Pillow's does: two input pixels a side per output pixel
    here.
    """
    image = photo(60, 32)
    other = image.copy()
    other.paste("white", (0, 0, 8, 32))
    other.paste("white", (52, 0, 60, 32))
    preprocessing = Preprocessing(16, 3, "crop", kind)
    np.testing.assert_array_equal(preprocessing.pixels(image), preprocessing.pixels(other))
    other.paste("white", (20, 0, 24, 32))
    assert (preprocessing.pixels(image) != preprocessing.pixels(other)).any()


def test_there_and_back() -> None:
    before = Preprocessing(224, 3, "crop", "bicubic", (123.7, 116.3, 103.5), (58.4, 57.1, 57.4), 224)
    after = Preprocessing.from_json(json.loads(json.dumps(before.to_json())))
    assert after == before and hash(after) == hash(before)
