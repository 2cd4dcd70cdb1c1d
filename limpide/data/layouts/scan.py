"""A path or a name → a Dataset: which files are images, in which class, in which part. Nothing is decoded here."""

from __future__ import annotations

import os
from pathlib import Path

from limpide.core.errors import DataError, nearest
from limpide.data.dataset import Dataset
from limpide.data.layouts.archive import is_archive
from limpide.data.layouts.build_dataset import build_from_tables
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.list_files import Counted, list_pictures
from limpide.data.layouts.scan_archive import scan_archive
from limpide.data.layouts.scan_folder import scan_folder
from limpide.data.layouts.table import read_meaning
from limpide.data.layouts.table_cells import is_table
from limpide.data.named_datasets import DATASETS
from limpide.text.messages import N_


def scan(
    location: str | os.PathLike[str],
    *,
    fewest_classes: int = 2,
    hints: Hints | None = None,
    counted: Counted = lambda _: None,
) -> Dataset:
    """A folder (see data/layouts/layout.py), a table (data/layouts/table.py), a zip or tar, or the name of a data set
    in NAMED.

    counted: called with the number of files of a folder found so far. Raises DataError if there is nothing to learn
    from, which says what was expected, and UsageError for hints that do not fit.
    """
    text, hints = os.fspath(location), hints or Hints()
    if not text:
        raise _missing(text, Path(text))
    # Path.expanduser raises for an unknown user, Path.exists for a name that is too long.
    path = Path(os.path.expanduser(text))  # noqa: PTH111
    if not os.path.exists(path):
        if text in DATASETS:
            return DATASETS[text]()
        raise _missing(text, path)
    dataset = _scan_existing(text, path, hints, counted)
    if len(dataset.classes) < fewest_classes:
        raise DataError(
            "L204", where=text, todo=N_("add a folder with images of another class"), name=dataset.classes[0]
        )
    return dataset


def _scan_existing(text: str, path: Path, hints: Hints, counted: Counted) -> Dataset:
    if path.is_dir():
        return scan_folder(text, path, hints, counted)
    if is_table(path):
        return build_from_tables(path, [read_meaning(path, hints, list_pictures)], [""], hints)
    if is_archive(path):
        hints.refuse_columns()
        return scan_archive(text, path, hints)
    raise DataError("L201", where=text)


def _missing(text: str, path: Path) -> DataError:
    neighbours = (
        [p.name for p in path.parent.iterdir() if p.is_dir() or is_table(p) or is_archive(p)]
        if path.parent.is_dir()
        else []
    )
    guess = nearest(path.name, [*neighbours, *DATASETS])
    todo = N_("did you mean {guess}?") if guess else N_("name a folder of images, or one of the data sets {names}")
    shown = guess if guess in DATASETS else str(path.parent / guess)
    return DataError("L202", where=text, todo=todo, guess=shown, names=", ".join(DATASETS))
