"""Images that a user or a program passes in place of a folder, read by one rule in every form.

One image is a path, the bytes of a file, an open file, an opened Pillow image, or an array; several are a list, a
tuple, an object array, a column of a table, or an array with one more axis. Files, bytes and Pillow images go through
`data/decoding/decode.py`. An array is taken as it is: (height, width) grey, (height, width, 1 or 3) or (1 or 3, height,
width). It cannot say that its file was rotated, held palette indices or CMYK, or would have been decoded at a fraction
of its size: an ambiguous array is refused.
"""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from limpide.core.errors import DataError, LimpideWarning, UsageError
from limpide.core.run_info import Arrays, RunInfo
from limpide.core.typed_json import invalid_field
from limpide.data.arrays import (
    CLIPPED,
    as_pixels,
    as_values,
    common_scale,
    from_arrays,
    from_paths,
    has_at_most_8_bits,
    need_a_range,
    one_image,
    whole_batch,
)
from limpide.data.dataset import Dataset
from limpide.data.decoding.decode import Remarks, Undecodable, image_from_array
from limpide.data.decoding.deep_values import Span
from limpide.data.decoding.pillow_images import file_of, load_opened, path_of
from limpide.data.preprocessing import Preprocessing
from limpide.text.messages import N_, message

Name = str | os.PathLike[str]
# one image; an array of `images_in` is uint8 (height, width) or (height, width, 3)
Item = Name | bytes | Image.Image | np.ndarray

NAME_ONE = N_("give an image file: JPEG, PNG, WebP, TIFF …")


FROM_FILES = Arrays(shape=None)  # for a network that learned from files


# -- images to predict


def images_in(X: Any, arrays: Arrays = FROM_FILES, value_range: Span | None = None) -> list[Item]:
    """One item per image, in order; a folder or a pattern yields its files. Raises DataError, and UsageError where no
    file matches.

    arrays: describes the arrays that the network learned from, so that these are scaled by the same rule. value_range:
    the range with which the network reads files of more than 8 bits, and therefore arrays of every type but uint8 and
    bool.
    """
    images = _unpack(X)
    if isinstance(images, np.ndarray):
        none = images.ndim > 0 and not len(images)
        return [] if none else list(_measure_gray([whole_batch(images, arrays.shape)], arrays.scale, value_range)[0])
    if paths := _choose_paths(images):
        return list(files_in(paths))
    array_items = {k: item[None] for k, item in enumerate(images) if isinstance(item, np.ndarray)}
    for k, pixels in zip(
        array_items, _measure_gray(list(array_items.values()), arrays.scale, value_range), strict=True
    ):
        images[k] = pixels[0]
    return images


def decode_input(item: Item, preprocessing: Preprocessing, name: str = "") -> Image.Image:
    """The RGB image of one item of `images_in`, decoded as this preprocessing requires. Raises DataError, which names
    the image.
    """
    where = os.fspath(item) if isinstance(item, (str, os.PathLike)) else name
    try:
        if isinstance(item, np.ndarray):
            return Image.fromarray(item).convert("RGB")
        image, remarks = preprocessing.opened(
            item if isinstance(item, (bytes, Image.Image)) else Path(item).read_bytes()
        )
        _warn_of_clipping(Remarks.CLIPPED in remarks)
        return image
    except Undecodable as error:
        raise DataError("L207", what=error.reason, where=where, todo=NAME_ONE) from error
    except OSError as error:
        raise DataError("L208", where=f"{where}: {error.strerror}", todo=NAME_ONE) from error


def decode_inputs(items: Sequence[Item], preprocessing: Preprocessing, start: int, stop: int) -> list[Image.Image]:
    """`decode_input` of the items from start to stop; an item without a name is named by its position."""
    return [decode_input(items[k], preprocessing, f"image {k}") for k in range(start, min(stop, len(items)))]


def paths_in(X: Any) -> list[str] | None:
    """The files that X names, in their order; None where it holds anything else."""
    items = None if isinstance(X, Image.Image) else _unpack(X)
    if not isinstance(items, list):
        return None
    paths = _choose_paths(items)
    return files_in(paths) if paths else None if items else []


