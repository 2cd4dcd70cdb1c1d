"""Whatever is in the file: an RGB image by the declared rule, or Undecodable with its reason. Nothing else, ever."""

from __future__ import annotations

import contextlib
import io
import struct
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

from limpide.data import decode as rules
from limpide.data.decode import Undecodable, decode, header

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
SMOOTH = np.dstack([np.add.outer(np.arange(240), np.arange(320)) % 256] * 3).astype(np.uint8) // 2 + 40


def encoded(image: Image.Image | np.ndarray, form: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, form, **options)
    return stream.getvalue()


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
    tags = [(256, 3, 4), (257, 3, 4), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 4), (279, 4, 32)]
    entries = b"".join(
        struct.pack(">HHI", tag, kind, 1) + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value)) for tag, kind, value in tags
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


def over_white(colour: int, alpha: int) -> int:
    return round(colour * alpha / 255 + 255 * (1 - alpha / 255))


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
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]])[np.arange(64).reshape(8, 8) % 3]
    np.testing.assert_array_equal(decoded(encoded(image)), colours)
    colours[np.arange(64).reshape(8, 8) % 3 == 1] = 255
    np.testing.assert_array_equal(decoded(encoded(image, transparency=1)), colours)
    np.testing.assert_array_equal(decoded(encoded(image, "GIF", transparency=1)), colours)


@pytest.mark.parametrize(("mode", "key", "other"), [("RGB", (255, 0, 0), (9, 8, 7)), ("L", 77, 9), ("1", 0, 255)])
def test_one_colour_declared_transparent_is_white(mode: str, key: Any, other: Any) -> None:
    image = Image.new(mode, (8, 8), key)
    image.paste(other, (0, 0, 4, 8))
    found = decoded(encoded(image, transparency=key))
    assert (found[:, 4:] == 255).all()
    np.testing.assert_array_equal(
        found[:, :4], np.broadcast_to(other, (8, 4, 3) if mode == "RGB" else (8, 4))[..., None].reshape(8, 4, -1).repeat(1 if mode == "RGB" else 3, 2)
    )


def test_one_bit() -> None:
    bits = np.indices((8, 8)).sum(0) % 2 == 0
    np.testing.assert_array_equal(decoded(encoded(bits)), (bits * 255).astype(np.uint8)[..., None].repeat(3, 2))


def test_lab_and_ycbcr_tiffs_become_rgb() -> None:
    assert decoded(encoded(Image.fromarray(PIXELS).convert("YCbCr"), "JPEG")).shape == PIXELS.shape
    lab = ImageCms.applyTransform(Image.fromarray(SMOOTH), ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"))
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
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
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
    assert refused(b"%PDF-1.7\n") == rules.NOT_AN_IMAGE
    assert refused(b'<svg xmlns="http://www.w3.org/2000/svg"/>') == rules.NOT_AN_IMAGE
    png = encoded(PIXELS)
    assert refused(png[:-60]) == rules.CUT_SHORT
    assert refused(encoded(PIXELS, "GIF")[:-80]) == rules.CUT_SHORT


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"  \n<HTML lang=en>", b"<head><title>404</title>"])
def test_a_web_page(page: bytes) -> None:
    assert refused(page) == rules.WEB_PAGE


@pytest.mark.parametrize(
    ("size", "usable"), [((1, 1), False), ((3, 3), False), ((4, 4), True), ((1, 5000), False), ((5000, 4), False), ((4, 200), True), ((4, 204), False)]
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


def test_text_that_unpacks_to_megabytes_is_refused() -> None:
    png = encoded(PIXELS)
    packed = b"comment\0\0" + zlib.compress(b"a" * 80_000_000)
    bomb = struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    assert refused(png[:33] + bomb + png[33:]) in (rules.CUT_SHORT, rules.TOO_LARGE)


def test_five_channels_are_refused_or_named() -> None:
    """An 8×8 TIFF with five samples a pixel, of which nobody says what they mean."""
    values = bytes(range(64)) * 5
    where = 8 + len(values)
    tags = [(256, 3, 8), (257, 3, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 5), (278, 3, 8), (279, 4, len(values))]
    entries = b"".join(struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value) for tag, kind, value in tags)
    assert refused(b"II\x2a\0" + struct.pack("<I", where) + values + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0") in (
        rules.NOT_AN_IMAGE,
        rules.TOO_MANY_CHANNELS,
        rules.CUT_SHORT,
    )


# -- decoding a large JPEG at reduced scale


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [(0, (240, 320)), (1000, (240, 320)), (121, (240, 320)), (120, (120, 160)), (61, (120, 160)), (60, (60, 80)), (30, (30, 40)), (8, (30, 40))],
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
    found = decode(encoded(Image.new("L", (width, height)), "JPEG"), at_least) if max(width, height) <= 50 * min(width, height) else None
    if found:
        assert min(found.size) >= min(width, height, at_least)


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
    with rules._hushed:
        with rules._hushed:
            pass
        warnings.warn("nobody hears this", stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_words_about_a_reason_are_marked_for_translation() -> None:
    assert len(set(rules.REASONS)) == 9
