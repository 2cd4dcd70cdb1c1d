"""Bytes of an image file → 8-bit RGB, by one declared rule for training, evaluation and serving.

In order: the format is read from the content, never from the name · a large JPEG may be decoded at 1/2, 1/4 or 1/8 as
long as both sides keep `at_least` pixels · the first frame of several · EXIF rotation is applied · 16-bit, 32-bit and
float values are rescaled linearly, never clipped · transparency is laid over white · CMYK, palette and grey become RGB.
"""

from __future__ import annotations

import io
import threading
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from limpide.language import N_

SMALLEST_SIDE = 4  # pixels
LONGEST_RATIO = 50  # longer side to shorter side

# Why a file is left out, as msgids: stored in excluded.csv and worded in the report.
EMPTY = N_("the file is empty")
WEB_PAGE = N_("it is a web page, not an image")
NOT_AN_IMAGE = N_("its content is no image format that can be read here")
CUT_SHORT = N_("the file is cut short or damaged")
TOO_SMALL = N_("the image is too small or too thin")
TOO_LARGE = N_("the image has more than 179 million pixels")
NOT_FINITE = N_("it holds values that are not numbers")
TOO_MANY_CHANNELS = N_("it has more channels than red, green, blue and transparency")
UNREADABLE = N_("the file cannot be opened")
REASONS = (EMPTY, WEB_PAGE, NOT_AN_IMAGE, CUT_SHORT, TOO_SMALL, TOO_LARGE, NOT_FINITE, TOO_MANY_CHANNELS, UNREADABLE)


class Undecodable(Exception):
    """This file is no usable image; the argument is one of REASONS."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


class _Hushed:
    """Within it, Pillow's warnings (a large image, junk in EXIF, a truncated tag) are not printed: the answer is ours.

    `warnings.catch_warnings` restores what it found, which is wrong when threads overlap: here the last one to leave does.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._found = threading.Lock(), 0, warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._found = warnings.catch_warnings()
                self._found.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._found.__exit__(None, None, None)


_hushed = _Hushed()


def decode(data: bytes, at_least: int = 0) -> Image.Image:
    """The RGB image in `data`. `at_least` > 0 allows a JPEG to be decoded smaller (see above).

    Raises Undecodable with the reason.
    """
    try:
        with _hushed:
            image = _opened(data)
            if at_least:
                image.draft(None, (at_least, at_least))  # pixels; does nothing for formats other than JPEG
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except Undecodable:
        raise
    except MemoryError:
        raise Undecodable(TOO_LARGE) from None
    except Exception as error:  # Pillow's decoders raise many kinds for a damaged file
        raise Undecodable(CUT_SHORT) from error


def header(data: bytes) -> tuple[int, int, str]:
    """(width, height, mode) without decoding the pixels. Raises Undecodable."""
    with _hushed:
        image = _opened(data)
    return image.width, image.height, image.mode


def _opened(data: bytes) -> Image.Image:
    if not data:
        raise Undecodable(EMPTY)
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError:
        raise Undecodable(TOO_LARGE) from None
    except UnidentifiedImageError:
        start = data[:512].lstrip().lower()
        raise Undecodable(WEB_PAGE if start.startswith((b"<!doctype html", b"<html", b"<head")) else NOT_AN_IMAGE) from None
    except Exception as error:
        raise Undecodable(CUT_SHORT) from error
    short, long = sorted(image.size)
    if short < SMALLEST_SIDE or long > LONGEST_RATIO * short:
        raise Undecodable(TOO_SMALL)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_rescaled(np.asarray(image), image.mode))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _rescaled(values: np.ndarray, mode: str) -> np.ndarray:
    """16-bit: 65535 becomes 255. 32-bit and float: [0, 1] or [0, 255] or [0, 65535] if they fit, else the image's own range."""
    if values.ndim != 2:
        raise Undecodable(TOO_MANY_CHANNELS)
    if mode.startswith("I;16"):
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise Undecodable(NOT_FINITE)
    low, high = float(values.min()), float(values.max())
    ceilings = (1.0, 255.0, 65535.0) if mode.startswith("F") else (255.0, 65535.0)
    if low >= 0 and high <= ceilings[-1]:
        low, high = 0.0, next(ceiling for ceiling in ceilings if high <= ceiling)
    return np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
