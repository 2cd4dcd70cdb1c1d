"""Labels and groups that a program hands over beside its images → the names of the classes, and a number an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.core.errors import DataError


def index_labels(labels: Any, n: int) -> tuple[tuple[str, ...], np.ndarray]:
    """(names of the classes, int64 (n,)). Numbers are ordered as numbers. Raises DataError."""
    given = np.asarray(labels)
    _refuse_columns(given)
    given = given.reshape(-1)
    _refuse_unusable(labels, given, n)
    names, index = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise DataError("L204", where="labels", name=str(names[0]) if len(names) else "")
    return tuple(str(value) for value in names.tolist()), index.astype(np.int64)


def _refuse_columns(given: np.ndarray) -> None:
    """Raises DataError where there are several labels, or columns, an image."""
    if given.ndim != 2 or given.shape[1] <= 1:
        return
    if given.dtype.kind in "biuf" and np.isin(given, (0, 1)).all() and (given.sum(1) == 1).all():
        raise DataError("L280", where=f"labels of shape {given.shape}")
    raise DataError("L215", where=f"labels of shape {given.shape}")


def _refuse_unusable(labels: Any, given: np.ndarray, n: int) -> None:
    """Raises DataError for labels that are too few or too many, missing, or measured. given: `labels`, as an array."""
    if len(given) != n:
        raise DataError("L232", where="labels", n=n, k=len(given))
    missing = _is_missing(labels).sum() if given.dtype.kind not in "iub" or np.ma.isMaskedArray(labels) else 0
    if missing:
        raise DataError("L240", where="labels", n=int(missing), total=n)
    if np.issubdtype(given.dtype, np.floating) and not np.array_equal(given, np.round(given)):
        raise DataError("L229", where=f"{given[0]}")


def _is_missing(values: Any) -> np.ndarray:
    """bool (n,): None, NaN, pandas' NA, an empty text and what is masked."""

    def nothing(value: Any) -> bool:
        try:
            return value is None or bool(value != value) or (isinstance(value, str) and not value.strip())
        except TypeError:  # NA is neither equal nor unequal to itself
            return True

    found = np.fromiter((nothing(value) for value in np.asarray(values, dtype=object).reshape(-1)), bool)
    return found | np.ma.getmaskarray(values).reshape(-1) if np.ma.isMaskedArray(values) else found


def number_groups(groups: Any, n: int) -> np.ndarray | None:
    if groups is None:
        return None
    given = np.asarray(groups, dtype=object).reshape(-1)
    if len(given) != n:
        raise DataError("L235", where="groups", n=n, k=len(given))
    none = _is_missing(groups)  # an image without company
    found = np.unique(given.astype(str), return_inverse=True)[1].astype(np.int64)
    return np.where(none, -1, found)
