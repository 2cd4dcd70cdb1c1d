"""From an RGB image to the square of pixels that a network sees: declared once, stored with the model, the same
everywhere.

The arithmetic is Pillow's antialiased resize (fixed-point, 22 bits) over a box of whole pixels.
`deploy/preprocessing_graph.py` writes the very same integers as standard ONNX operators, so training, evaluation and
the exported file agree bit for bit; a test checks this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.typed_json import as_record
from limpide.data.decoding.decode import Remarks, decode_with_remarks
from limpide.data.decoding.deep_values import Span
from limpide.data.decoding.pillow_images import decode_opened

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

# ITU-R 601-2 luma in 16-bit fixed point, as Pillow computes it; a grey image comes out unchanged.
GRAY_WEIGHTS = (19595, 38470, 7471)
GRAY_ROUNDING, GRAY_SHIFT = 0x8000, 16


@dataclass(frozen=True)
class Preprocessing:
    """uint8 RGB of any size → uint8 (size, size, channels) → float (pixels − mean) / std."""

    size: int  # pixels
    channels: int  # 1 = grey, 3 = RGB
    fit: str = "squash"  # squash: the whole image · crop: the largest centred square
    filter: str = "bilinear"  # or bicubic
    mean: tuple[float, ...] = (127.5,)  # grey levels, one value or one a channel
    std: tuple[float, ...] = (127.5,)  # grey levels
    jpeg_side: int = 0  # a JPEG may be decoded smaller while both sides keep this many pixels; 0 = never
    # for crop: the kept part of the largest square, in 1024ths; some published networks were tested on the centre only
    centre: int = 1024
    # the values that become 0 and 255 in images of more than 8 bits; None: the limits of the type of each image
    value_range: Span | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocessing:
        """Raises InvalidJson, which names the field."""
        return as_record(cls, data, "preprocessing", strict=True)

    def opened(self, source: bytes | Image.Image) -> tuple[Image.Image, Remarks]:
        """The bytes of a file, or an image opened by Pillow → RGB image, and remarks on it. Raises Undecodable."""
        if isinstance(source, Image.Image):
            return decode_opened(source, self.jpeg_side, self.value_range)
        return decode_with_remarks(source, self.jpeg_side, self.value_range, look=False)

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """left, top, right, bottom of the part of the image that is kept. An image that already has the target size is
        kept whole.
        """
        if self.fit == "squash" or (width, height) == (self.size, self.size):
            return 0, 0, width, height
        side = max(1, min(width, height) * self.centre // 1024)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side

    def pixels(self, image: Image.Image) -> np.ndarray:
        """RGB image → uint8 (size, size, channels), before normalisation."""
        left, top, right, bottom = self.box(*image.size)
        # One axis at a time: for both at once, some versions of Pillow start with the other axis for tall images.
        wide = image.resize((self.size, image.height), _FILTERS[self.filter], box=(left, 0, right, image.height))
        square = wide.resize((self.size, self.size), _FILTERS[self.filter], box=(0, top, self.size, bottom))
        return self.grey(np.asarray(square)) if self.channels == 1 else np.asarray(square)

    @staticmethod
    def grey(rgb: np.ndarray) -> np.ndarray:
        """uint8 (…, 3) → uint8 (…, 1)."""
        red, green, blue = (rgb[..., k].astype(np.int32) * GRAY_WEIGHTS[k] for k in range(3))
        return ((red + green + blue + GRAY_ROUNDING) >> GRAY_SHIFT).astype(np.uint8)[..., None]
