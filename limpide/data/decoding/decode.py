"""Bytes of an image file → 8-bit RGB, by one declared rule for training, evaluation and serving.

In order: the format is read from the content, never from the name · a large JPEG may be decoded at 1/2, 1/4 or 1/8 as
long as both sides keep `at_least` pixels · only the first of several frames is used · EXIF rotation is applied · values
of more than 8 bits are rescaled linearly, by the value range of their data set (data/decoding/deep_values.py) or, where
none is given, by the limits of their type · transparency is laid over white · CMYK, palette and grey become RGB ·
colours of another profile than sRGB are converted to it. The Remarks of an image say which of these steps applied.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from limpide.data.decoding.color_profile import to_srgb
from limpide.data.decoding.deep_values import Layout, Span, Values, layout_of, values_of
from limpide.data.decoding.load_pixels import is_animated, load_pixels, read_orientation
from limpide.data.decoding.metadata import JPEG, PNG, without_notes, without_odd_segments
from limpide.system.quiet_libraries import quiet_libraries
from limpide.text.messages import N_

MIN_SIDE = 4  # pixels
MAX_ASPECT_RATIO = 50  # longer side to shorter side
MAX_CHANNELS = 4

# Why a file is left out, as msgids: stored in excluded.csv and translated in the report.
EMPTY = N_("the file is empty")
WEB_PAGE = N_("it is a web page, not an image")
DRAWING = N_("it is a drawing (SVG), not made of pixels: convert it to PNG")
DOCUMENT = N_("it is a PDF or PostScript document, not an image")
POINTER = N_("it is a Git LFS pointer in place of the image: run git lfs pull")
HEIC = N_("it is a HEIC photo: pip install pillow-heif makes it readable")
AVIF = N_("it is an AVIF image: pip install --upgrade pillow makes it readable")
RAW = N_("it is a camera raw file: convert it to JPEG or PNG")
DICOM = N_("it is a medical image (DICOM): convert it to PNG")
NOT_AN_IMAGE = N_("its content is not in an image format that can be read here")
CUT_SHORT = N_("the file is cut short or damaged")
TOO_SMALL = N_("the image is too small or too thin")
TOO_LARGE = N_("the image has more than 179 million pixels")
NOT_FINITE = N_("it holds values that are not numbers")
TOO_MANY_CHANNELS = N_("it has more channels than red, green, blue and transparency")
UNREADABLE = N_("the file cannot be opened")
REASONS = (
    *(EMPTY, WEB_PAGE, DRAWING, DOCUMENT, POINTER, HEIC, AVIF, RAW, DICOM, NOT_AN_IMAGE),
    *(CUT_SHORT, TOO_SMALL, TOO_LARGE, NOT_FINITE, TOO_MANY_CHANNELS, UNREADABLE),
)


class Remarks(enum.IntFlag):
    """Remarks on an image that is used. They fit in uint16."""

    FIRST_FRAME = 1
    RESCALED = 2
    SUSPECT = 4
    TURNED = 8
    TRANSPARENT = 16
    CMYK = 32
    WIDE_GAMUT = 64
    CONSTANT = 128
    CLIPPED = 256


# Each follows a count: "3 images …".
REMARK_WORDS = {
    Remarks.FIRST_FRAME: N_("animated or with several pages: the first frame or page is used"),
    Remarks.RESCALED: N_("of more than 8 bits per value: rescaled linearly to 8 bits"),
    Remarks.SUSPECT: N_("readable, but with signs of damage"),
    Remarks.TURNED: N_("turned upright, by the orientation that the camera recorded"),
    Remarks.TRANSPARENT: N_("transparent in places: laid over a white background"),
    Remarks.CMYK: N_("in printing colours (CMYK): converted to RGB"),
    Remarks.WIDE_GAMUT: N_("with a colour profile other than sRGB: converted to sRGB"),
    Remarks.CONSTANT: N_("of a single colour"),
    Remarks.CLIPPED: N_("with values outside the value range: clipped to it"),
}
_NOTHING = Remarks(0)
_TURNS = range(2, 9)  # EXIF orientations


class Undecodable(Exception):
    """This file is not a usable image; the argument is one of REASONS."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


def decode(data: bytes, at_least: int = 0, value_range: Span | None = None) -> Image.Image:
    """The RGB image in `data`. `at_least` > 0 allows a JPEG to be decoded smaller (see above).

    value_range: (low, high), the values that become 0 and 255 in images of more than 8 bits. Raises Undecodable with
    the reason.
    """
    return _decode(data, at_least, value_range, look=False)[0]


def decode_with_remarks(
    data: bytes, at_least: int = 0, value_range: Span | None = None, *, look: bool = True
) -> tuple[Image.Image, Remarks]:
    """The same image as `decode`, and remarks on it. look: also look for signs of damage, which takes time."""
    return _decode(data, at_least, value_range, look)


