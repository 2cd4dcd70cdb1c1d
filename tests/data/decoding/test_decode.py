"""Whatever is in the file: an RGB image by the declared rule, or Undecodable with its reason. Nothing else, ever."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import types
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import REMARK_WORDS, Remarks, Undecodable, decode, decode_with_remarks, header
from limpide.system.quiet_libraries import quiet_libraries
from tests.make_images import DISPLAY_P3, encoded, flat_jpeg, one_of_each, profile, shape

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
SMOOTH = np.dstack([np.add.outer(np.arange(240), np.arange(320)) % 256] * 3).astype(np.uint8) // 2 + 40


def decoded(data: bytes, at_least: int = 0) -> np.ndarray:
    image = decode(data, at_least)
    assert image.mode == "RGB"
    return np.asarray(image)


def refused(data: bytes) -> str:
    with pytest.raises(Undecodable) as told:
        decode(data)
    assert told.value.reason in rules.REASONS
    return told.value.reason


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


# -- refusals


def test_reasons() -> None:
    jpeg = encoded(SMOOTH, "JPEG")
    assert refused(b"") == rules.EMPTY
    assert refused(jpeg[: len(jpeg) // 2]) == rules.CUT_SHORT
    assert refused(jpeg[:200]) == rules.CUT_SHORT
    assert refused(b"\xff\xd8\xff") in (rules.NOT_AN_IMAGE, rules.CUT_SHORT)
    assert refused(b"\0" * 1000) == rules.NOT_AN_IMAGE
    assert refused(b"hello") == rules.NOT_AN_IMAGE
    assert refused(b"%PDF-1.7\n") == rules.DOCUMENT
    assert refused(b'<svg xmlns="http://www.w3.org/2000/svg"/>') == rules.DRAWING
    png = encoded(PIXELS)
    assert refused(png[:-60]) == rules.CUT_SHORT
    assert refused(encoded(PIXELS, "GIF")[:-80]) == rules.CUT_SHORT


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"  \n<HTML lang=en>", b"<head><title>404</title>"])
def test_a_web_page(page: bytes) -> None:
    assert refused(page) == rules.WEB_PAGE


@pytest.mark.parametrize(
    ("size", "usable"),
    [
        ((1, 1), False),
        ((3, 3), False),
        ((4, 4), True),
        ((1, 5000), False),
        ((5000, 4), False),
        ((4, 200), True),
        ((4, 204), False),
    ],
)
def test_too_small_or_too_thin(size: tuple[int, int], usable: bool) -> None:
    data = encoded(Image.new("RGB", size))
    if usable:
        assert decode(data).size == size and header(data) == (*size, "RGB")
    else:
        assert refused(data) == rules.TOO_SMALL
        with pytest.raises(Undecodable):
            header(data)


def png_of(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def test_a_bomb_is_refused_from_its_header() -> None:
    assert refused(png_of(30_000, 30_000)) == rules.TOO_LARGE
    assert refused(png_of(65_000, 3_000)) == rules.TOO_LARGE


def test_a_large_image_that_is_legal_opens_without_a_warning() -> None:
    """Pillow warns from 89 million pixels on; the limit is ours, at 179 million."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert header(png_of(12_000, 10_000)) == (12_000, 10_000, "RGB")


def tiff_of(channels: int, photometric: int) -> bytes:
    """An 8×8 TIFF with so many samples a pixel, of which nobody says what they mean."""
    values = bytes(range(64)) * channels
    where = 8 + len(values)
    tags = [
        (256, 3, 8),
        (257, 3, 8),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, channels),
        (278, 3, 8),
        (279, 4, len(values)),
    ]
    entries = b"".join(struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value) for tag, kind, value in tags)
    return b"II\x2a\0" + struct.pack("<I", where) + values + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


@pytest.mark.parametrize("photometric", [1, 2], ids=["grey", "RGB"])
@pytest.mark.parametrize("channels", [5, 6, 13])
def test_more_than_four_channels_are_refused(channels: int, photometric: int) -> None:
    """Case 23. Of some, Pillow would show the first three."""
    assert refused(tiff_of(channels, photometric)) == rules.TOO_MANY_CHANNELS


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


# -- what is worth saying


def remarks(data: bytes, at_least: int = 0) -> Remarks:
    """What `examined` says; its image is that of `decode`."""
    image, found = decode_with_remarks(data, at_least)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(data, at_least)))
    return found


