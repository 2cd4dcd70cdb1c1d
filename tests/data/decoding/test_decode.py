"""Whatever is in the file: an RGB image by the declared rule, or Undecodable with its reason. Nothing else, ever."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import Undecodable, decode
from tests.data.decoding.read_bytes import PIXELS, SMOOTH, decoded, png_of, refused
from tests.make_images import encoded, flat_jpeg

# -- formats and modes


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO"])
def test_lossless_formats_give_the_pixels_that_went_in(form: str) -> None:
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    data = encoded(np.tile(PIXELS, (2, 1, 1))[:32, :32], form, **options)
    np.testing.assert_array_equal(decoded(data), np.tile(PIXELS, (2, 1, 1))[:32, :32])


def test_a_jpeg_is_what_pillow_says_it_is() -> None:
    data = encoded(SMOOTH, "JPEG", quality=90, progressive=True)
    np.testing.assert_array_equal(decoded(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_cmyk_becomes_rgb() -> None:
    """Red ink only lets red light through: cyan 0, magenta and yellow full."""
    cmyk = np.zeros((16, 16, 4), np.uint8)
    cmyk[..., 1:3] = 255
    found = decoded(encoded(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=100))
    assert np.abs(found.astype(int) - [255, 0, 0]).max() < 12


def test_sixteen_bit_grey_is_rescaled_and_never_clipped() -> None:
    values = np.linspace(0, 65535, 32 * 24).astype(np.uint16).reshape(24, 32)
    found = decoded(encoded(values))
    np.testing.assert_array_equal(found, np.rint(values / 257).astype(np.uint8)[..., None].repeat(3, 2))
    assert len(np.unique(found)) == 256
    np.testing.assert_array_equal(decoded(encoded(values, "TIFF")), found)


def test_sixteen_bit_big_endian() -> None:
    """A big-endian TIFF, byte by byte: 4×4 grey, 16 bits, values 0, 4369, … 65535."""
    values = (np.arange(16) * 4369).astype(">u2").tobytes()
    tags = [
        (256, 3, 4),
        (257, 3, 4),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 4),
        (279, 4, 32),
    ]
    entries = b"".join(
        struct.pack(">HHI", tag, kind, 1) + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, value in tags
    )
    data = b"MM\0\x2a" + struct.pack(">I", 40) + values + struct.pack(">H", len(tags)) + entries + b"\0\0\0\0"
    np.testing.assert_array_equal(decoded(data)[..., 0].ravel(), np.arange(16) * 17)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, (0, 255)),  # the range of shares
        (0.2, 0.6, (51, 153)),
        (0.0, 255.0, (0, 255)),  # of grey levels
        (10.0, 100.0, (10, 100)),
        (0.0, 65535.0, (0, 255)),
        (-5.0, 5.0, (0, 255)),  # the image's own
        (0.0, 1e9, (0, 255)),
        (7.0, 7.0, (7, 7)),
        (-3.0, -3.0, (0, 0)),
    ],
)
def test_float_tiff(low: float, high: float, expected: tuple[int, int]) -> None:
    values = np.linspace(low, high, 64).astype(np.float32).reshape(8, 8)
    found = decoded(encoded(values, "TIFF"))
    assert (found.min(), found.max()) == expected
    assert np.all(np.diff(found[..., 0].ravel().astype(int)) >= 0)


def test_32_bit_integers() -> None:
    values = np.linspace(0, 65535, 64).astype(np.int32).reshape(8, 8)
    np.testing.assert_array_equal(decoded(encoded(values, "TIFF"))[..., 0], np.rint(values / 257))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_numbers(bad: float) -> None:
    values = np.ones((8, 8), np.float32)
    values[3, 3] = bad
    assert refused(encoded(values, "TIFF")) == rules.NOT_FINITE


def over_white(color: int, alpha: int) -> int:
    return round(color * alpha / 255 + 255 * (1 - alpha / 255))


def test_transparency_lies_over_white() -> None:
    rgba = np.dstack([PIXELS, np.linspace(0, 255, 24 * 32).astype(np.uint8).reshape(24, 32)])
    expected = np.vectorize(over_white)(rgba[..., :3], rgba[..., 3:])
    for form in ("PNG", "TIFF"):
        assert np.abs(decoded(encoded(rgba, form)).astype(int) - expected).max() <= 1
    assert (decoded(encoded(rgba))[rgba[..., 3] == 0] == 255).all()


def test_grey_with_alpha() -> None:
    la = np.dstack([PIXELS[..., 0], np.full((24, 32), 128, np.uint8)])
    expected = np.vectorize(over_white)(la[..., :1].repeat(3, 2), 128)
    assert np.abs(decoded(encoded(Image.fromarray(la, "LA"))).astype(int) - expected).max() <= 1


def test_palette_with_and_without_transparency() -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 3, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]])[np.arange(64).reshape(8, 8) % 3]
    np.testing.assert_array_equal(decoded(encoded(image)), colors)
    colors[np.arange(64).reshape(8, 8) % 3 == 1] = 255
    np.testing.assert_array_equal(decoded(encoded(image, transparency=1)), colors)
    np.testing.assert_array_equal(decoded(encoded(image, "GIF", transparency=1)), colors)


@pytest.mark.parametrize(("mode", "key", "other"), [("RGB", (255, 0, 0), (9, 8, 7)), ("L", 77, 9), ("1", 0, 255)])
def test_one_colour_declared_transparent_is_white(mode: str, key: Any, other: Any) -> None:
    image = Image.new(mode, (8, 8), key)
    image.paste(other, (0, 0, 4, 8))
    found = decoded(encoded(image, transparency=key))
    assert (found[:, 4:] == 255).all()
    np.testing.assert_array_equal(
        found[:, :4],
        np.broadcast_to(other, (8, 4, 3) if mode == "RGB" else (8, 4))[..., None]
        .reshape(8, 4, -1)
        .repeat(1 if mode == "RGB" else 3, 2),
    )


def test_one_bit() -> None:
    bits = np.indices((8, 8)).sum(0) % 2 == 0
    np.testing.assert_array_equal(decoded(encoded(bits)), (bits * 255).astype(np.uint8)[..., None].repeat(3, 2))


def test_lab_and_ycbcr_tiffs_become_rgb() -> None:
    assert decoded(encoded(Image.fromarray(PIXELS).convert("YCbCr"), "JPEG")).shape == PIXELS.shape
    lab = ImageCms.applyTransform(
        Image.fromarray(SMOOTH),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    try:
        assert decoded(encoded(lab, "TIFF")).shape == SMOOTH.shape
    except Undecodable as error:
        assert error.reason in rules.REASONS


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    """The eight orientations of EXIF 2.3, table 6, as NumPy turns them."""
    turned = {
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, -1),
        7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PIXELS),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decoded(encoded(PIXELS, "PNG", exif=exif)), turned)
    small = encoded(SMOOTH, "JPEG", exif=exif)
    assert decoded(small).shape[:2] == ((320, 240) if orientation > 4 else (240, 320))


def test_the_first_frame_of_several() -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "green", "blue")]
    for form in ("GIF", "TIFF", "PNG"):
        data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(decoded(data), np.asarray(frames[0]))


def test_a_damaged_exif_block_says_nothing_and_stops_nothing() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\xff\xff\xff\xff\x06\0\0\0"
    data = encoded(SMOOTH, "JPEG", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(data).shape == SMOOTH.shape


# -- decoding a large JPEG at reduced scale


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [
        (0, (240, 320)),
        (1000, (240, 320)),
        (121, (240, 320)),
        (120, (120, 160)),
        (61, (120, 160)),
        (60, (60, 80)),
        (30, (30, 40)),
        (8, (30, 40)),
    ],
)
def test_a_jpeg_is_decoded_no_smaller_than_asked(at_least: int, shape: tuple[int, int]) -> None:
    data = encoded(SMOOTH, "JPEG")
    first, second = decoded(data, at_least), decoded(data, at_least)
    assert first.shape[:2] == shape
    np.testing.assert_array_equal(first, second)


def test_only_a_jpeg_is_decoded_smaller() -> None:
    for form in ("PNG", "WEBP", "BMP"):
        data = encoded(SMOOTH, form)
        np.testing.assert_array_equal(decoded(data, 8), decoded(data))


@given(st.integers(4, 400), st.integers(4, 400), st.integers(1, 300))
def test_both_sides_keep_at_least_what_was_asked(width: int, height: int, at_least: int) -> None:
    found = (
        decode(encoded(Image.new("L", (width, height)), "JPEG"), at_least)
        if max(width, height) <= 50 * min(width, height)
        else None
    )
    if found:
        assert min(found.size) >= min(width, height, at_least)


def test_the_limits_of_pillow_stay_on() -> None:
    """Cases 16 and 18."""
    from PIL import ImageFile, PngImagePlugin

    assert Image.MAX_IMAGE_PIXELS == 1024 * 1024 * 1024 // 4 // 3 and not ImageFile.LOAD_TRUNCATED_IMAGES
    assert PngImagePlugin.MAX_TEXT_CHUNK <= 2**20 and PngImagePlugin.MAX_TEXT_MEMORY <= 2**26


MEASURE = """
import sys
from limpide.data.decoding.decode import Undecodable, decode

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024  # MiB

decode(open(sys.argv[2], "rb").read(), 8)
before, data = peak(), open(sys.argv[1], "rb").read()
try:
    print(*decode(data, 336).size, peak() - before)
except Undecodable as error:
    print(0, 0, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("data", "size"),
    [
        (flat_jpeg((200, 128, 128), (12_000, 9_000)), (1500, 1125)),
        (png_of(30_000, 30_000), (0, 0)),
        (png_of(16_000, 11_000), (0, 0)),
    ],
    ids=["a legal giant (case 17)", "a bomb (case 16)", "a giant without content"],
)
def test_the_memory_that_large_files_take(data: bytes, size: tuple[int, int], tmp_path: Any) -> None:
    (tmp_path / "large").write_bytes(data)
    (tmp_path / "small").write_bytes(encoded(SMOOTH, "JPEG"))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "large"), str(tmp_path / "small")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    width, height, mebibytes = map(int, done.stdout.split())
    assert (width, height) == size
    assert mebibytes < 64, "12,000 × 9,000 pixels would be 412 MiB"
