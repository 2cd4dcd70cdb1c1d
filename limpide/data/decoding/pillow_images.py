"""An image that Pillow has opened already, by the rule of `decode.py`: the same pixels as its file gives.

Where nothing was changed since, it is its file: read again from where it was opened, so that a large JPEG is decoded at
the same fraction and no bit is lost that Pillow does not keep. Where something was changed, or it never had a file, its
pixels as they stand go through the steps that follow decoding: turned upright as noted, laid over white, brought to 8
bits, to sRGB and RGB. The one difference that remains: a large JPEG that was loaded from a stream, or changed, is no
longer decoded at a fraction.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile

from limpide.data.decoding.decode import UNREADABLE, Remarks, Undecodable, decode_with_remarks, image_from_array
from limpide.data.decoding.deep_values import Span

_reading = threading.Lock()  # threads that share an image share its place in the file


def decode_opened(
    image: Image.Image, at_least: int = 0, value_range: Span | None = None
) -> tuple[Image.Image, Remarks]:
    """The RGB image, and what is worth saying of it; `image` stays as it is. at_least, value_range: as in `decode`.
    Raises Undecodable.
    """
    data = file_of(image)
    return (
        decode_with_remarks(data, at_least, value_range, look=False)
        if data is not None
        else image_from_array(load_opened(image), value_range)
    )


def load_opened(image: Image.Image) -> Image.Image:
    """A copy with its pixels in memory, of the frame at which it stands. Raises Undecodable for a closed or damaged
    one.
    """
    try:
        with _reading:
            return image.copy()
    except Exception as error:
        raise Undecodable(UNREADABLE) from error


def file_of(image: Image.Image) -> bytes | None:
    """The bytes of the file that this image shows unchanged; None where there is none. It is not loaded by
    being asked.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.tell() != 0:
        return None
    with contextlib.suppress(Exception):  # closed, moved away, or of a kind that reads by other means
        waits = getattr(image, "_im", image) is None  # opened and not loaded yet
        if waits:
            data = _read_whole(image.fp)
        else:
            data = Path(os.fsdecode(image.filename)).read_bytes() if image.filename else b""
        if data and _state(Image.open(io.BytesIO(data)), not waits) == _state(image, not waits):
            return data
    return None


def path_of(image: Image.Image) -> Path | None:
    """The file that lies on the disk still, of an image that was opened by its path and shows it unchanged."""
    name = getattr(image, "filename", "")
    data = file_of(image) if name else None
    with contextlib.suppress(OSError):
        if data is not None and Path(os.fsdecode(name)).read_bytes() == data:
            return Path(os.fsdecode(name)).absolute()
    return None


def _read_whole(stream: Any) -> bytes:
    with _reading:
        place = stream.tell()
        stream.seek(0)
        try:
            return bytes(stream.read())
        finally:
            stream.seek(place)


def _state(image: Image.Image, pixels: bool) -> tuple[Any, ...]:
    """What makes up the picture: its pixels, too, or only what is said of them."""
    palette = image.palette
    if pixels:
        image.load()
        return image.mode, image.size, image.info, image.getpalette(), image.tobytes()
    return image.mode, image.size, image.info, palette and (palette.rawmode, bytes(palette.palette))
