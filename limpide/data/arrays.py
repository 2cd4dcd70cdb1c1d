"""Images that a program already holds: NumPy arrays, or a list of files with their labels."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limpide.core.errors import DataError
from limpide.data.array_labels import index_labels, number_groups
from limpide.data.dataset import ArrayImages, Dataset, FileImages, Names
from limpide.data.decoding.deep_values import EXTREMES, Span, measure, scale_to_8_bits
from limpide.data.decoding.value_range import range_of
from limpide.system.files import sha256
from limpide.text.messages import N_, Message, message

CLIPPED = N_("images hold values outside the value range: they are clipped to it")


def from_arrays(
    images: Any, labels: Any, *, groups: Any = None, name: str = "arrays", value_range: str | Span = "auto"
) -> Dataset:
    """images: (n, height, width) grey or (n, height, width, 1 | 3), uint8, floats in 0…1 or 0…255, or numbers for which
    a value range is chosen.

    labels: (n,) names or numbers. groups: (n,) names or numbers; images of one group stay in one part. value_range: as
    in Recipe: "auto" chooses one for values outside 0…255. Raises DataError for shapes and values that are not images.
    """
    span = _choose_range(np.asarray(images), value_range)
    array, notes = as_pixels(images, value_range=span)
    classes, index = index_labels(labels, len(array))
    # Arrays have no path: the location is a hash of their content, so the same arrays continue the same unfinished run.
    location = f"{name}:{sha256(np.ascontiguousarray(array).data)[:16]}"
    names = Names(f"{i:06d}" for i in range(len(array)))
    return Dataset(
        name,
        location,
        ArrayImages(array, names, span),
        index,
        classes,
        np.zeros(len(array), np.uint8),
        number_groups(groups, len(array)),
        (),
        notes,
    )


def _choose_range(array: np.ndarray, value_range: str | Span) -> Span | None:
    """The value range of these values; None where they are read unchanged."""
    if has_at_most_8_bits(array) or array.dtype.kind not in "iuf" or not array.size or value_range == "none":
        return None
    low, high = float(array.min()), float(array.max())
    if not np.isfinite((low, high)).all() or isinstance(value_range, tuple):
        return value_range if isinstance(value_range, tuple) else None
    if np.rint(low) >= 0 and np.rint(high) <= 255:
        return None
    extremes = np.zeros(len(array), EXTREMES)
    for row, image in zip(extremes, array, strict=True):
        measure(image, row)
    return range_of(extremes)


def need_a_range(arrays: Sequence[np.ndarray], asked: str | Span) -> bool:
    """Whether images of several sizes keep their values until one range is chosen for all: some values are outside 0 …
    255, or a range is asked for.
    """
    deep = [array for array in arrays if array.dtype.kind in "iuf" and not has_at_most_8_bits(array) and array.size]
    return asked != "none" and any(
        isinstance(asked, tuple) or np.rint(array.min()) < 0 or np.rint(array.max()) > 255 for array in deep
    )


def as_values(array: np.ndarray, place: int) -> np.ndarray:
    """A grey image (height, width) as int32 or float32, types that a file stores unchanged. Raises DataError for colour
    images and for values that are not finite.

    place: the position among the images handed in, which names the image in the error.
    """
    if array.ndim != 2:
        raise DataError("L223", where=f"image {place}: {array.dtype}")
    if not np.isfinite(array).all():
        raise DataError("L230", where=f"image {place}: {array.dtype}")
    limits = np.iinfo(np.int32)
    return array.astype(
        np.int32 if array.dtype.kind in "iu" and limits.min <= array.min() and array.max() <= limits.max else np.float32
    )


def from_paths(
    files: Sequence[str | os.PathLike[str]], labels: Any, *, groups: Any = None, name: str = "files"
) -> Dataset:
    """files: paths of image files, in any folders · labels, groups: as in `from_arrays`. Raises DataError."""
    paths = [os.path.abspath(os.fspath(file)) for file in files]  # noqa: PTH100
    classes, index = index_labels(labels, len(paths))
    missing = [path for path in paths if not os.path.isfile(path)]  # noqa: PTH113
    if missing:
        raise DataError("L218", where=missing[0], n=len(missing), total=len(paths))
    root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    relative = [os.path.relpath(path, root) for path in paths]
    location = f"{name}:{sha256(chr(0).join(paths).encode('utf-8', 'surrogateescape'))[:16]}"
    return Dataset(
        name,
        location,
        FileImages(Path(root), Names(relative)),
        index,
        classes,
        np.zeros(len(paths), np.uint8),
        number_groups(groups, len(paths)),
    )


def as_pixels(
    images: Any, scale: float | None = None, value_range: Span | None = None
) -> tuple[np.ndarray, list[Message]]:
    """uint8 (n, height, width) or (n, height, width, 3), and notes on the conversion. Raises DataError.

    scale: the factor from floats to grey levels; None: it is chosen from the values (`gray_scale`). value_range: the
    values that become 0 and 255 in arrays of every type but uint8 and bool, as in files of more than 8 bits
    (`data/decoding/deep_values.py`); values outside it are clipped, and noted as CLIPPED.
    """
    array, notes = _arrange_axes(np.asarray(images))
    if has_at_most_8_bits(array):
        return array if array.dtype == np.uint8 else array.astype(np.uint8) * 255, notes
    low, high = _measure_values(array)
    if value_range:
        _check_not_rescaled(array, low, high, value_range)
        levels = [scale_to_8_bits(image, value_range) for image in array]
        notes += [message(CLIPPED)] * any(clipped for _, clipped in levels)
        return np.stack([level for level, _ in levels]), notes
    by = 1.0 if not np.issubdtype(array.dtype, np.floating) else gray_scale(array) if scale is None else scale
    if np.rint(low * by) < 0 or np.rint(high * by) > 255:
        raise DataError("L231", where=f"{low:g} … {high:g}")
    says = N_("the arrays were rounded to 256 grey levels ({low:number} … {high:number} became {a:count} … {b:count})")
    notes.append(message(says, low=low, high=high, a=round(low * by), b=round(high * by)))
    return _round(array, by), notes


def _arrange_axes(array: np.ndarray) -> tuple[np.ndarray, list[Message]]:
    """(n, height, width) or (n, height, width, 3), and notes on reordered axes. Raises DataError."""
    notes, shape = [], array.shape
    if array.ndim == 4 and array.shape[-1] not in CHANNELS and array.shape[1] in (1, 3):
        array = np.moveaxis(array, 1, -1)
        notes.append(message(N_("the arrays have channels first: their axes were reordered")))
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 4 and array.shape[-1] in CHANNELS and array.shape[-1] != 3:
        raise _unclear_channels(array.shape[-1], array.shape)
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] != 3) or not array.size:
        raise _no_array(
            f"shape {shape}", N_("give (n, height, width) for grey or (n, height, width, 3) for RGB images")
        )
    return array, notes


def _measure_values(array: np.ndarray) -> tuple[float, float]:
    """(lowest, highest). Raises DataError for values that are not finite real numbers."""
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise _no_array(f"dtype {array.dtype}", N_("give uint8, or floats between 0 and 1"))
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError("L230", where=f"dtype {array.dtype}")
    return low, high


def _check_not_rescaled(array: np.ndarray, low: float, high: float, value_range: Span) -> None:
    """Raises DataError for floats from 0 to 1 where the value range goes to thousands: they were rescaled before they
    came here, and would all be black.
    """
    black, white = value_range
    if array.dtype.kind == "f" and 0 <= low < high <= 1 and (white - black) > 2 * 255 * high:
        raise DataError("L285", where=f"{low:g} … {high:g}", black=black, white=white)


def has_at_most_8_bits(array: np.ndarray) -> bool:
    """Whether the array's type holds at most 8 bits: such values are never rescaled."""
    return array.dtype in (np.uint8, np.bool_)