def stored_values(data: bytes) -> Values | None:
    """The values of an image of more than 8 bits as they are stored; None for an image of 8 bits. Raises
    Undecodable.
    """
    with _errors_as_undecodable():
        image = _open(data)
        if (layout := layout_of(image)) is None:
            return None
        load_pixels(image, data, 0, look=False)
        return _check_finite(values_of(image, layout))


def holds_more_than_8_bits(data: bytes) -> bool:
    """Whether an image holds more than 8 bits, from its header alone. Raises Undecodable."""
    with quiet_libraries:
        return layout_of(_open(data)) is not None


def _decode(data: bytes, at_least: int, value_range: Span | None, look: bool) -> tuple[Image.Image, Remarks]:
    with _errors_as_undecodable():
        image = _open(data)
        # Before loading, which loses both: how values are stored, and the orientation of a TIFF, which Pillow applies.
        layout = layout_of(image)
        sixteen = image.format in ("PNG", "TIFF") and ";16" in str(getattr(image, "tile", ""))
        orientation = read_orientation(image)
        damaged = load_pixels(image, data, at_least, look)
        animated = is_animated(image)
        rgb, remarks = _finish(image, layout, orientation in _TURNS, value_range)
        for applies, remark in (
            (damaged, Remarks.SUSPECT),
            (sixteen, Remarks.RESCALED),
            (animated, Remarks.FIRST_FRAME),
        ):
            if applies:
                remarks |= remark
        return rgb, remarks


def image_from_array(image: Image.Image, value_range: Span | None = None) -> tuple[Image.Image, Remarks]:
    """Applies the steps that follow decoding to an image whose pixels are in memory and need no longer be kept. Raises
    Undecodable.
    """
    with _errors_as_undecodable():
        _check_sides(image)
        return _finish(image, layout_of(image), read_orientation(image) in _TURNS, value_range)


def _finish(
    image: Image.Image, layout: Layout | None, turned: bool, value_range: Span | None
) -> tuple[Image.Image, Remarks]:
    """Applies the steps that a decoded image still needs. (`_to_rgb` reports whether values of more than 8 bits without
    a given range have changed.)
    """
    deep, clipped = bool(layout and value_range), False
    if layout and value_range:
        profile = image.info.get("icc_profile")
        image, clipped = _check_finite(values_of(image, layout, turned)).in_8_bits(value_range)
        image.info["icc_profile"] = profile
    elif turned:
        image = ImageOps.exif_transpose(image)
    rgb, remarks = _to_rgb(image)
    for applies, remark in ((turned, Remarks.TURNED), (deep, Remarks.RESCALED), (clipped, Remarks.CLIPPED)):
        if applies:
            remarks |= remark
    return rgb, remarks


@contextlib.contextmanager
def _errors_as_undecodable() -> Iterator[None]:
    """Turns every error within it into Undecodable; nothing is printed."""
    try:
        with quiet_libraries:
            yield
    except Undecodable:
        raise
    except MemoryError:
        raise Undecodable(TOO_LARGE) from None
    except Exception as error:  # Pillow's decoders raise many kinds for a damaged file
        raise Undecodable(CUT_SHORT) from error


def _check_finite(values: Values) -> Values:
    if values.colors.dtype.kind == "f" and not np.isfinite(values.colors).all():
        raise Undecodable(NOT_FINITE)
    return values


def header(data: bytes) -> tuple[int, int, str]:
    """(width, height, mode) without decoding the pixels. Raises Undecodable."""
    with quiet_libraries:
        image = _open(data)
    return image.width, image.height, image.mode


# -- the format


def _open(data: bytes) -> Image.Image:
    if not data:
        raise Undecodable(EMPTY)
    # Pillow would start Ghostscript, which runs the program in the file
    if data.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        raise Undecodable(DOCUMENT)
    try:
        image = _identify(data)
        if image.format == "TIFF":
            _check_tiff(image)
    except Undecodable:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise Undecodable(TOO_LARGE) from None
    except UnidentifiedImageError:
        raise Undecodable(_reason_unknown(data)) from None
    except Exception as error:
        raise Undecodable(CUT_SHORT) from error
    _check_sides(image)
    return image


def _check_sides(image: Image.Image) -> None:
    short, long = sorted(image.size)
    if short < MIN_SIDE or long > MAX_ASPECT_RATIO * short:
        raise Undecodable(TOO_SMALL)


