"""Planes of numbers as pictures: orange above 0, blue below, the colour of paper at 0, as in
limpide/browser/static/color_scale.js.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

PAPER = (253, 252, 250)
PLUS, MINUS = (179, 92, 0), (47, 92, 158)
MIDDLE_PLUS, MIDDLE_MINUS = (214, 124, 28), (62, 128, 205)  # visible on black and on white
LEVELS = 127  # shades of each colour
# cells: in a smaller plane each one counts, in a larger one half a percent may be beyond the end of the scale
MIN_LEVELS = 400
BEYOND = 0.995


def end_of(plane: np.ndarray) -> float:
    """The end of the scale of this plane: its largest absolute value, or nearly so in a large plane, as one pixel must
    not make all others pale.
    """
    sizes = np.abs(plane[np.isfinite(plane)])
    if not sizes.size:
        return 0.0
    return float((np.quantile(sizes, BEYOND) if sizes.size > MIN_LEVELS else 0.0) or sizes.max())


def levels(plane: np.ndarray, end: float) -> np.ndarray:
    """float (height, width) → uint8: 0 at −end, 127 at 0, 254 at end. NaN counts as 0."""
    shares = (
        np.nan_to_num(np.asarray(plane, np.float64) / end, nan=0.0, posinf=1.0, neginf=-1.0)
        if end > 0
        else np.zeros(plane.shape)
    )
    return np.rint(LEVELS * (1 + shares.clip(-1, 1))).astype(np.uint8)


def paint_plane(plane: np.ndarray, end: float) -> Image.Image:
    """An RGB picture with the colour of paper at 0, one pixel a number."""
    steps = np.abs(np.arange(2 * LEVELS + 1) - LEVELS)[:, None] / LEVELS
    ends = np.where((np.arange(2 * LEVELS + 1) < LEVELS)[:, None], MINUS, PLUS)
    table = np.rint(PAPER + (ends - np.array(PAPER)) * steps).astype(np.uint8)
    return Image.fromarray(table[levels(plane, end)])


def plane_uri(plane: np.ndarray, end: float, *, anywhere: bool = False) -> str:
    """A PNG for a page, transparent where the number is 0, so that it suits a light and a dark page. `anywhere`: with
    colours for both.
    """
    plus, minus = (MIDDLE_PLUS, MIDDLE_MINUS) if anywhere else (PLUS, MINUS)
    picture = Image.fromarray(levels(plane, end), "P")
    picture.putpalette([v for k in range(2 * LEVELS + 1) for v in (minus if k < LEVELS else plus)])
    alpha = bytes(round(255 * abs(k - LEVELS) / LEVELS) for k in range(2 * LEVELS + 1))
    return _uri(picture, transparency=alpha)


def square_uri(square: np.ndarray) -> str:
    """The square that the network sees, uint8 (height, width, 1 or 3), as a PNG for a page."""
    return _uri(picture_of(square))


def picture_of(square: np.ndarray) -> Image.Image:
    return Image.fromarray(square[..., 0] if square.shape[-1] == 1 else square)


def _uri(picture: Image.Image, **options: object) -> str:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