def files_in(patterns: Iterable[Name]) -> list[str]:
    """Files as they are, every file of a folder, and the matches of a pattern. Raises UsageError if there are none."""
    names, files = [os.fspath(pattern) for pattern in patterns], []
    for pattern in names:
        path = Path(pattern)
        if path.is_dir():
            files += sorted(str(p) for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        elif not path.exists() and glob.has_magic(pattern):
            files += sorted(glob.glob(pattern, recursive=True))
        else:
            files.append(pattern)
    if not files:
        raise UsageError("L108", where=" ".join(names))
    return files


# -- images to train on


def labeled_images(
    X: Any, y: Any, folder: Path, groups: Any = None, value_range: str | Span = "auto"
) -> tuple[Dataset, dict[str, Any], np.ndarray]:
    """(data set, what prediction needs later, as JSON, the distinct labels in the order of the classes). Raises
    DataError.

    value_range: as in Recipe. folder: images that are neither files nor arrays of one shape are written there, so that
    they are trained on as files are.
    """
    labels, classes = _distinct_labels(y)
    images = _stack_alike(_unpack(X))
    shape = None
    if isinstance(images, list):
        arrays = [item for item in images if isinstance(item, np.ndarray)]
        scale, deep = common_scale(arrays), need_a_range(arrays, value_range)
        paths = [_put_in_file(item, folder / f"{k:06d}", scale, deep) for k, item in enumerate(images)]
        dataset = from_paths(paths, labels, groups=groups)
    elif images.ndim == 2:
        raise DataError("L222", where=f"shape {images.shape}")
    else:
        dataset, scale = from_arrays(images, labels, groups=groups, value_range=value_range), common_scale([images])
        shape = list(dataset.images.array.shape[1:])  # type: ignore[attr-defined]
    dataset = dataset if groups is None else replace(dataset, grouped_by="group")
    plain = all(isinstance(label, (str, int, float)) for label in classes.tolist())
    record = {
        "scale": scale,
        "shape": shape,
        "dtype": classes.dtype.str,
        "labels": classes.tolist() if plain else None,
    }
    return dataset, record, classes


def _distinct_labels(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """(the labels as an array, the distinct ones in order). Raises DataError."""
    if y is None:
        raise DataError("L220", where="fit")
    labels = np.asarray(y)
    try:
        return labels, np.unique(labels)
    except TypeError:
        raise DataError("L221", where=f"{labels.dtype}") from None


def labels_of(info: RunInfo) -> np.ndarray:
    """The distinct labels that a run was trained with, in the order of its classes; labels that a program passed keep
    their type. Raises InvalidJson.
    """
    arrays = info.arrays
    if arrays is None or arrays.labels is None:
        return np.array(info.classes)
    try:
        return learned_of(np.array(arrays.labels, dtype=np.dtype(arrays.dtype)), info)
    except (TypeError, ValueError) as error:
        raise invalid_field("arrays.labels", N_("of the type arrays.dtype")) from error


def learned_of(labels: np.ndarray, info: RunInfo) -> np.ndarray:
    """The labels without those of classes that only the test part has. Raises InvalidJson."""
    if info.learned is None:  # written by a limpide that learned all classes
        return labels
    if not all(0 <= k < len(labels) for k in info.learned):
        raise invalid_field("learned", N_("indices into arrays.labels"))
    return labels[list(info.learned)]


def _stack_alike(images: np.ndarray | list[Item]) -> np.ndarray | list[Item]:
    """Stacks the images into one array if all of them are arrays of one shape."""
    arrays = [item for item in images if isinstance(item, np.ndarray)]
    alike = isinstance(images, list) and 0 < len(arrays) == len(images) and len({array.shape for array in arrays}) == 1
    return np.stack(arrays) if alike else images


def _put_in_file(item: Item, place: Path, scale: float | None, deep: bool) -> Name:
    """The file of this image: its own if it has one that shows it unchanged, else one written at `place`. Raises
    DataError.

    deep: arrays keep their values, and the value range of the data set is applied later.
    """
    if isinstance(item, (str, os.PathLike)):
        return item
    if isinstance(item, bytes):
        place.write_bytes(item)
    elif isinstance(item, np.ndarray) and deep and not has_at_most_8_bits(item):
        Image.fromarray(as_values(item, int(place.name))).save(place, "TIFF")
    elif isinstance(item, np.ndarray):
        Image.fromarray(as_pixels(item[None], scale)[0][0]).save(place, "PNG", compress_level=1)
    elif path := path_of(item):
        return path
    elif data := file_of(item):
        place.write_bytes(data)
    else:
        try:
            image = load_opened(item)
            if image.mode.startswith(("I", "F")):  # more than 8 bits: the value range of the data set is applied later
                ImageOps.exif_transpose(image).save(place, "TIFF")
            else:
                image_from_array(image)[0].save(place, "PNG", compress_level=1)
        except Undecodable as error:
            raise DataError("L207", what=error.reason, where=f"image {int(place.name)}", todo=NAME_ONE) from error
    return place


# -- containers of images


def _unpack(X: Any) -> np.ndarray | list[Item]:
    """Returns numbers as an array of any shape, and every other container of images as a list. Raises DataError."""
    if _is_one(X):
        return [_read_item(X, 0)]
    if hasattr(X, "to_numpy"):  # a column of a table
        X = X.to_numpy()
    nested = isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], (list, tuple, Number))
    if nested or hasattr(X, "__array__"):
        X = _as_array(X)
        if X.dtype.kind not in "OUT":
            return X  # type: ignore[no-any-return]
        if X.ndim > 1 and X.shape != (len(X), 1):
            raise DataError("L219", where=f"shape {X.shape}")
        X = X.reshape(-1)
    if isinstance(X, (Mapping, Set)) or not isinstance(X, Iterable):
        raise DataError("L281", where=type(X).__name__)
    return [_read_item(item, k) for k, item in enumerate(X)]