def _identify(data: bytes) -> Image.Image:
    bare, profile = without_notes(data)
    try:
        image = Image.open(io.BytesIO(bare))
        if bare is not data:
            image.info["icc_profile"] = profile
        return image
    except UnidentifiedImageError:
        if data.startswith(JPEG):
            return Image.open(io.BytesIO(without_odd_segments(data)))
        if _reason_unknown(data) != HEIC:
            raise
        try:
            importlib.import_module("pillow_heif").register_heif_opener()
        except ImportError:
            raise Undecodable(HEIC) from None
        try:
            return Image.open(io.BytesIO(data))
        except UnidentifiedImageError:
            raise Undecodable(CUT_SHORT) from None


_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")


def _reason_unknown(data: bytes) -> str:
    """The reason for a file that Pillow does not know."""
    text = data[:2048].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if data[4:8] == b"ftyp":
        brands = data[8:12] + data[16 : max(16, min(int.from_bytes(data[:4], "big"), 256))]
        if b"avif" in brands or b"avis" in brands:
            return CUT_SHORT if features.check("avif") else AVIF
        if data[8:12] == b"crx ":
            return RAW
        if data[8:12] in _HEIC_BRANDS:
            return HEIC
    if data.startswith(_RAW_STARTS) or data[8:10] == b"CR":
        return RAW
    if data[128:132] == b"DICM":
        return DICOM
    if text.startswith(b"version https://git-lfs.github.com/spec"):
        return POINTER
    marked_up = text.startswith((b"<?xml", b"<!--"))
    if text.startswith((b"<!doctype html", b"<html", b"<head")) or (marked_up and b"<html" in text):
        return WEB_PAGE
    if text.startswith((b"<svg", b"<!doctype svg")) or (marked_up and b"<svg" in text):
        return DRAWING
    if b"%pdf-" in text[:1024]:
        return DOCUMENT
    if data.startswith((PNG, b"GIF87a", b"GIF89a")):
        return CUT_SHORT
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")) and _tiff_channels(data) > MAX_CHANNELS:
        return TOO_MANY_CHANNELS
    return NOT_AN_IMAGE


def _tiff_channels(data: bytes) -> int:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    with contextlib.suppress(Exception):  # a damaged file: the channels are not the problem
        directory = ImageFileDirectory_v2(data[:16] if data[2:4] in (b"+\0", b"\0+") else data[:8])
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        return int(directory.get(277, 1))
    return 1


def _check_tiff(image: Image.Image) -> None:
    """Raises Undecodable for a TIFF whose extra channels Pillow would ignore, and for a camera's raw file, of which
    Pillow would show only the thumbnail.
    """
    tags: Any = getattr(image, "tag_v2", {})
    if 50706 in tags or (330 in tags and tags.get(254) == 1):  # DNG's version · a reduced image beside the real one
        raise Undecodable(RAW)
    if tags.get(277, 1) > MAX_CHANNELS:
        raise Undecodable(TOO_MANY_CHANNELS)


# -- pixels


def _to_rgb(image: Image.Image) -> tuple[Image.Image, Remarks]:
    remarks, profile = _NOTHING, image.info.get("icc_profile")
    if image.mode == "CMYK":
        remarks |= Remarks.CMYK
    if image.mode.startswith(("I", "F")):
        values, changed = _rescale(np.asarray(image), image.mode)
        remarks |= Remarks.RESCALED if changed else _NOTHING
        image = Image.fromarray(values)
    elif image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:  # type: ignore[index, misc]
            remarks |= Remarks.TRANSPARENT
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("RGB")
    elif image.mode == "P":
        image = image.convert("RGB")
    if profile and (transform := to_srgb(profile, image.mode)):
        from PIL import ImageCms

        remarks |= Remarks.WIDE_GAMUT if image.mode == "RGB" else _NOTHING
        image = ImageCms.applyTransform(image, transform, inPlace=image.mode == "RGB") or image
    if image.mode != "RGB":
        image = image.convert("RGB")
    middle = image.width // 2, image.height // 2
    if image.getpixel((0, 0)) == image.getpixel(middle) and all(low == high for low, high in image.getextrema()):  # type: ignore[misc]
        remarks |= Remarks.CONSTANT
    return image, remarks


def _rescale(values: np.ndarray, mode: str) -> tuple[np.ndarray, bool]:
    """8-bit values, and whether they changed.

    16-bit: 65535 becomes 255. 32-bit and float: [0, 1], [0, 255] or [0, 65535], the first that holds the values, else
    the image's own range.
    """
    if values.ndim != 2:
        raise Undecodable(TOO_MANY_CHANNELS)
    if mode.startswith("I;16"):
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8), True
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise Undecodable(NOT_FINITE)
    low, high = float(values.min()), float(values.max())
    ceilings = (1.0, 255.0, 65535.0) if mode.startswith("F") else (255.0, 65535.0)
    if low >= 0 and high <= ceilings[-1]:
        low, high = 0.0, next(ceiling for ceiling in ceilings if high <= ceiling)
    return np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8), (low, high) != (0.0, 255.0)
