"""Labels and groups that a program passes with its images → the class names, and one number per image."""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.core.errors import DataError


def index_labels(labels: Any, n: int) -> tuple[tuple[str, ...], np.ndarray]:
    """(names of the classes, int64 (n,)). Numbers are ordered as numbers. Raises DataError."""
    array = np.asarray(labels)
    _refuse_columns(array)
    array = array.reshape(-1)
    _refuse_unusable(labels, array, n)
    names, index = np.unique(array, return_inverse=True)
    if len(names) < 2:
        raise DataError("L204", where="labels", name=str(names[0]) if len(names) else "")
    return tuple(str(value) for value in names.tolist()), index.astype(np.int64)


def _refuse_columns(array: np.ndarray) -> None:
    """Raises DataError if there are several labels, or columns, per image."""
    if array.ndim != 2 or array.shape[1] <= 1:
        return
    if array.dtype.kind in "biuf" and np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all():
        raise DataError("L280", where=f"labels of shape {array.shape}")
    raise DataError("L215", where=f"labels of shape {array.shape}")


def _refuse_unusable(labels: Any, array: np.ndarray, n: int) -> None:
    """Raises DataError for labels that are too few or too many, missing, or not whole numbers. array: `labels` as an
    array.
    """
    if len(array) != n:
        raise DataError("L232", where="labels", n=n, k=len(array))
    missing = _is_missing(labels).sum() if array.dtype.kind not in "iub" or np.ma.isMaskedArray(labels) else 0
    if missing:
        raise DataError("L240", where="labels", n=int(missing), total=n)
    if np.issubdtype(array.dtype, np.floating) and not np.array_equal(array, np.round(array)):
        raise DataError("L229", where=f"{array[0]}")


def _is_missing(values: Any) -> np.ndarray:
    """bool (n,): true for None, NaN, pandas' NA, blank text and masked values."""

    def nothing(value: Any) -> bool:
        try:
            return value is None or bool(value != value) or (isinstance(value, str) and not value.strip())
        except TypeError:  # NA is neither equal nor unequal to itself
            return True

    missing = np.fromiter((nothing(value) for value in np.asarray(values, dtype=object).reshape(-1)), bool)
    return missing | np.ma.getmaskarray(values).reshape(-1) if np.ma.isMaskedArray(values) else missing


def number_groups(groups: Any, n: int) -> np.ndarray | None:
    if groups is None:
        return None
    array = np.asarray(groups, dtype=object).reshape(-1)
    if len(array) != n:
        raise DataError("L235", where="groups", n=n, k=len(array))
    none = _is_missing(groups)  # these images are in no group
    numbers = np.unique(array.astype(str), return_inverse=True)[1].astype(np.int64)
    return np.where(none, -1, numbers)
