"""Files that are no usable image: each is named, with its reason."""

from __future__ import annotations

import io
import struct
import sys
import types
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import REMARK_WORDS, Remarks, Undecodable, decode, header
from tests.data.decoding.read_bytes import PIXELS, SMOOTH, decoded, png_of, refused
from tests.make_images import encoded

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


def test_words_about_a_reason_are_marked_for_translation() -> None:
    assert len(set(rules.REASONS)) == 16
    assert set(REMARK_WORDS) == set(Remarks) and sum(Remarks) < 65536  # each has its words, and all fit in uint16