NOTHING = Remarks(0)


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "jpeg": NOTHING,
        "jpeg-progressive": NOTHING,  # case 25
        "jpeg-restarts": NOTHING,
        "jpeg-cmyk": Remarks.CMYK,  # case 7
        "jpeg-exif": Remarks.TURNED | Remarks.WIDE_GAMUT,  # cases 12 and 24
        "jpeg-flat": Remarks.CONSTANT,  # case 20
        "mpo": NOTHING,
        "png": NOTHING,
        "png-1": NOTHING,
        "png-16": Remarks.RESCALED,  # case 8
        "png-palette": Remarks.TRANSPARENT,  # case 10
        "png-alpha": Remarks.TURNED | Remarks.TRANSPARENT | Remarks.WIDE_GAMUT,  # case 11
        "png-animated": Remarks.FIRST_FRAME,  # case 13
        "gif-animated": Remarks.FIRST_FRAME,
        "webp-animated": Remarks.FIRST_FRAME,
        "tiff-pages": Remarks.FIRST_FRAME,
        "tiff-16": Remarks.RESCALED,
        "tiff-float": NOTHING,  # its values are grey levels already
        "pgm-16": Remarks.RESCALED,
        "tiff-cmyk": Remarks.CMYK,
    }.items(),
)
def test_what_is_said_of_a_healthy_file(name: str, expected: Remarks) -> None:
    assert remarks(one_of_each()[name]) == expected


def test_an_opaque_alpha_channel_is_not_transparency() -> None:
    """Case 11."""
    assert remarks(encoded(np.dstack([PIXELS, np.full((24, 32), 255, np.uint8)]))) == NOTHING


def test_sixteen_bit_colour_is_rescaled() -> None:
    """Case 8: Pillow reads it as 8 bits on its own."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + (PIXELS[y].astype(">u2") * 257).tobytes() for y in range(24))
    head = struct.pack(">IIBBBBB", 32, 24, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decoded(data), PIXELS)
    assert remarks(data) == Remarks.RESCALED


def test_float_shares_are_rescaled() -> None:
    """Case 9."""
    assert remarks(encoded(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8), "TIFF")) == Remarks.RESCALED


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turned_tiff_is_turned_once(orientation: int) -> None:
    """Case 12: Pillow turns this format itself."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    for compression in ("raw", "tiff_lzw"):
        data = encoded(PIXELS, "TIFF", exif=exif, compression=compression)
        np.testing.assert_array_equal(decoded(data), np.rot90(PIXELS, {3: 2, 6: -1}[orientation]))
        assert remarks(data) == Remarks.TURNED


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP", "JPEG"])
def test_a_constant_image_is_kept_and_said(form: str) -> None:
    """Case 20; an image whose corners and middle agree is not constant."""
    image = Image.new("L", (40, 30), 90)
    assert remarks(encoded(image, form)) == Remarks.CONSTANT
    image.putpixel((3, 20), 200)
    assert remarks(encoded(image, form)) == NOTHING


def test_the_content_decides_not_the_name() -> None:
    """Cases 5 and 6: nobody tells `decode` a name. Case 21 and 22, grey and mixed sizes, all come out as RGB."""
    for data in one_of_each().values():
        assert decode(data).mode == "RGB"


# -- printing colours, wide gamuts


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


# -- formats that are named


def heic(brand: bytes = b"heic") -> bytes:
    return struct.pack(">I4s4sI", 24, b"ftyp", brand, 0) + b"mif1" + brand + bytes(200)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<SVG xmlns='http://www.w3.org/2000/svg'/>", rules.DRAWING),
        (b"\xef\xbb\xbf<svg></svg>", rules.DRAWING),
        (b"<?xml version='1.0'?><!DOCTYPE html><html></html>", rules.WEB_PAGE),
        (b"<?xml version='1.0'?><note/>", rules.NOT_AN_IMAGE),
        (b"%PDF-1.4\n1 0 obj", rules.DOCUMENT),
        (b"\n%PDF-1.4\n1 0 obj", rules.DOCUMENT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n(x) show", rules.DOCUMENT),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", rules.POINTER),
        (bytes(128) + b"DICM\2\0\0\0UL\4\0" + bytes(100), rules.DICOM),
        (b"FUJIFILMCCD-RAW 0201" + bytes(100), rules.RAW),
        (b"IIRO\x08\0\0\0" + bytes(100), rules.RAW),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(100), rules.RAW),
        (struct.pack(">I4s4sI", 24, b"ftyp", b"crx ", 1) + b"crx isom" + bytes(100), rules.RAW),
        (struct.pack(">I4s4sI", 24, b"ftyp", b"isom", 1) + b"isommp42" + bytes(100), rules.NOT_AN_IMAGE),  # a film
        (b"\x89PNG\r\n\x1a\n" + bytes(100), rules.CUT_SHORT),
    ],
)
def test_what_is_no_image_is_named(data: bytes, reason: str) -> None:
    """Cases 4, 14 and 15."""
    assert refused(data) == reason


