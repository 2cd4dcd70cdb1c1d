"""Images in the forms in which a program hands them in."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from limpide.data.inputs import decode_input, images_in
from limpide.data.preprocessing import Preprocessing
from tests.make_images import encoded, one_of_each, shape

SIDE = 16
P = Preprocessing(SIDE, 3, jpeg_side=2 * SIDE)
PIXELS = np.asarray(shape("disc", (64, 48), np.random.default_rng(3)))
FILES = one_of_each() | {"jpeg-large": encoded(Image.fromarray(PIXELS).resize((640, 480)), "JPEG", quality=90)}


class Column:
    """What a table library hands out, as far as it matters."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def to_numpy(self) -> np.ndarray:
        found = np.empty(len(self.values), object)
        for k, value in enumerate(self.values):
            found[k] = value
        return found


def rgb(item: Any) -> np.ndarray:
    (one,) = images_in(item)
    return np.asarray(decode_input(one, P))


GREY, COLOUR = (12, 10), (12, 10, 3)
