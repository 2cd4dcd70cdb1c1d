"""What a program hands to ImageClassifier in place of a folder: an array of images, one image, a list of paths; and labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from limpide.data.arrays import as_pixels, from_arrays, from_paths, grey_scale
from limpide.data.dataset import Dataset
from limpide.errors import DataError
from limpide.language import N_
from limpide.run_info import RunInfo
from limpide.typed import unfit

Path = str | os.PathLike[str]


def paths_in(X: Any) -> list[Path] | None:
    """The paths in X: one path, or any sequence that holds nothing else; None for images."""
    if isinstance(X, (str, os.PathLike)):
        return [X]
    if isinstance(X, np.ndarray) and X.dtype.kind not in "UO":
        return None
    if isinstance(X, Image.Image) or not hasattr(X, "__len__") or getattr(X, "ndim", 1) != 1:
        return None
    found = list(X)
    return found if all(isinstance(item, (str, os.PathLike)) for item in found) else None


def labelled(X: Any, y: Any, groups: Any = None) -> tuple[Dataset, dict[str, Any], np.ndarray]:
    """(data set, what predicting has to know later, as JSON, the distinct labels in the order of the classes). Raises DataError."""
    if y is None:
        raise DataError("L220", N_("these images have no labels"), where="fit", todo=N_("call fit(X, y) with one label an image, or fit(folder)"))
    labels = np.asarray(y)
    try:
        classes = np.unique(labels)
    except TypeError:
        raise DataError(
            "L221", N_("labels are missing or of several kinds"), where=f"{labels.dtype}", todo=N_("give one label an image: all text, or all whole numbers")
        ) from None
    paths, scale = paths_in(X), None
    if paths is not None:
        dataset = from_paths(paths, labels, groups=groups)
    else:
        array = _array(X)
        if array.ndim == 2:
            raise DataError(
                "L222",
                N_("these are rows of numbers, and images were expected"),
                where=f"shape {array.shape}",
                todo=N_("reshape them to (n, height, width), or use limpide.flattened.FlatImageClassifier"),
            )
        dataset = from_arrays(array, labels, groups=groups)
        scale = scale_of(array)
    dataset = dataset if groups is None else replace(dataset, grouped_by="group")
    plain = all(isinstance(label, (str, int, float)) for label in classes.tolist())
    return dataset, {"scale": scale, "dtype": classes.dtype.str, "labels": classes.tolist() if plain else None}, classes


def labels_of(info: RunInfo) -> np.ndarray:
    """The distinct labels that a run was trained with, in the order of its classes: those of a program in their own type. Raises typed.Unfit."""
    known = info.arrays
    if known is None or known.labels is None:
        return np.array(info.classes)
    try:
        return learned_of(np.array(known.labels, dtype=np.dtype(known.dtype)), info)
    except (TypeError, ValueError) as error:
        raise unfit("arrays.labels", N_("of the type arrays.dtype")) from error


def learned_of(labels: np.ndarray, info: RunInfo) -> np.ndarray:
    """Without those of classes that only the test part has. Raises typed.Unfit."""
    if info.learned is None:  # of a limpide that learned all of them
        return labels
    if not all(0 <= k < len(labels) for k in info.learned):
        raise unfit("learned", N_("places in arrays.labels"))
    return labels[list(info.learned)]


def scale_of(array: np.ndarray) -> float | None:
    """What turns these floats into grey levels; None for whole numbers. Images to come are measured with the same rule."""
    if not np.issubdtype(array.dtype, np.floating):
        return None
    return grey_scale(array)


def images_in(X: Any, scale: float | None = None) -> Sequence[Image.Image]:
    """RGB images of an array, of one image (height, width) or (height, width, 3), or of a list of Pillow's. Raises DataError.

    scale: as the training data had it, for floats. Without it the floats given decide, as in `from_arrays`.
    """
    if isinstance(X, Image.Image):
        return [X.convert("RGB")]
    if isinstance(X, (list, tuple)) and X and all(isinstance(item, Image.Image) for item in X):
        return [item.convert("RGB") for item in X]
    array = _array(X)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3)):  # no image is one or three pixels wide
        array = array[None]
    if scale is not None and np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all():
        array = np.rint(array * scale).astype(np.int64)
    return [Image.fromarray(pixels).convert("RGB") for pixels in as_pixels(array)[0]]


def _array(X: Any) -> np.ndarray:
    try:
        return np.asarray(X)
    except ValueError:
        raise DataError(
            "L223", N_("these images have several sizes"), where=f"{len(X)}", todo=N_("bring them to one size, or save them and give their paths")
        ) from None