def _is_one(X: Any) -> bool:
    return isinstance(X, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)) or hasattr(X, "read")


def _read_item(item: Any, k: int) -> Item:
    if hasattr(item, "read") and not isinstance(item, os.PathLike):
        item = item.read()
        item = b"" if isinstance(item, str) else item  # opened as text
    if isinstance(item, (str, os.PathLike, Image.Image)):
        return item
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if hasattr(item, "__array__") or isinstance(item, (list, tuple)):
        return one_image(_as_array(item), k)
    raise DataError("L281", where=f"image {k}: {type(item).__name__}")


def _choose_paths(items: list[Item]) -> list[Name]:
    """The items if all of them are paths, else an empty list."""
    paths: list[Name] = [item for item in items if isinstance(item, (str, os.PathLike))]
    return paths if len(paths) == len(items) else []


def _as_array(X: Any) -> np.ndarray:
    try:
        return np.asarray(X)
    except ValueError:
        raise DataError(
            "L223", where=f"{len(X)}", todo=N_("resize them to one size, or give each as a separate array")
        ) from None
    except (TypeError, RuntimeError) as error:  # a tensor on another device, or one that records gradients
        raise DataError(
            "L219", where=f"{type(X).__name__}: {error}", todo=N_("give uint8, or floats between 0 and 1")
        ) from None


def _measure_gray(arrays: list[np.ndarray], scale: float | None, value_range: Span | None) -> list[np.ndarray]:
    """Each array as uint8 (n, height, width) or (n, height, width, 3); one factor scales the floats of all of them."""
    by = common_scale(arrays) if scale is None else scale
    measured = [as_pixels(array, by, value_range) for array in arrays]
    _warn_of_clipping(any(note.id == CLIPPED for _, notes in measured for note in notes))
    return [pixels for pixels, _ in measured]


def _warn_of_clipping(clipped: bool) -> None:
    """Warns a program. The text is the same every time, so Python shows it once."""
    if clipped:
        warnings.warn(str(message(CLIPPED)), LimpideWarning, stacklevel=3)