@pytest.mark.parametrize("tags", [{50706: b"\1\4\0\0"}, {254: 1, 330: 8}], ids=["DNG", "NEF"])
def test_the_thumbnail_in_a_raw_file_is_not_the_photo(tags: dict[int, Any]) -> None:
    """Case 14: Pillow opens these as TIFF."""
    assert refused(encoded(PIXELS, "TIFF", tiffinfo=tags)) == rules.RAW


def test_heic_names_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 14."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert refused(heic()) == refused(heic(b"mif1")) == rules.HEIC
    assert "pip install pillow-heif" in rules.HEIC


def test_heic_is_read_where_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 14, with a stand-in for pillow-heif."""
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))

    def opened(stream: Any, name: Any) -> Image.Image:
        if b"broken" in stream.getvalue():
            raise SyntaxError("broken")
        return Image.open(io.BytesIO(encoded(PIXELS)))

    module = types.ModuleType("pillow_heif")
    module.register_heif_opener = lambda: Image.register_open(
        "HEIF", opened, lambda prefix: prefix[4:12] == b"ftypheic"
    )  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", module)
    for _ in range(2):
        np.testing.assert_array_equal(decoded(heic()), PIXELS)
    assert refused(heic() + b"broken") == rules.CUT_SHORT


def test_avif(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 14: read by Pillow from 11.3 on, where its builder had the library."""
    if rules.features.check("avif"):
        assert decoded(encoded(SMOOTH, "AVIF")).shape == SMOOTH.shape
    monkeypatch.setattr(rules.features, "check", lambda name: False)
    assert refused(heic(b"avif")) == rules.AVIF
    monkeypatch.setattr(rules.features, "check", lambda name: True)
    assert refused(heic(b"avif")) == rules.CUT_SHORT


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


# -- damage that decodes


def scan_of(data: bytes) -> int:
    return data.index(b"\xff\xda") + 14


def photo_jpeg(**options: Any) -> bytes:
    return encoded(shape("disc", (320, 240), np.random.default_rng(1)), "JPEG", quality=85, **options)


ENCODERS: list[dict[str, Any]] = [
    {},
    {"optimize": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 7, "subsampling": 0},
]


@pytest.mark.parametrize("options", ENCODERS, ids=str)
def test_fifty_zeroed_bytes_in_a_jpeg_are_noticed(options: dict[str, Any]) -> None:
    """Case 2: such a file opens, verifies and loads."""
    data = photo_jpeg(**options)
    for place in np.linspace(scan_of(data) + 100, len(data) - 200, 20).astype(int):
        damaged = data[:place] + bytes(50) + data[place + 50 :]
        assert remarks(damaged) == Remarks.SUSPECT


def test_most_lost_or_repeated_bytes_in_a_jpeg_are_noticed() -> None:
    """Case 2: the blocks are too few, or too many."""
    data, noticed = photo_jpeg(), []
    for place in np.linspace(scan_of(data) + 50, len(data) - 600, 40).astype(int):
        for damaged in (data[:place] + data[place + 300 :], data[: place + 300] + data[place:]):
            try:
                noticed.append(bool(remarks(damaged) & Remarks.SUSPECT))
            except Undecodable:  # the seam happens to look like a marker
                noticed.append(True)
    assert np.mean(noticed) > 0.8


