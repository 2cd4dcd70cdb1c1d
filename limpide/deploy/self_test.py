"""Eight images that can be made again anywhere, and the sealed file's results for them: a user on another machine can
test whether the file still gives the same.

The images belong to no one, as they are computed: at row y, column x and channel c (0 red, 1 green, 2 blue), image k
has the grey level

    ((k + 1) x² + (c + 1) y² + 29 k) ÷ 16, without its fraction, modulo 256

The pattern gets finer towards one corner, so that any resize other than the file's own shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.core.typed_json import InvalidJson, as_record
from limpide.text.messages import N_, message

RECIPE = "squares-1"  # the name of the formula above
# (height, width), pixels: odd, from a single pixel to sizes that most networks make smaller
SIZES = ((1, 1), (3, 7), (17, 31), (47, 33), (63, 63), (101, 67), (89, 211), (301, 199))
MAX_SIDE, MAX_IMAGES = 1024, 16
TOP = 20  # classes of each image whose probabilities are kept, best first
TOLERANCE = 1e-3  # difference of a probability: other processors add in another order and round differently
DIGITS = 6  # of a probability, after the point


@dataclass(frozen=True)
class SelfTest:
    recipe: str
    images: tuple[tuple[int, int, int], ...]  # (k, height, width) of each
    places: tuple[tuple[int, ...], ...]  # indices of the likeliest classes of each image, best first
    probabilities: tuple[tuple[float, ...], ...]  # of these classes
    tolerance: float = TOLERANCE

    @classmethod
    def from_json(cls, data: Mapping[str, Any], classes: int) -> SelfTest:
        """Raises InvalidJson."""
        self_test = as_record(cls, data)
        n = len(self_test.images)
        if not (
            self_test.recipe == RECIPE
            and n <= MAX_IMAGES
            and len(self_test.places) == len(self_test.probabilities) == n
            and all(0 <= k < MAX_IMAGES for k, *_ in self_test.images)
            and all(1 <= side <= MAX_SIDE for _, *size in self_test.images for side in size)
            and all(len(a) == len(b) > 0 for a, b in zip(self_test.places, self_test.probabilities, strict=True))
            and all(0 <= place < classes for row in self_test.places for place in row)
            and all(0 <= p <= 1 for row in self_test.probabilities for p in row)
            and 0 < self_test.tolerance < 1
        ):
            raise InvalidJson(message(N_("{field} has an impossible value"), field="limpide.self_test"))
        return self_test


@dataclass(frozen=True)
class SelfTestResult:
    """Whether a file gives the same results for its eight images here as where it was made."""

    n: int  # images
    difference: float  # the largest difference of a probability
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        says = (
            N_("On {n:count} images, the model file gives the same answers as when it was sealed.")
            if self.agrees
            else N_(
                "On {n:count} images, the model file gives other answers here than when it was sealed, with "
                "differences of up to {difference:percent}: do not use it here."
            )
        )
        return str(message(says, n=self.n, difference=self.difference))


def draw(k: int, height: int, width: int) -> np.ndarray:
    """Image number k, uint8 (height, width, 3)."""
    y, x, c = np.indices((height, width, 3))
    return (((k + 1) * x * x + (c + 1) * y * y + 29 * k) // 16 % 256).astype(np.uint8)


def make_self_test(answer: Callable[[np.ndarray], np.ndarray]) -> SelfTest:
    """answer: the network, from an image uint8 (height, width, 3) to probabilities (classes,). An image whose
    probabilities are not finite is left out.
    """
    images, places, probabilities = [], [], []
    for k, (height, width) in enumerate(SIZES):
        row = answer(draw(k, height, width))
        if np.isfinite(row).all():
            best = np.argsort(-row, kind="stable")[:TOP]
            images.append((k, height, width))
            places.append(tuple(map(int, best)))
            probabilities.append(tuple(round(float(p), DIGITS) for p in row[best]))
    return SelfTest(RECIPE, tuple(images), tuple(places), tuple(probabilities))


def compare(test: SelfTest, answer: Callable[[np.ndarray], np.ndarray]) -> SelfTestResult:
    """answer: as for `make_self_test`, from the file on this machine. A result that is not finite counts as a
    difference of 1, the largest possible.
    """
    difference = 0.0
    for image, places, probabilities in zip(test.images, test.places, test.probabilities, strict=True):
        apart = np.abs(answer(draw(*image))[list(places)] - np.array(probabilities)).max()
        difference = max(difference, float(apart) if np.isfinite(apart) else 1.0)
    return SelfTestResult(len(test.images), difference, test.tolerance)
