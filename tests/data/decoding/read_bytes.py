"""What becomes of the bytes of a file: pixels, remarks, or a reason."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from limpide.data.decoding import decode as rules
from limpide.data.decoding.decode import Remarks, Undecodable, decode, decode_with_remarks

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


def remarks(data: bytes, at_least: int = 0) -> Remarks:
    """What `examined` says; its image is that of `decode`."""
    image, found = decode_with_remarks(data, at_least)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(data, at_least)))
    return found


NOTHING = Remarks(0)