def _round(array: np.ndarray, by: float) -> np.ndarray:
    """uint8, with the arithmetic of `decode.py`, some images at a time."""
    rounded = np.empty(array.shape, np.uint8)
    for k in range(0, len(array), 256):
        rounded[k : k + 256] = np.rint(array[k : k + 256].astype(np.float64) * by)
    return rounded


def gray_scale(array: np.ndarray) -> float:
    """The factor that turns these values into grey levels: floats up to 1, and up to 16 as in scikit-learn's digits,
    are stretched.
    """
    if not np.issubdtype(array.dtype, np.floating):
        return 1.0
    high = float(array.max())
    return 255.0 if high <= 1 else 255.0 / 16 if high <= 16 else 1.0


def common_scale(arrays: Iterable[np.ndarray]) -> float | None:
    """`gray_scale` of all float arrays together; None where there are none."""
    highest = [array.max() for array in arrays if np.issubdtype(array.dtype, np.floating) and array.size]
    return gray_scale(np.array(highest)) if highest else None


# -- what the axes mean

CHANNELS = (1, 2, 3, 4)  # a last axis of one of these lengths holds channels: no image is so narrow


def one_image(array: np.ndarray, place: int) -> np.ndarray:
    """An array that is one image → (height, width) or (height, width, 3), its values unchanged. Raises DataError.

    place: the position among the images handed in, which names the image in the error.
    """
    if array.ndim == 3 and array.shape[-1] not in CHANNELS and array.shape[0] in CHANNELS:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] in (2, 4):
        raise _unclear_channels(array.shape[-1], array.shape)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] != 3) or not array.size:
        raise _no_array(
            f"image {place}: shape {array.shape}",
            N_("give (height, width) for a grey or (height, width, 3) for an RGB image"),
        )
    return array


def whole_batch(array: np.ndarray, learned: tuple[int, ...] | None) -> np.ndarray:
    """An array of one image or of several → (n, …), its values unchanged. Raises DataError for a shape that can mean
    both.

    learned: the shape of the training images, where those were arrays; () where it is not known.
    """
    if array.ndim == 2:
        return array[None]
    if array.ndim != 3 or (learned is not None and array.shape[1:] == learned):
        return array
    if array.shape[-1] in CHANNELS:
        return one_image(array, 0)[None]
    if array.shape[0] == 1 or array.shape[0] not in CHANNELS:
        return array
    # perhaps the network learned from grey images
    if array.shape[0] != 3 or (learned is not None and len(learned) != 3):
        raise DataError("L282", where=f"shape {array.shape}", n=array.shape[0])
    return one_image(array, 0)[None]


def _unclear_channels(n: int, shape: tuple[int, ...]) -> DataError:
    return DataError("L283", where=f"shape {shape}", n=n)


def _no_array(where: str, todo: str) -> DataError:
    return DataError("L219", where=where, todo=todo)
