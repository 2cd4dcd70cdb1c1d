"""Damaged files: noticed where they decode, refused where they do not, and nothing else."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import Remarks, Undecodable, decode, header
from limpide.system.quiet_libraries import quiet_libraries
from tests.data.decoding.read_bytes import NOTHING, PIXELS, remarks
from tests.make_images import encoded, shape

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
