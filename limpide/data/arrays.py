"""Images that a program already holds: NumPy arrays, or a list of files with their labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limpide.data.dataset import ArrayImages, Dataset, FileImages, Names
from limpide.errors import DataError
from limpide.files import sha256
from limpide.language import N_, Message, message


def from_arrays(images: Any, labels: Any, *, groups: Any = None, name: str = "arrays") -> Dataset:
    """images: (n, height, width) grey or (n, height, width, 1 | 3), uint8, or floats in 0…1 or 0…255 · labels: (n,) names or numbers.

    groups: (n,) names or numbers of what must not be cut apart. Raises DataError for shapes and values that are no images.
    """
    array, notes = as_pixels(images)
    classes, index = _classes(labels, len(array))
    # The place of data that lie nowhere is their content: the same arrays continue the same unfinished run.
    location = f"{name}:{sha256(np.ascontiguousarray(array).data)[:16]}"
    names = Names(f"{i:06d}" for i in range(len(array)))
    return Dataset(name, location, ArrayImages(array, names), index, classes, np.zeros(len(array), np.uint8), _groups(groups, len(array)), (), notes)


def from_paths(files: Sequence[str | os.PathLike[str]], labels: Any, *, groups: Any = None, name: str = "files") -> Dataset:
    """files: paths of image files, in any folders · labels, groups: as in `from_arrays`. Raises DataError."""
    paths = [os.path.abspath(os.fspath(file)) for file in files]  # noqa: PTH100
    classes, index = _classes(labels, len(paths))
    missing = [path for path in paths if not os.path.isfile(path)]  # noqa: PTH113
    if missing:
        raise DataError(
            "L218",
            N_("{n} of {total} files are not there"),
            where=missing[0],
            todo=N_("give paths of image files that exist"),
            n=len(missing),
            total=len(paths),
        )
    root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    relative = [os.path.relpath(path, root) for path in paths]
    location = f"{name}:{sha256(chr(0).join(paths).encode('utf-8', 'surrogateescape'))[:16]}"
    return Dataset(name, location, FileImages(Path(root), Names(relative)), index, classes, np.zeros(len(paths), np.uint8), _groups(groups, len(paths)))


def as_pixels(images: Any) -> tuple[np.ndarray, list[Message]]:
    """uint8 (n, height, width) or (n, height, width, 3), and what was done to get there. Raises DataError."""
    array = np.asarray(images)
    notes = []
    if array.ndim == 4 and array.shape[-1] not in (1, 3, 4) and array.shape[1] in (1, 3):
        array = np.moveaxis(array, 1, -1)
        notes.append(message(N_("the arrays have channels first and were turned around")))
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] != 3) or not len(array):
        raise DataError(
            "L219",
            N_("this is no array of images"),
            where=f"shape {np.shape(images)}",
            todo=N_("give (n, height, width) for grey or (n, height, width, 3) for RGB images"),
        )
    if array.dtype == np.uint8:
        return array, notes
    if array.dtype == bool:
        return array.astype(np.uint8) * 255, notes
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise DataError("L219", N_("this is no array of images"), where=f"dtype {array.dtype}", todo=N_("give uint8, or floats between 0 and 1"))
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError("L230", N_("the images hold values that are not numbers"), where=f"dtype {array.dtype}", todo=N_("remove NaN and infinity"))
    if low < 0 or high > 255:
        raise DataError("L231", N_("the images hold values outside of 0 … 255"), where=f"{low:g} … {high:g}", todo=N_("rescale them to 0 … 1 or 0 … 255"))
    scale = grey_scale(array)
    notes.append(
        message(
            N_("the arrays were rounded to 256 grey levels ({low:number} … {high:number} became {a:count} … {b:count})"),
            low=low,
            high=high,
            a=round(low * scale),
            b=round(high * scale),
        )
    )
    return np.rint(array * scale).astype(np.uint8), notes


def grey_scale(array: np.ndarray) -> float:
    """What turns these values into grey levels: floats up to 1, and up to 16 as scikit-learn's digits have them, are stretched."""
    if not np.issubdtype(array.dtype, np.floating):
        return 1.0
    high = float(array.max())
    return 255.0 if high <= 1 else 255.0 / 16 if high <= 16 else 1.0


def _classes(labels: Any, n: int) -> tuple[tuple[str, ...], np.ndarray]:
    """(names of the classes, int64 (n,)). Numbers are ordered as numbers. Raises DataError."""
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] > 1:
        raise DataError(
            "L215",
            N_("images seem to have several labels each, and limpide gives one class to an image (multi-label is not supported)"),
            where=f"labels of shape {given.shape}",
            todo=N_("keep one label an image, or train one model a label"),
        )
    given = given.reshape(-1)
    if len(given) != n:
        raise DataError("L232", N_("there are {n} images and {k} labels"), where="labels", todo=N_("give one label an image"), n=n, k=len(given))
    missing = _missing(labels).sum() if given.dtype.kind not in "iub" or np.ma.isMaskedArray(labels) else 0
    if missing:
        raise DataError(
            "L240",
            N_("{n} of {total} labels are missing"),
            where="labels",
            todo=N_("give every image a label, or leave out those that have none"),
            n=int(missing),
            total=n,
        )
    if np.issubdtype(given.dtype, np.floating) and not np.array_equal(given, np.round(given)):
        raise DataError(
            "L229",
            N_("the labels are measured numbers, and limpide tells classes apart (regression is not supported)"),
            where=f"{given[0]}",
            todo=N_("cut the numbers into classes, such as low, middle and high"),
        )
    names, index = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            "L204",
            N_("all images are in one class, {name}: there is nothing to tell apart"),
            where="labels",
            todo=N_("give images of another class, too"),
            name=str(names[0]) if len(names) else "",
        )
    return tuple(str(value) for value in names.tolist()), index.astype(np.int64)


def _missing(values: Any) -> np.ndarray:
    """bool (n,): None, NaN, pandas' NA, an empty text and what is masked."""

    def nothing(value: Any) -> bool:
        try:
            return value is None or bool(value != value) or (isinstance(value, str) and not value.strip())
        except TypeError:  # NA is neither equal nor unequal to itself
            return True

    found = np.fromiter((nothing(value) for value in np.asarray(values, dtype=object).reshape(-1)), bool)
    return found | np.ma.getmaskarray(values).reshape(-1) if np.ma.isMaskedArray(values) else found


def _groups(groups: Any, n: int) -> np.ndarray | None:
    if groups is None:
        return None
    given = np.asarray(groups, dtype=object).reshape(-1)
    if len(given) != n:
        raise DataError("L235", N_("there are {n} images and {k} groups"), where="groups", todo=N_("give one group an image"), n=n, k=len(given))
    none = _missing(groups)  # an image without company
    found = np.unique(given.astype(str), return_inverse=True)[1].astype(np.int64)
    return np.where(none, -1, found)
