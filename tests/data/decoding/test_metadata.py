"""Whatever a file says beside its pixels, and however much: the picture is used, and the limits of the decoder stay as
they are.
"""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from limpide.data.decoding.decode import Remarks, decode, decode_with_remarks, header
from limpide.data.decoding.metadata import MAX_PROFILE_BYTES, without_notes
from tests.make_images import encoded, profile

PIXELS = np.dstack([np.add.outer(np.arange(40) * k, np.arange(48)) % 256 for k in (1, 2, 3)]).astype(np.uint8)
PNG, JPEG = encoded(PIXELS), encoded(PIXELS, "JPEG")
MUCH = b"y" * 3_000_000
TURNED = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"  # a quarter turn


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(*chunks: bytes, behind: bool = False) -> bytes:
    place = len(PNG) - 12 if behind else 33
    return PNG[:place] + b"".join(chunks) + PNG[place:]


def jpeg(marker: int, content: bytes) -> bytes:
    return JPEG[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + JPEG[2:]


NOTES: dict[str, tuple[bytes, ...]] = {
    "a compressed text of 3 MB": (chunk(b"zTXt", b"workflow\0\0" + zlib.compress(MUCH)),),
    "an international text of 3 MB": (chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(MUCH)),),
    "70 MB of plain text": tuple(chunk(b"tEXt", b"part %d\0" % k + MUCH) for k in range(24)),
    "XMP of 3 MB": (chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(MUCH)),),
    "EXIF of 3 MB in a text": (chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(MUCH)),),
    "EXIF in a text that is none": (chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  4\nzz"),),
    "a text compressed in another way": (chunk(b"zTXt", b"workflow\0\5abc"),),
    "a preview of a painting program": (chunk(b"prVw", MUCH),),
    "a profile that is too large": (chunk(b"iCCP", b"huge\0\0" + zlib.compress(bytes(MAX_PROFILE_BYTES + 1))),),
    "a profile compressed in another way": (chunk(b"iCCP", b"odd\0\1" + zlib.compress(b"abc")),),
    "an empty profile": (chunk(b"iCCP", b""),),
    "EXIF that is none": (chunk(b"eXIf", b"garbage"),),
    "EXIF that is cut": (chunk(b"eXIf", b"II*\0"),),
    **{f"{name.decode()} that is cut": (chunk(name, b""),) for name in (b"gAMA", b"pHYs", b"cHRM", b"sRGB", b"tIME")},
}


@pytest.mark.parametrize("behind", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("name", NOTES)
def test_a_png_is_sound_whatever_is_written_beside_its_pixels(name: str, behind: bool) -> None:
    data = png(*NOTES[name], behind=behind)
    assert header(data) == (48, 40, "RGB")
    image, remarks = decode_with_remarks(data)
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert remarks == Remarks(0)


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed"),
        (0xEE, b"Adobe"),
        (0xE0, b"JFIF\0"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"MPF\0garbage"),
        (0xE1, TURNED[:10]),
    ],
)
def test_a_jpeg_is_sound_whatever_is_written_beside_its_pixels(marker: int, content: bytes) -> None:
    image, remarks = decode_with_remarks(jpeg(marker, content))
    np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(JPEG)))
    assert remarks == Remarks(0)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("WEBP", {"xmp": MUCH}),
        ("WEBP", {"exif": b"garbage"}),
        ("GIF", {"comment": MUCH}),
        ("TIFF", {"tiffinfo": {270: "y" * 3_000_000}}),
    ],
)
def test_other_formats_too(form: str, options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(
        np.asarray(decode(encoded(PIXELS, form, **options))), np.asarray(decode(encoded(PIXELS, form)))
    )


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"eXIf", TURNED[6:]),
        chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b'<x tiff:Orientation="6"/>')),
        chunk(
            b"zTXt",
            b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n%8d\n" % len(TURNED) + TURNED.hex().encode()),
        ),
    ],
    ids=["EXIF", "XMP", "compressed XMP", "EXIF in a text"],
)
@pytest.mark.parametrize("behind", [False, True])
def test_the_orientation_is_found_wherever_it_is_noted(note: bytes, behind: bool) -> None:
    image, remarks = decode_with_remarks(png(note, *NOTES["a compressed text of 3 MB"], behind=behind))
    np.testing.assert_array_equal(np.asarray(image), np.rot90(PIXELS, -1))
    assert remarks == Remarks.TURNED


def test_a_profile_larger_than_pillow_takes_is_used() -> None:
    large = profile() + bytes(3_000_000)
    assert (
        decode(png(chunk(b"iCCP", b"p\0\0" + zlib.compress(large)))).tobytes()
        == decode(encoded(PIXELS, icc_profile=profile())).tobytes()
        != PIXELS.tobytes()
    )


@pytest.mark.parametrize("keyword", [b"comment", b"XML:com.adobe.xmp"])
def test_a_bomb_is_never_unpacked(keyword: bytes) -> None:
    data = png(*[chunk(b"iTXt", keyword + b"\0\1\0\0\0" + zlib.compress(bytes(80_000_000)))] * 3)
    tracemalloc.start()
    try:
        decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000  # bytes
    assert PngImagePlugin.MAX_TEXT_CHUNK == 1 << 20 and not ImageFile.LOAD_TRUNCATED_IMAGES, (
        "the limits of Pillow stay on"
    )


def test_a_wrong_checksum_of_a_text_is_a_sign_of_damage() -> None:
    text = chunk(b"tEXt", b"title\0a")
    image, remarks = decode_with_remarks(png(text[:-1] + bytes([text[-1] ^ 1])))
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert remarks == Remarks.SUSPECT


def test_transparency_and_animation_are_no_notes() -> None:
    palette = Image.fromarray(PIXELS).quantize(8)
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    for data in (
        encoded(palette, transparency=1),
        encoded(frames[0], save_all=True, append_images=frames[1:]),
        JPEG,
        b"",
        b"\x89PNG",
    ):
        assert without_notes(data) == (data, None)
    assert decode_with_remarks(encoded(frames[0], save_all=True, append_images=frames[1:]))[1] == Remarks.FIRST_FRAME
