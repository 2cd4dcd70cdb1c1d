"""Data in a file besides its pixels: texts, dates, previews, profiles. They may be more than a decoder takes, or be
broken, while the picture is sound: a limit of a decoder is not damage. So they are left out before the pixels are
decoded.

The data that the rule of `decode.py` needs stay: the orientation, wherever it is noted, and the colour profile. No
limit of Pillow is raised or switched off: data that it would refuse to unpack are never unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MAX_PROFILE_BYTES = 1 << 24  # bytes; profiles of scanners and printers take up to 4 MB
MAX_TEXT_BYTES = 1 << 20  # bytes, as in Pillow

# besides all chunks whose name begins with a capital letter (PNG, section 5.4)
_NEEDED = frozenset((b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"))
_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_ORIENTATION_IN = frozenset((b"XML:com.adobe.xmp", b"Raw profile type exif"))  # keywords of texts
# bytes, including the length field, of the application segments that a JPEG decoder reads: JFIF, ICC, Adobe
_SHORTEST = {b"\xe0": 16, b"\xe2": 16, b"\xee": 14}


def without_notes(data: bytes) -> tuple[bytes, bytes | None]:
    """(a PNG without the chunks that its pixels do not need, the colour profile that was taken out); any other file is
    returned unchanged.
    """
    pieces, start, profile = [], 0, None
    for name, place, end in chunks(data):
        content = data[place + 8 : end - 4] if name == b"iCCP" or name in _TEXTS else b""
        if name[:1].isupper() or name in _NEEDED or (name in _TEXTS and _says_the_orientation(name, content)):
            continue
        if name == b"iCCP":
            profile = _read_profile(content)
        pieces.append(data[start:place])
        start = end
    return (b"".join((*pieces, data[start:])), profile) if pieces else (data, None)


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, end) of each complete chunk of a PNG; no chunks for any other file."""
    place = len(PNG)
    while data.startswith(PNG) and place + 12 <= len(data):
        name, end = data[place + 4 : place + 8], place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data) or not name.isalpha():
            return
        yield name, place, end
        place = end


def without_odd_segments(data: bytes) -> bytes:
    """A JPEG without the application segments and comments that no decoder needs, or that are too short to be what they
    claim.
    """
    pieces, place = [data[:2]], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] not in (0xDA, 0xFF):
        marker, end = data[place + 1 : place + 2], place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if (
            not (b"\xe0" <= marker <= b"\xef" or marker == b"\xfe")
            or marker == b"\xe1"
            or end - place - 2 >= _SHORTEST.get(marker, 1 << 16)
        ):
            pieces.append(data[place:end])
        place = end
    return b"".join((*pieces, data[place:]))


def _says_the_orientation(name: bytes, content: bytes) -> bool:
    keyword, _, text = content.partition(b"\0")
    if keyword not in _ORIENTATION_IN or len(content) > MAX_TEXT_BYTES:
        return False
    if name == b"iTXt" and text[:1] == b"\1":  # compressed · method · language · keyword in that language
        text = text[1:2] + text[2:].split(b"\0", 2)[-1]
    elif name != b"zTXt":
        return True
    return text[:1] == b"\0" and _unpack(text[1:], MAX_TEXT_BYTES) is not None


def _read_profile(content: bytes) -> bytes | None:
    """The colour profile of an iCCP chunk (PNG, section 11.3.2.3); None if it is broken, or too large to be one."""
    packed = content.partition(b"\0")[2]
    return _unpack(packed[1:], MAX_PROFILE_BYTES) if packed[:1] == b"\0" else None


def _unpack(packed: bytes, most: int) -> bytes | None:
    """The unpacked bytes; None if they are broken or more than `most`."""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, most)
    except zlib.error:
        return None
    return None if unpacking.unconsumed_tail else content
