"""A file that Pillow has opened → its pixels in memory, and what it says of them: how the camera was held, whether
there are more frames, whether there are signs of damage.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from limpide.data.decoding.corruption import Jpeg, png_is_damaged
from limpide.data.decoding.deep_values import in_native_order
from limpide.system.quiet_libraries import quiet_libtiff


def load_pixels(image: Image.Image, data: bytes, at_least: int, look: bool) -> bool:
    """Decodes the pixels. Says whether the file looks damaged when asked to `look`, which changes no pixel."""
    if image.format not in ("JPEG", "MPO"):
        if image.format == "TIFF":
            quiet_libtiff()
            in_native_order(image)
        image.load()
        return look and image.format == "PNG" and png_is_damaged(data)
    jpeg = _watch_jpeg(image)
    if at_least and min(image.size) >= 2 * at_least:
        image.draft(None, (at_least, at_least))  # pixels
    image.load()
    try:
        return look and jpeg is not None and jpeg.is_damaged()
    except Exception:  # a file that decodes is not lost because looking for damage fails
        return False


def _watch_jpeg(image: Any) -> Jpeg | None:
    """None where another version of Pillow has no such insides."""
    try:
        return Jpeg(image, image.fp.getvalue())
    except Exception:
        return None


def read_orientation(image: Image.Image) -> int | None:
    """As the camera noted it; None where that cannot be read, which is no fault of the picture. Of a PNG it may stand
    behind the pixels.
    """
    if image.format == "PNG":
        image.load()
    try:
        return image.getexif().get(0x0112)
    except Exception:
        return None


def is_animated(image: Image.Image) -> bool:
    if image.format in ("JPEG", "MPO"):  # behind a photo lies its preview or its depth map
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # damaged behind the first frame, which is all that is used
        return True
