"""Values of more than 8 bits, read by a range: the same pixels by every way in."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from limpide.data.decoding.decode import Remarks, Undecodable, decode, decode_with_remarks
from tests.data.decoding.deep_files import RANDOM, by_rule, levels, png_of, tiff_of
from tests.make_images import encoded


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_values_are_read_by_the_range(bits: int) -> None:
    values = RANDOM.integers(0, 2**bits, (9, 11)).astype(np.uint16)
    span = 0.0, 2.0**bits - 1
    files = [
        png_of(values),
        png_of(values, adam7=True),
        encoded(values, "TIFF"),
        tiff_of(values, big=True),
        tiff_of(values, packed=True),
    ]
    files += [tiff_of(values.astype(np.int32)), tiff_of(values.astype(np.float32)), tiff_of(values.astype(np.uint32))]
    for data in files:
        np.testing.assert_array_equal(levels(data, span), by_rule(values, span)[..., None].repeat(3, 2))


@pytest.mark.parametrize("channels", [3, 4])
def test_all_sixteen_bits_of_a_colour_are_read(channels: int) -> None:
    """Pillow keeps the first eight: of 12-bit colours, sixteen levels would be left."""
    values = RANDOM.integers(0, 4096, (9, 11, channels)).astype(np.uint16)
    if channels == 4:
        values[..., 3] = 65535
    for data in (
        png_of(values),
        png_of(values, adam7=True),
        tiff_of(values),
        tiff_of(values, big=True),
        tiff_of(values, packed=True),
    ):
        np.testing.assert_array_equal(levels(data, (0, 4095)), by_rule(values[..., :3], (0, 4095)))


def test_transparency_of_sixteen_bits_lies_over_white() -> None:
    values = RANDOM.integers(0, 4096, (9, 11, 2)).astype(np.uint16)
    values[..., 1] = np.where(RANDOM.random((9, 11)) < 0.5, 65535, 0)
    image, remarks = decode_with_remarks(png_of(values), value_range=(0, 4095))
    expected = np.where(values[..., 1] == 0, 255, by_rule(values[..., 0], (0, 4095)))
    np.testing.assert_array_equal(np.asarray(image), expected[..., None].repeat(3, 2))
    assert Remarks.TRANSPARENT in remarks and Remarks.CLIPPED not in remarks
    key = struct.pack(">H", int(values[2, 3, 0]))  # one value declared transparent
    assert (levels(png_of(values[..., 0], key=key), (0, 4095))[values[..., 0] == values[2, 3, 0]] == 255).all()


def test_white_is_zero() -> None:
    values = RANDOM.integers(0, 4096, (9, 11)).astype(np.uint16)
    np.testing.assert_array_equal(
        levels(tiff_of(values, white_is_zero=True), (0, 4095))[..., 0], 255 - by_rule(values, (0, 4095))
    )


def test_values_below_zero() -> None:
    values = RANDOM.integers(-1024, 3072, (9, 11)).astype(np.int16)
    for kind in (np.int16, np.int32, np.float32):
        for big, packed in ((False, False), (False, True), (True, False), (True, True)):
            data = tiff_of(values.astype(kind), big=big, packed=packed)
            np.testing.assert_array_equal(levels(data, (-1024, 3071))[..., 0], by_rule(values, (-1024, 3071)))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_upright_with_all_bits(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = RANDOM.integers(0, 4096, (9, 11)).astype(np.uint16)
    eight = decode(encoded(by_rule(grey, (0, 4095)).astype(np.uint8), "PNG", exif=exif))
    np.testing.assert_array_equal(levels(encoded(grey, "PNG", exif=exif), (0, 4095)), np.asarray(eight))


def test_eight_bits_keep_their_values_whatever_the_range() -> None:
    values = RANDOM.integers(0, 256, (9, 11, 3)).astype(np.uint8)
    for data in (encoded(values), encoded(values[..., 0]), encoded(values, "TIFF"), encoded(values, "JPEG")):
        image, remarks = decode_with_remarks(data, value_range=(0, 4095))
        np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(data)))
        assert not remarks & (Remarks.RESCALED | Remarks.CLIPPED)


def test_what_is_beyond_the_range_is_clipped_and_told() -> None:
    values = np.array([[0, 4095], [4096, 60000]], np.uint16).repeat(4, 0).repeat(4, 1)
    image, remarks = decode_with_remarks(png_of(values), value_range=(0, 4095))
    assert np.asarray(image)[::4, ::4, 0].tolist() == [[0, 255], [255, 255]] and Remarks.CLIPPED in remarks
    assert Remarks.CLIPPED not in decode_with_remarks(png_of(np.minimum(values, 4096)), value_range=(0, 4095))[1], (
        "less than half a grey level is rounding"
    )
    assert Remarks.CLIPPED in decode_with_remarks(png_of(values), value_range=(1000, 65535))[1], "below, too"
    with pytest.raises(Undecodable):
        decode(tiff_of(np.full((8, 8), np.nan, np.float32)), value_range=(0, 1))
