"""A file that Pillow has opened → its pixels in memory, and facts about it: how the camera was held, whether there are
more frames, whether there are signs of damage.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from limpide.data.decoding.corruption import Jpeg, png_is_damaged
from limpide.data.decoding.deep_values import in_native_order
from limpide.system.quiet_libraries import quiet_libtiff


def load_pixels(image: Image.Image, data: bytes, at_least: int, look: bool) -> bool:
    """Decodes the pixels. Returns whether the file looks damaged if `look` asks for it, which changes no pixel."""
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
    except Exception:  # a file that decodes stays usable if the check for damage fails
        return False


def _watch_jpeg(image: Any) -> Jpeg | None:
    """None if another version of Pillow lacks these internals."""
    try:
        return Jpeg(image, image.fp.getvalue())
    except Exception:
        return None


def read_orientation(image: Image.Image) -> int | None:
    """The orientation as the camera noted it; None if it cannot be read, which does not make the image unusable. In a
    PNG it may come after the pixels.
    """
    if image.format == "PNG":
        image.load()
    try:
        return image.getexif().get(0x0112)
    except Exception:
        return None


def is_animated(image: Image.Image) -> bool:
    if image.format in ("JPEG", "MPO"):  # a photo is followed by its preview or its depth map
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # damaged after the first frame, which is the only one used
        return True