def test_a_marker_inside_a_scan_is_noticed() -> None:
    """Case 2: the rest of the image is grey."""
    for options in ENCODERS:
        data = photo_jpeg(**options)
        for marker in (b"\xff\xd9", b"\xff\xd5", b"\xff\xd0\xff\xd0"):
            damaged = data[: len(data) // 2] + marker + data[len(data) // 2 + len(marker) :]
            try:
                assert remarks(damaged) & Remarks.SUSPECT
            except Undecodable as error:
                assert error.reason == rules.CUT_SHORT


def test_damage_between_progressive_scans_is_noticed() -> None:
    """Case 2."""
    data = photo_jpeg(progressive=True)
    places = [k for k in range(scan_of(data), len(data) - 1) if data[k : k + 2] == b"\xff\xda"]
    assert len(places) > 4
    for place in places:
        try:
            assert remarks(data[:place] + b"\xff\x4f" + data[place + 2 :]) & Remarks.SUSPECT
        except Undecodable as error:
            assert error.reason == rules.CUT_SHORT


@pytest.mark.parametrize(
    "behind",
    [b"", b"\0" * 5000, b"\xff" * 9, b"a film " * 900, photo_jpeg()],
    ids=["nothing", "zeros", "ones", "text", "a jpeg"],
)
@pytest.mark.parametrize("options", [*ENCODERS, {"progressive": True}], ids=str)
def test_a_healthy_jpeg_is_never_suspected(options: dict[str, Any], behind: bytes) -> None:
    """Case 2: with something behind its end, all black below, plain, tiny, grey, of many colours."""
    random = np.random.default_rng(4)
    images = [shape(kind, size, random) for kind in ("disc", "bars") for size in ((320, 240), (17, 33), (8, 8), (7, 5))]
    images += [Image.new("RGB", (90, 70), color) for color in ("black", "white", (128, 128, 128), (10, 200, 90))]
    images[0].paste((0, 0, 0), (0, 100, 320, 240))
    images[1].paste((128, 128, 128), (10, 10, 17, 33))
    for image in images:
        for mode in ("RGB", "L", "CMYK"):
            data = encoded(
                image.convert(mode), "JPEG", **{k: v for k, v in options.items() if k != "subsampling" or mode != "L"}
            )
            for at_least in (0, 20):
                assert not remarks(data + behind, at_least) & Remarks.SUSPECT


def test_a_wrong_checksum_in_a_png_is_noticed() -> None:
    """Case 2: Pillow skips those of the pixels."""
    data = encoded(PIXELS)
    place = data.index(b"IDAT")
    end = place + 4 + int.from_bytes(data[place - 4 : place], "big")
    assert remarks(data[:end] + b"\0\1\2\3" + data[end + 4 :]) == Remarks.SUSPECT
    assert remarks(data[:-12]) == Remarks.SUSPECT  # no end
    assert remarks(data + b"behind") == NOTHING


# -- damage


def mutated(count: int) -> Iterator[bytes]:
    """Files of several formats, cut, flipped, overwritten, lengthened and spliced at random."""
    rng = np.random.default_rng(20261121)
    palette = Image.fromarray(PIXELS).quantize(16)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * 50
    grey16 = (PIXELS[..., 0].astype(np.uint16) << 8) + 3
    sources = [
        encoded(PIXELS, "JPEG", exif=exif),
        encoded(PIXELS, "JPEG", progressive=True),
        encoded(PIXELS),
        encoded(palette, transparency=2),
        encoded(grey16),
        encoded(PIXELS, "TIFF", compression="tiff_lzw"),
        encoded(PIXELS[..., 0].astype(np.float32), "TIFF"),
        encoded(palette, "GIF"),
        encoded(PIXELS, "WEBP", exif=exif),
        encoded(PIXELS, "BMP"),
        encoded(PIXELS, "TGA"),
        encoded(PIXELS, "ICO"),
        encoded(PIXELS, "PPM"),
    ]
    for k in range(count):
        data = bytearray(sources[k % len(sources)])
        for _ in range(int(rng.integers(1, 8))):
            kind, place = rng.integers(0, 5), int(rng.integers(0, max(1, len(data))))
            if kind == 0:
                del data[place:]
            elif kind == 1 and data:
                data[place % len(data)] ^= 1 << int(rng.integers(0, 8))
            elif kind == 2:
                data[place : place + 20] = rng.integers(0, 256, 20, dtype=np.uint8).tobytes()
            elif kind == 3:
                data[place:place] = data[: int(rng.integers(0, 60))]
            else:
                data[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"])
        yield bytes(data)


def test_damaged_files_are_decoded_or_refused_and_nothing_else(times: int) -> None:
    usable = 0
    for data in mutated(300 if times == 1 else 2000):
        for read in (decode, header):
            try:
                found = read(data)
            except Undecodable as error:
                assert error.reason in rules.REASONS
            else:
                usable += isinstance(found, tuple) or (found.mode == "RGB" and np.asarray(found).dtype == np.uint8)
    assert usable > 100  # the mutations are not all fatal


def test_damaged_files_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for data in mutated(150):
            with contextlib.suppress(Undecodable):
                decode(data)
    assert [str(w.message) for w in said] == []
    assert capfd.readouterr().out == ""


def test_threads_leave_the_warnings_of_the_caller_as_they_were() -> None:
    before, files = list(warnings.filters), list(mutated(60))

    def read(data: bytes) -> None:
        with contextlib.suppress(Undecodable):
            decode(data)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, files * 5))
    assert warnings.filters == before


def test_the_first_to_leave_does_not_let_the_others_speak() -> None:
    with quiet_libraries:
        with quiet_libraries:
            pass
        warnings.warn("nobody hears this", stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_words_about_a_reason_are_marked_for_translation() -> None:
    assert len(set(rules.REASONS)) == 16
    assert set(REMARK_WORDS) == set(Remarks) and sum(Remarks) < 65536  # each has its words, and all fit in uint16
