"""What is worth saying of an image that is used."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from limpide.data.decoding.decode import Remarks, decode
from tests.data.decoding.read_bytes import NOTHING, PIXELS, decoded, remarks
from tests.make_images import encoded, one_of_each


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
