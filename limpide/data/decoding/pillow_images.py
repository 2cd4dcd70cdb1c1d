"""An image that Pillow has already opened, by the rule of `decode.py`: the same pixels as from its file.

If the image was not changed since, its file is read again from where it was opened, so that a large JPEG is decoded at
the same fraction and no bit is lost that Pillow does not keep. If the image was changed, or never had a file, its
current pixels go through the steps that follow decoding: rotated upright as noted, laid over white, converted to 8
bits, to sRGB and RGB. One difference remains: a large JPEG that was loaded from a stream, or changed, is no longer
decoded at a fraction.
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

_reading = threading.Lock()  # threads that share an image share its position in the file


def decode_opened(
    image: Image.Image, at_least: int = 0, value_range: Span | None = None
) -> tuple[Image.Image, Remarks]:
    """The RGB image, and remarks on it; `image` stays as it is. at_least, value_range: as in `decode`. Raises
    Undecodable.
    """
    data = file_of(image)
    return (
        decode_with_remarks(data, at_least, value_range, look=False)
        if data is not None
        else image_from_array(load_opened(image), value_range)
    )


def load_opened(image: Image.Image) -> Image.Image:
    """A copy with its pixels in memory, of the current frame. Raises Undecodable for a closed or damaged image."""
    try:
        with _reading:
            return image.copy()
    except Exception as error:
        raise Undecodable(UNREADABLE) from error


def file_of(image: Image.Image) -> bytes | None:
    """The bytes of the file that this image shows unchanged; None if there is none. The call does not load the
    image.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.tell() != 0:
        return None
    with contextlib.suppress(Exception):  # closed, moved away, or of a kind that reads in another way
        waits = getattr(image, "_im", image) is None  # opened and not loaded yet
        if waits:
            data = _read_whole(image.fp)
        else:
            data = Path(os.fsdecode(image.filename)).read_bytes() if image.filename else b""
        if data and _state(Image.open(io.BytesIO(data)), not waits) == _state(image, not waits):
            return data
    return None


def path_of(image: Image.Image) -> Path | None:
    """The path of the file that this image was opened from, if the file still exists and the image shows it unchanged;
    else None.
    """
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
    """The state of the picture: with its pixels, or only its metadata."""
    palette = image.palette
    if pixels:
        image.load()
        return image.mode, image.size, image.info, image.getpalette(), image.tobytes()
    return image.mode, image.size, image.info, palette and (palette.rawmode, bytes(palette.palette))
