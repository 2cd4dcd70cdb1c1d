"""Printing colours and wide gamuts: what a screen of sRGB shows."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from limpide.data.decoding.decode import Remarks
from tests.data.decoding.read_bytes import NOTHING, PIXELS, SMOOTH, decoded, remarks
from tests.make_images import DISPLAY_P3, encoded, flat_jpeg, profile


@pytest.mark.parametrize(
    ("stored", "adobe", "expected"),
    [
        ((255, 0, 0, 255), 0, (255, 0, 0)),  # Adobe stores 255 − ink: no cyan, no black, all the rest
        ((255, 255, 255, 255), 0, (255, 255, 255)),
        ((255, 255, 255, 0), 0, (0, 0, 0)),
        ((0, 128, 128, 255), 2, (255, 255, 255)),  # the same as brightness and colour differences (YCCK)
        ((255, 128, 128, 255), 2, (0, 0, 0)),
    ],
)
def test_cmyk_as_adobe_writes_it(stored: tuple[int, ...], adobe: int, expected: tuple[int, ...]) -> None:
    """Case 7, on files written byte by byte."""
    data = flat_jpeg(stored, adobe=adobe)
    np.testing.assert_array_equal(decoded(data), np.broadcast_to(expected, (16, 16, 3)))
    assert remarks(data) == Remarks.CMYK | Remarks.CONSTANT


SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))  # XYZ under D50


@pytest.mark.parametrize(
    "color", [(200, 100, 50), (90, 120, 200), (128, 128, 128), (255, 255, 255), (30, 60, 40), (255, 0, 0)]
)
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_a_wide_gamut_becomes_srgb(color: tuple[int, int, int], form: str) -> None:
    """Case 24, against the arithmetic of the standards: to light, to XYZ, to the light of sRGB, to its curve."""
    light = np.linalg.inv(np.array(SRGB).T) @ np.array(DISPLAY_P3).T @ (np.array(color) / 255) ** 2.2
    light = np.clip(light, 0, 1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    options = {"lossless": True} if form == "WEBP" else {}
    image = Image.new("RGB", (8, 8), color)
    data = encoded(image, form, icc_profile=profile(), **options)
    assert np.abs(decoded(data)[0, 0] - expected).max() <= 2
    assert remarks(data) == Remarks.WIDE_GAMUT | Remarks.CONSTANT


def test_a_wide_gamut_is_converted_as_pillow_does() -> None:
    """Case 24."""
    data = encoded(SMOOTH, "JPEG", icc_profile=profile())
    plain = Image.open(io.BytesIO(data))
    expected = ImageCms.profileToProfile(
        plain, ImageCms.ImageCmsProfile(io.BytesIO(profile())), ImageCms.createProfile("sRGB")
    )
    assert expected is not None
    np.testing.assert_array_equal(decoded(data), np.asarray(expected))
    with ThreadPoolExecutor(8) as pool:  # one transform serves all threads
        for found in pool.map(decoded, [data] * 50):
            np.testing.assert_array_equal(found, np.asarray(expected))


@pytest.mark.parametrize(
    "bytes_of_profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"not a profile",
        profile()[:200],
        profile()[:128] + b"\xff" * 200,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),  # not of this kind of pixels
    ],
    ids=["sRGB", "junk", "cut", "damaged", "Lab"],
)
def test_srgb_and_broken_profiles_change_nothing(bytes_of_profile: bytes) -> None:
    """Case 24."""
    data = encoded(PIXELS, icc_profile=bytes_of_profile)
    np.testing.assert_array_equal(decoded(data), PIXELS)
    assert remarks(data) == NOTHING
