"""Statistics of the training images as the network sees them, small enough for the sealed file: with them, a user can
test whether new images are of the same kind. They are made from plain arrays, without torch.

Features are centered, divided by their spread, and projected onto their first principal components (Pearson 1901). The
length of the remainder, divided by √width, is an image's distance from what the training images have in common.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limpide.core.typed_json import InvalidJson, as_record, to_plain_json
from limpide.deploy.principal_axes import principal_axes, spread
from limpide.text.messages import N_, message

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # of all quantiles
MAX_COMPONENTS = 32
IMAGES_A_COMPONENT = 4  # with fewer images, there are fewer components; with fewer than these, there is no subspace
MAX_BYTES = 62_000  # of all together as JSON: less than a reader accepts
ROOM_FOR_REST = 1500  # bytes of them, for the names and small numbers around the vectors
MAX_CLASSES, MAX_QUANTILES = 4096, 1500  # with more classes, the counts, or the quantiles, of each are left out
FOLDS = 5
MAX_WIDTH = 8192  # features per image; with more, none are kept
MAX_VALUES = 1_000_000  # images times features that are used: a second of work, and 4 MB
MAX_VALUE = 1e30  # of a feature: larger ones are of a network that diverged


@dataclass(frozen=True)
class Vectors:
    """float16, little endian, as base64, times `unit`."""

    shape: tuple[int, ...]
    unit: float
    float16: str

    @classmethod
    def of(cls, values: np.ndarray) -> Vectors:
        unit = float(np.abs(values).max(initial=0.0)) or 1.0
        data = np.ascontiguousarray(values / unit, "<f2").tobytes()
        return cls(values.shape, unit, base64.b64encode(data).decode())

    def array(self) -> np.ndarray:
        """The values as float32. Raises ValueError if they are not finite numbers of this shape."""
        if not 0 < self.unit <= MAX_VALUE:
            raise ValueError("no unit")
        array = np.frombuffer(base64.b64decode(self.float16, validate=True), "<f2").astype(np.float32)
        array = (array * np.float32(self.unit)).reshape([check_side(side) for side in self.shape])
        if not np.isfinite(array).all():
            raise ValueError("not finite")
        return array


def check_side(side: int) -> int:
    if side < 0:  # which reshape would read as "the remaining size"
        raise ValueError("no shape")
    return side


@dataclass(frozen=True)
class Subspace:
    """For the features of the training images, z = (features − mean) ÷ scale is near a sum of a few components."""

    n: int  # images
    mean: Vectors  # (width,)
    scale: Vectors  # (width,), above 0
    components: Vectors  # (count, width), of length 1 and at right angles
    share: float  # of the variance of z, along the components

    def distances(self, features: np.ndarray) -> np.ndarray:
        """features: float (n, width) → float32 (n,): length of z without its part along the components, ÷ √width."""
        return distances_from(features, self.mean.array(), self.scale.array(), self.components.array())


@dataclass(frozen=True)
class Quantiles:
    """At LEVELS, of n images. None: not known."""

    n: int
    best: tuple[float, ...]  # the largest probability
    distance: tuple[float, ...] | None = None  # from the subspace
    brightness: tuple[float, ...] | None = None  # mean grey level ÷ 255, of the squares that the network sees
    contrast: tuple[float, ...] | None = None  # standard deviation of the grey levels ÷ 255
    sharpness: tuple[float, ...] | None = None  # mean difference between neighbouring grey levels ÷ 255
    width: tuple[float, ...] | None = None  # pixels, as stored in the files
    height: tuple[float, ...] | None = None


@dataclass(frozen=True)
class TrainStats:
    levels: tuple[float, ...]
    images: int  # of the training part
    counts: tuple[int, ...] | None  # of the training part, by class; None: too many classes
    train: Quantiles  # of a sample of them; each image's distance is from the subspace of the other folds
    # of images that were not trained on, if there are any: on training images a network looks better than it is
    validation: Quantiles | None = None
    probabilities: Vectors | None = None  # (classes, levels): quantiles of each class over that sample
    subspace: Subspace | None = None  # None: no features, or too many of them

    @classmethod
    def from_json(cls, data: Mapping[str, Any], classes: int, width: int | None) -> TrainStats:
        """width: of the output `features`. Raises InvalidJson."""
        stats = as_record(cls, data)
        try:
            _check(stats, classes, width)
        except (ValueError, OverflowError) as error:
            raise InvalidJson(message(N_("{field} has an impossible value"), field="limpide.train_stats")) from error
        return stats


@dataclass(frozen=True)
class Looked:
    """The network's outputs for some images, and their properties. All arrays are parallel; None: not known."""

    probabilities: np.ndarray  # float (n, classes)
    features: np.ndarray | None  # float32 (n, width), width at most MAX_WIDTH, all between ±MAX_VALUE
    grey: np.ndarray  # float (n, 3): brightness, contrast, sharpness
    sizes: np.ndarray | None  # int (n, 2): width and height as stored


