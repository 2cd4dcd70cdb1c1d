"""Values of more than 8 bits: read from an opened file as they are stored, and reduced to 8 bits by one range per data
set.

A 12-bit scanner writes 0 … 4,095 into files that could hold 0 … 65,535. Scaled by the limits of the file, only sixteen
of 256 grey levels are left. So one range (low, high) is chosen for all images of a data set from the values they hold:
low becomes 0, high becomes 255, and values outside are clipped. Images of 8 bits keep their values.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from limpide.data.decoding.metadata import PNG

Span = tuple[float, float]  # values that become 0 and 255

FULL_SCALES = (255, 1023, 4095, 16383, 65535)  # of 8, 10, 12, 14 and 16 bits
MIN_USED = 8  # a full scale is rejected if the values use less than 1 / MIN_USED of it
PNG_DEPTH = 24  # offset in a PNG of the number of bits of a value
# beginnings of formats that never hold more than 8 bits, or are never read as more
SHALLOW = (b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")
START = 32  # bytes that tell most files apart

# Measurements of the values of an image of more than 8 bits.
EXTREMES = np.dtype(
    [
        ("row", "<i4"),  # index into the data set
        ("low", "<f8"),
        ("high", "<f8"),
        # without the values at the very ends of their type; +inf and −inf where there are no others
        ("inner_low", "<f8"),
        ("inner_high", "<f8"),
        ("marks", "<f8"),  # share of the values at these ends
        ("dim", "<f8"),  # nine of ten values are between these two
        ("bright", "<f8"),
        ("floating", "u1"),
        ("whole", "u1"),  # no value has a fraction
        ("read", "u1"),  # 1 once all other fields are valid
    ]
)
SAMPLE = 1 << 16  # number of values of an image from which these two are estimated
MAX_VALUE = 1e38  # floats beyond it are marks, whatever their type

# The raw mode that reads the other byte of each value in place of the first: "LA;16B" has no such twin, but its four
# bytes per pixel are read as RGBA.
_OTHER_BYTE = {
    **{f"{mode};16B": f"{mode};16L" for mode in ("RGB", "RGBA", "RGBX")},
    **{f"{mode};16{order}": f"{mode};16B" for mode in ("RGB", "RGBA", "RGBX") for order in "LN"},
    "LA;16B": "RGBA",
}


_SIGNED_16 = ("I;16S", "I;16BS", "I;16NS")
_NATIVE = {"F;32BF": "F;32NF", "I;16BS": "I;16NS", "I;32BS": "I;32NS"}


def may_be_deep(start: bytes) -> bool:
    """False if the first bytes of a file say that its values have at most 8 bits."""
    return (
        start[PNG_DEPTH] == 16
        if start.startswith(PNG) and len(start) > PNG_DEPTH
        else bool(start) and not start.startswith(SHALLOW)
    )


@dataclass(frozen=True)
class Layout:
    """How values of more than 8 bits are stored in a file: read before the image is loaded, which loses it."""

    raw: str  # Pillow's raw mode; "" if unknown
    data: bytes  # the content of the file if it has to be read twice, else empty


def layout_of(image: Image.Image) -> Layout | None:
    """The layout of an opened image; None for an image of 8 bits, and for one that was loaded and so lost its other
    bits.
    """
    opened: Any = image
    tile: Any = (getattr(opened, "tile", None) or [("", None, 0, "")])[0]
    raw = str(tile[3] if isinstance(tile[3], str) else tile[3][0]) if opened.format in ("PNG", "TIFF") else ""
    twice = raw in _OTHER_BYTE
    return (
        Layout(raw, _read_stream(opened.fp) if twice else b"") if twice or opened.mode.startswith(("I", "F")) else None
    )


def in_native_order(image: Any) -> None:
    """Corrects the byte order of signed and floating values: libtiff returns bytes in the order of this machine, but
    Pillow assumes that of the file.
    """
    image.tile = [
        tile._replace(args=_replace_raw(tile.args, _NATIVE.get(tile.args[0], tile.args[0])))
        if tile[0] == "libtiff"
        else tile
        for tile in image.tile
    ]


def _read_stream(stream: Any) -> bytes:
    if hasattr(stream, "getvalue"):
        return bytes(stream.getvalue())
    place = stream.tell()
    stream.seek(0)
    data = stream.read()
    stream.seek(place)
    return bytes(data)


@dataclass(frozen=True)
class Values:
    """An image as it is stored. colors: (height, width) or (height, width, 3), whole or floating · alpha: uint8
    (height, width) or None.
    """

    colors: np.ndarray
    alpha: np.ndarray | None = None
    negative: bool = False  # low is white, as in some scans

    def in_8_bits(self, span: Span) -> tuple[Image.Image, bool]:
        """The image with low at 0 and high at 255, and whether values were outside this range by more than rounding."""
        grey, clipped = scale_to_8_bits(self.colors, span)
        image = Image.fromarray(255 - grey if self.negative else grey)
        if self.alpha is not None:
            image = image.convert("RGB")
            image.putalpha(Image.fromarray(self.alpha))
        return image, clipped


def scale_to_8_bits(values: np.ndarray, span: Span) -> tuple[np.ndarray, bool]:
    """uint8 of the same shape, and whether something had to be clipped."""
    low, high = span
    grey = np.rint((values.astype(np.float64) - low) * (255 / (high - low)))
    clipped = bool(grey.size and (grey.min() < 0 or grey.max() > 255))
    return grey.clip(0, 255).astype(np.uint8), clipped


def values_of(image: Image.Image, layout: Layout, turned: bool = False) -> Values:
    """The values of a loaded image whose layout was read before. turned: the image must be rotated upright as its EXIF
    says.
    """
    tags: Any = getattr(image, "tag_v2", {})
    raw = layout.raw
    if image.mode.startswith(("I", "F")):
        values = np.asarray(_turn_upright(image, turned))
        if raw in _SIGNED_16:
            values = values.astype(np.int16)
        elif raw == "I;32N" and tags.get(339, (1,))[0] == 1:  # unsigned, which Pillow does not know
            values = values.view(np.uint32)
        return Values(values, _alpha_of_key(values, image.info.get("transparency")), negative=tags.get(262) == 0)
    high = np.asarray(_turn_upright(image, turned)).astype(np.uint16)
    # of separate planes only the first byte of each value is read
    low = _low_bytes(layout, turned) if tags.get(284, 1) == 1 else None
    if raw == "LA;16B" and low is not None:  # value, value, alpha, alpha
        return Values(low[..., 0] << 8 | low[..., 1], low[..., 2].astype(np.uint8))
    both = high << 8 | (low if low is not None else high)
    colors = both[..., :3]
    return Values(
        colors,
        high[..., 3].astype(np.uint8) if both.shape[-1] == 4 else _alpha_of_key(colors, image.info.get("transparency")),
    )


def _turn_upright(image: Image.Image, turned: bool) -> Image.Image:
    return ImageOps.exif_transpose(image) if turned else image


def _low_bytes(layout: Layout, turned: bool) -> np.ndarray | None:
    """uint16 (height, width, channels): Pillow reads the first byte of each value, so the file is read again for the
    second.
    """
    image: Any = Image.open(io.BytesIO(layout.data))
    image.tile = [tile._replace(args=_replace_raw(tile.args, _OTHER_BYTE[layout.raw])) for tile in image.tile]
    image.load()
    return np.asarray(_turn_upright(image, turned)).astype(np.uint16)


def _replace_raw(args: Any, raw: str) -> Any:
    return raw if isinstance(args, str) else (raw, *args[1:])


def _alpha_of_key(colors: np.ndarray, key: Any) -> np.ndarray | None:
    """Alpha of an image in which one colour is declared transparent."""
    if not isinstance(key, (int, tuple)):
        return None
    same = colors == np.array(key)
    return np.where(same.all(-1) if colors.ndim == 3 else same, 0, 255).astype(np.uint8)


def measure(values: np.ndarray, row: Any) -> None:
    """Fills one row of EXTREMES. values: whole or finite floating numbers of any shape."""
    low, high = values.min(), values.max()
    floating = values.dtype.kind == "f"
    if floating:
        ends = np.abs(values) >= MAX_VALUE
    else:
        short = values.dtype.itemsize > 2 and low >= 0 and high <= 65535  # 16 bits that a decoder widened
        limits = np.iinfo(np.uint16 if short else values.dtype)
        ends = values == limits.max
        if limits.min < 0:
            ends |= values == limits.min
    inner = values[~ends] if ends.any() else values
    row["low"], row["high"] = low, high
    row["inner_low"], row["inner_high"] = (inner.min(), inner.max()) if inner.size else (np.inf, -np.inf)
    row["marks"] = ends.mean()
    subset = values.reshape(-1)[:: max(1, values.size // SAMPLE)]
    row["dim"], row["bright"] = np.percentile(subset.astype(np.float64), (5, 95))
    row["floating"], row["whole"] = floating, not floating or bool((values == np.rint(values)).all())
    row["read"] = 1
