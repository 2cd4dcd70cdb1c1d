"""Signs of damage in a file that can still be decoded: libjpeg warns of some, but Pillow does not pass the
warnings on.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import numpy as np
from PIL import Image

from limpide.data.decoding.metadata import chunks

_END = b"\xff\xd9"
_ZEROS = bytes(32)
_READ = 1 << 16  # bytes, about what Pillow passes to the decoder at once
_PIECE = 1 << 17  # bytes, so that intermediate arrays stay in the processor's cache
# Meaning of all zero bits in the brightness: in a table of its own segment, or in the standard one (T.81, table K.5).
_FIRST_CODE = re.compile(
    rb"(?:\xff\xc4..\x10.{16}|" + re.escape(b"\x10" + bytes.fromhex("0002010303020403050504040000017d")) + rb")(.)",
    re.DOTALL,
)


class Jpeg:
    """A JPEG that Pillow has opened and is about to decode.

    If it has one scan, the decoder is given all but the last bytes, then these: if it needs none of them, it was given
    more blocks than the image has. The bytes are fed in this way with or without a check for damage, as the result of
    libjpeg for broken bits depends on how they are fed.
    """

    def __init__(self, image: Any, data: bytes) -> None:
        self._image, self._data, self._stream = image, data, image.fp
        self._width, self._height = image.size
        # Pillow is behind the header of the scan, or at 0 in an MPO
        start = self._start = image.fp.tell() or _first_scan(data)
        several = "progressive" in image.info or data[max(0, start - 4 - 2 * image.layers)] != image.layers
        self._several = several
        # arithmetic coding cannot be fed in pieces
        self._whole = several or data.find(b"\xff\xc9", max(0, start - 500), start) >= 0
        if not self._whole:
            # the usual case; otherwise, see below
            self._end = data.rfind(_END, max(start, len(data) - 4096)) if image.format == "JPEG" else -1
            if self._end < 0:
                self._end = _end_of_scan(data, start)[0]
            near = self._near(self._end)
            pieces = near // _READ + 1
            image.decodermaxblock, self._bytes_fed = near // pieces, near - near % pieces

    def is_damaged(self) -> bool:
        if self._whole:
            return self._several and _scans_are_damaged(self._data, self._start)
        end, closed, restarts = _end_of_scan(self._data, self._start)
        if not closed or restarts != self._restarts():
            return True
        if self._stream.tell() <= self._bytes_fed if end == self._end else _suffices(self._data[: self._near(end)]):
            return True
        corner = self._image.getpixel((self._image.width - 1, self._image.height - 1))
        # the colour in which libjpeg paints missing blocks
        grey = {127, 128}.issuperset(corner if isinstance(corner, tuple) else (corner,))
        if grey and not _suffices(self._data[:end] + b"\xff\0" * 9):  # libjpeg looks ahead by less
            return True
        return self._zeros_mean_detail() and self._data.find(_ZEROS, self._start, end) >= 0

    def _near(self, end: int) -> int:
        tail = self._data[max(self._start, end - 512) : end]
        return max(self._start, end - 16 - len(tail) + len(tail.rstrip(b"\0\xff")))  # some cameras pad with these

    def _restarts(self) -> int:
        """The number of restart markers that the scan should hold."""
        place = self._data.rfind(b"\xff\xdd\0\4", max(0, self._start - 2000), self._start)
        interval = int.from_bytes(self._data[place + 4 : place + 6], "big") if place >= 0 else 0
        if not interval:
            return 0
        wide, high = (
            8 * max([layer[k] for layer in self._image.layer]) if self._image.layers > 1 else 8 for k in (1, 2)
        )
        return (-(-self._width // wide) * -(-self._height // high) - 1) // interval

    def _zeros_mean_detail(self) -> bool:
        """Whether zero bits are read as value after value of fine detail; in other files they may encode a plain
        surface.
        """
        code = _FIRST_CODE.search(self._data, max(0, self._start - 2000), self._start)
        return code is not None and code[1] != b"\0"


def _suffices(data: bytes) -> bool:
    """Whether these bytes are enough to decode all rows of a JPEG."""
    image = Image.open(io.BytesIO(data))
    image.draft(None, (1, 1))
    try:
        image.load()
    except OSError:
        return False
    return True


def _first_scan(data: bytes) -> int:
    place, marker = 2, 0
    while marker != 0xDA and place + 4 <= len(data):
        marker = data[place + 1]
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return min(place, len(data))


def _end_of_scan(data: bytes, start: int) -> tuple[int, bool, int]:
    """The position of the first marker that is not a restart, whether it is the end of the image, and the number of
    restarts before it.
    """
    met = 0
    for place in range(start, len(data) - 1, _PIECE):
        piece = np.frombuffer(data, np.uint8, min(_PIECE + 1, len(data) - place), place)
        marks = np.flatnonzero((piece[:-1] == 0xFF) & (piece[1:] != 0))
        for at, kind in zip(marks.tolist(), piece[marks + 1].tolist()):
            if kind & 0xF8 == 0xD0:
                met += 1
            elif kind != 0xFF:
                return place + at, kind == 0xD9, met
    return len(data), False, met


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_BETWEEN_SCANS = frozenset((0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)))


def _scans_are_damaged(data: bytes, start: int) -> bool:
    """Progressive JPEG: something invalid is between two scans, or the first scan of some fine detail holds only zeros
    for a while.
    """
    detail = True
    while match := _MARKER.search(data, start):
        place, marker = match.start(), data[match.start() + 1]
        if detail and data[start - 3] > 0 and data[start - 1] < 16 and data.find(_ZEROS, start, place) >= 0:
            return True
        if marker == 0xD9:
            return False
        if marker not in _BETWEEN_SCANS or place + 4 > len(data):
            return True
        start = min(len(data), place + 2 + int.from_bytes(data[place + 2 : place + 4], "big"))
        detail = marker == 0xDA
    return True


def png_is_damaged(data: bytes) -> bool:
    """Whether the checksum of a chunk is wrong, or the end is missing. (Pillow does not check the checksums of the
    pixels.)
    """
    view = memoryview(data)
    for name, place, end in chunks(data):
        if name == b"IEND":
            return False
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return True
    return True