def grey_properties(squares: np.ndarray) -> np.ndarray:
    """Brightness, contrast and sharpness (see Quantiles) of grey squares, uint8 (n, size, size, 1) → float (n, 3)."""
    levels = squares[..., 0].astype(np.float32) / 255
    across, down = (np.abs(np.diff(levels, axis=axis)).mean((1, 2)) if levels.shape[axis] > 1 else 0 for axis in (2, 1))
    sharpness = np.broadcast_to((across + down) / 2, len(levels))
    return np.stack([levels.mean((1, 2)), levels.std((1, 2)), sharpness], 1)


def make_train_stats(counts: np.ndarray, train: Looked, validation: Looked | None) -> TrainStats:
    """counts: images of the training part, by class. Statistics for which there is no room are left out."""
    few = len(counts) <= MAX_CLASSES
    plain = TrainStats(
        LEVELS,
        int(counts.sum()),
        tuple(map(int, counts)) if few else None,
        _quantiles(train),
        None if validation is None else _quantiles(validation),
        Vectors.of(np.quantile(train.probabilities, LEVELS, axis=0).T) if len(counts) <= MAX_QUANTILES else None,
    )
    if train.features is None or len(train.features) < IMAGES_A_COMPONENT:
        return plain
    vector = 4 * -(-2 * train.features.shape[1] // 3)  # bytes of one, as base64
    room = (MAX_BYTES - ROOM_FOR_REST - len(json.dumps(to_plain_json(plain)))) // vector - 2  # mean and scale take two
    return plain if room < 0 else _with_subspace(plain, min(MAX_COMPONENTS, room), train.features, validation)


def _with_subspace(plain: TrainStats, most: int, features: np.ndarray, validation: Looked | None) -> TrainStats:
    others = len(features) * (FOLDS - 1) // FOLDS  # images that the subspace for each fold is fitted on
    count = min(most, others // IMAGES_A_COMPONENT)
    space = fit_subspace(features, count)
    train = replace(plain.train, distance=_levels_of(_crossed(features, count)))
    validation_levels = plain.validation
    if validation_levels is not None and validation is not None and validation.features is not None:
        validation_levels = replace(validation_levels, distance=_levels_of(space.distances(validation.features)))
    return replace(plain, train=train, validation=validation_levels, subspace=space)


def fit_subspace(features: np.ndarray, count: int) -> Subspace:
    """features: float32 (n, width), n at least IMAGES_A_COMPONENT."""
    n, width = features.shape
    mean, scale = (Vectors.of(one) for one in spread(features))
    z = (features - mean.array()) / scale.array()
    axes, share = principal_axes(z, min(count, width))
    return Subspace(n, mean, scale, Vectors.of(axes), share)


def distances_from(features: np.ndarray, mean: np.ndarray, scale: np.ndarray, components: np.ndarray) -> np.ndarray:
    z = (np.asarray(features, np.float32) - mean) / scale
    z -= (z @ components.T) @ components
    return np.asarray(np.linalg.norm(z, axis=1) / np.sqrt(z.shape[1]), np.float32)


def _crossed(features: np.ndarray, count: int) -> np.ndarray | None:
    """The distance of each image from the subspace of the other folds: its own fold would make it too small."""
    if len(features) < 2 * IMAGES_A_COMPONENT:
        return None
    distances, fold = np.zeros(len(features), np.float32), np.arange(len(features)) % FOLDS
    for k in range(FOLDS):
        distances[fold == k] = fit_subspace(features[fold != k], count).distances(features[fold == k])
    return distances


def _levels_of(values: np.ndarray | None) -> tuple[float, ...] | None:
    """The quantiles, to five digits."""
    if values is None:
        return None
    return tuple(float(f"{q:.5g}") for q in np.quantile(values.astype(np.float64), LEVELS))


def _quantiles(looked: Looked) -> Quantiles:
    """All quantiles but those of the distance."""
    best = _levels_of(looked.probabilities.max(1))
    assert best is not None
    brightness, contrast, sharpness = map(_levels_of, looked.grey.T)
    width, height = (None, None) if looked.sizes is None else map(_levels_of, looked.sizes.T)
    return Quantiles(len(looked.probabilities), best, None, brightness, contrast, sharpness, width, height)


def _check(stats: TrainStats, classes: int, width: int | None) -> None:
    """Raises ValueError for impossible values of the correct types."""
    levels, k = stats.levels, len(stats.levels)
    fits = [list(levels) == sorted(levels), all(0 <= q <= 1 for q in levels), stats.images >= 0]
    if stats.counts is not None:
        fits += [len(stats.counts) == classes, min(stats.counts, default=0) >= 0, sum(stats.counts) == stats.images]
    for part in (stats.train, stats.validation):
        if part is not None:
            rows = (part.best, part.distance, part.brightness, part.contrast, part.sharpness, part.width, part.height)
            fits += [part.n >= 1, *(len(row) == k and list(row) == sorted(row) for row in rows if row is not None)]
    if stats.probabilities is not None:
        fits.append(stats.probabilities.array().shape == (classes, k))
    if (space := stats.subspace) is not None:
        components, scale = space.components.array(), space.scale.array()
        fits += [space.n >= 1, components.ndim == 2, len(components) <= MAX_COMPONENTS, 0 <= space.share <= 1]
        fits += [space.mean.array().shape == scale.shape == (width,) == components.shape[1:], bool((scale > 0).all())]
    if not all(fits):
        raise ValueError("absurd")
