"""What an audit looks at: what the sealed model said about images whose class is known."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from limpide.finding import Picture

THUMB = 72  # pixels
FRAMED = 192


@dataclass(frozen=True)
class Evidence:
    classes: tuple[str, ...]  # those that the model knows, then those of images that it cannot name
    files: tuple[str, ...]  # (n,)
    truth: np.ndarray  # int (n,)
    probabilities: np.ndarray  # float (n, classes)
    majority: int  # the most frequent class of the training part
    temperature: float = 1.0
    trained_on: int | None = 0  # of these images, so many were used in the training, or nearly the same ones were; None where nobody can say
    nearly: int | None = 0  # of those, so many are not byte for byte the same; None where near duplicates could not be looked for
    learned: int | None = None  # so many of `classes`, the first, are known to the model; None = all
    image: Callable[[int], Image.Image] | None = field(default=None, compare=False)  # i-th image in RGB, for pictures

    @property
    def predicted(self) -> np.ndarray:
        return np.asarray(self.probabilities.argmax(1))

    @property
    def right(self) -> np.ndarray:
        return np.asarray(self.predicted == self.truth)

    @property
    def known(self) -> int:
        """How many classes the model knows."""
        return len(self.classes) if self.learned is None else self.learned

    def picture(self, i: int) -> Picture:
        label, predicted = int(self.truth[i]), int(self.predicted[i])
        jpeg = base64.b64encode(thumbnail(self.image(i))).decode() if self.image else ""
        return Picture(self.files[i], self.classes[label], self.classes[predicted], float(self.probabilities[i].max()), jpeg)

    def framed(self, i: int, square: np.ndarray, box: tuple[tuple[int, int], tuple[int, int]]) -> Picture:
        """The i-th image as the network sees it, uint8 (size, size, channels), with a frame around these rows and columns."""
        (top, bottom), (left, right) = box
        scale = max(1, FRAMED // len(square))
        side = len(square) * scale
        image = Image.fromarray(square.squeeze(-1) if square.shape[-1] == 1 else square).convert("RGB").resize((side, side), Image.Resampling.NEAREST)
        ImageDraw.Draw(image).rectangle((left * scale, top * scale, right * scale - 1, bottom * scale - 1), outline=(230, 97, 1), width=max(2, side // 60))
        jpeg = base64.b64encode(thumbnail(image, side)).decode()
        return dataclasses.replace(self.picture(i), jpeg=jpeg)


def thumbnail(image: Image.Image, side: int = THUMB) -> bytes:
    """A small JPEG; a tiny image is enlarged with its pixels visible."""
    if max(image.size) <= side // 2:
        factor = side // max(image.size)
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    else:
        image = image.copy()
        image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()
