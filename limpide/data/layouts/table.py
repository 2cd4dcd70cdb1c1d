"""A table of images → which file has which label: one table, or one for each part.

`file` is looked up below the folder of the table (`data/layouts/table_paths.py`), or below the folder given by
--images, and must be inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limpide.core.errors import DataError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.name_words import listed_names, part_of
from limpide.data.layouts.table_cells import Cells, read_cells
from limpide.data.layouts.table_columns import ColumnMeaning, read_columns
from limpide.data.layouts.table_labels import labels_of, parts_in_column
from limpide.data.layouts.table_paths import Found, Places, plain
from limpide.text.messages import N_

Pictures = Callable[[Path], Sequence[str]]  # folder → the pictures below it


@dataclass(frozen=True)
class Table:
    """One interpreted table. files: of each row, relative to `root`; "" if it does not exist."""

    cells: Cells
    meaning: ColumnMeaning
    root: Path
    found: Found
    labels: list[str]
    parts: list[str]


def read_meaning(
    path: Path,
    hints: Hints,
    pictures: Pictures,
    *,
    known_only: bool = False,
    of_parts: bool = False,
    home: Path | None = None,
) -> Table:
    """The meaning of a table, and the places of its files. known_only, of_parts: as in `read_columns`.

    home: a folder around the table; files are looked up below it if the folder of the table has none of them.

    Raises DataError and UsageError.
    """
    cells = read_cells(path)
    if not len(cells):
        raise DataError("L214", where=path)
    root = _choose_root(path, hints)
    meaning = read_columns(cells, hints, known_only=known_only, of_parts=of_parts)
    places = _list_places(path, root, hints, pictures)
    matches = places.find(cells.columns[meaning.file])
    if home and not hints.images and not any(matches.files):
        root = home.resolve()
        places = _list_places(path, root, hints, pictures)
        matches = places.find(cells.columns[meaning.file])
    table = Table(cells, meaning, root, matches, labels_of(cells, meaning), parts_in_column(cells, meaning))
    if not any(matches.files):
        raise _no_files(table, places)
    return table


def _choose_root(path: Path, hints: Hints) -> Path:
    """The folder of the table, or the one that the user names. Raises DataError if it does not exist."""
    root = (Path(hints.images).expanduser() if hints.images else path.parent).resolve()
    if not root.is_dir():
        raise DataError("L289", where=root)
    return root


def _list_places(path: Path, root: Path, hints: Hints, pictures: Pictures) -> Places:
    named = part_of(path.stem)
    return Places(root, lambda: pictures(root), hints.suffix, named[0] if named else "")


def _no_files(table: Table, places: Places) -> DataError:
    """An error that names the table, its columns, the first file searched for, and the existing one with the nearest
    name.
    """
    cells = table.cells.columns[table.meaning.file]
    near = places.nearest(cells[0])
    values = {"column": table.meaning.file, "cell": cells[0], "names": ", ".join(table.cells.columns), "near": near}
    if "/" not in plain(cells[0]) and (error := _unclear_files(table, places, cells, values)):
        return error
    todo = (
        N_(
            "the image with the nearest name is {near}: name the folder of the files with --images DIR, or "
            "what the names lack with --suffix .jpg"
        )
        if near
        else N_("name their folder: --images DIR")
    )
    if "://" in cells[0]:
        return DataError("L290", where=table.cells.path, todo=todo, **values)
    return DataError("L228", where=table.cells.path, todo=todo, **values)


def _unclear_files(table: Table, places: Places, cells: Sequence[str], values: Mapping[str, str]) -> DataError | None:
    """The error if files of these names exist, but several for one name, or only for few rows."""
    if len(several := places.called([cells[0]])) > 1:
        return DataError("L296", where=table.cells.path, several=listed_names(several), **values)
    if candidates := places.called(cells):
        return DataError("L297", where=table.cells.path, file=candidates[0], **values)
    return None
