"""The tables in a folder: which of them describe its images, and why the others are not used."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from limpide.core.errors import DataError, LimpideError, UsageError
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import NOT_NAMED, Ignored
from limpide.data.layouts.layout import Layout
from limpide.data.layouts.list_files import list_pictures
from limpide.data.layouts.name_words import PICTURES, ending, parts_of, says_nothing
from limpide.data.layouts.table import Table, read_meaning
from limpide.data.layouts.table_cells import LISTS, SUFFIXES, is_table
from limpide.data.layouts.table_parts import TWO_PARTS, part_said_by_name, parts_of_files, parts_of_tables
from limpide.data.layouts.table_paths import MIN_SHARE_AS_WRITTEN
from limpide.text.messages import N_, message

INSTEAD = N_("to use it, name it instead of the folder: {table}")
MAX_TABLES = 20  # of one kind in a folder; if there are more, none is read

Refused = dict[str, LimpideError]  # name of a table → why it is not used


@dataclass(frozen=True)
class FolderTables:
    """The tables to read, the part of each, and the tables that do not fit."""

    tables: Sequence[Table]
    parts: Sequence[str]
    refused: Refused


def find_tables(text: str, path: Path, names: Sequence[str], hints: Hints, *, known_only: bool) -> FolderTables:
    """The tables that fit the images. Raises DataError if several fit and nothing distinguishes them."""
    at_top = [name for name in names if "/" not in name]
    top = _read_fitting(path, _choose_candidates(path, at_top, (*SUFFIXES, *LISTS)), hints, known_only)
    if top.tables:
        chosen = _choose_at_top(text, top)
    else:
        below = [name for name in names if 0 < name.count("/") <= 2]
        deeper = _read_fitting(path, _choose_candidates(path, below, SUFFIXES), hints, known_only)
        if (lacking := [*top.lacking, *deeper.lacking]) and not deeper.tables:
            raise lacking[0]
        chosen = _choose_in_folders(deeper.tables, top.refused | deeper.refused)
    if chosen.tables and not hints.of_a_table and not _hold_training(chosen):
        return FolderTables([], [], chosen.refused | _refuse_held_out(path, chosen.tables))
    return chosen


@dataclass(frozen=True)
class _Fitting:
    tables: list[Table] = field(default_factory=list)
    refused: Refused = field(default_factory=dict)
    lacking: list[UsageError] = field(default_factory=list)  # the column that the user names may be in another table


def _read_fitting(path: Path, names: Sequence[str], hints: Hints, known_only: bool) -> _Fitting:
    fitting = _Fitting()
    for name in names:
        home = path if "/" in name else None
        try:
            fitting.tables.append(read_meaning(path / name, hints, list_pictures, known_only=known_only, home=home))
        except UsageError as error:
            if error.code != "L116":
                raise
            fitting.lacking.append(error)
        except DataError as error:
            fitting.refused[name] = error
    return fitting


def _choose_candidates(path: Path, names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Files that may be tables of images. There are few of each kind: one text or table per image is something else,
    and is not opened.
    """
    by_kind = {kind: [name for name in names if ending(name) == kind] for kind in suffixes}
    return sorted(
        name for of_kind in by_kind.values() if len(of_kind) <= MAX_TABLES for name in of_kind if is_table(path / name)
    )


def _choose_at_top(text: str, top: _Fitting) -> FolderTables:
    parts = parts_of_tables(top.tables)
    if not parts:
        raise DataError("L241", where=text, names=", ".join(table.cells.path.name for table in top.tables))
    used = [top.tables[k] for k in parts]
    read = ", ".join(table.cells.path.name for table in used)
    refused = dict(top.refused)
    for file in [table.cells.path for table in top.tables if table not in used]:
        refused[file.name] = DataError("L292", where=file, todo=INSTEAD, names=read, table=str(file))
    return FolderTables(used, [*parts.values()], refused)


def _choose_in_folders(tables: Sequence[Table], refused: Refused) -> FolderTables:
    """One table per folder, of the part in the name of the folder; none if a folder has several."""
    folders = [table.cells.path.parent for table in tables]
    if len(set(folders)) < len(tables):
        return FolderTables([], [], refused)
    parts = parts_of(folder.name for folder in folders) if tables else {}
    return FolderTables(tables, [parts.get(folder.name, "") for folder in folders], refused)


def _hold_training(chosen: FolderTables) -> bool:
    """Whether one of the tables is for training, or names no part."""
    alone = len(chosen.tables) == 1
    for table, stated_part in zip(chosen.tables, chosen.parts, strict=True):
        part = part_said_by_name(table) if alone and not stated_part else stated_part
        if part in ("", "train") or "train" in table.parts:
            return True
    return False


def _refuse_held_out(path: Path, tables: Sequence[Table]) -> Refused:
    says = N_("by its name, the table is not for training")
    return {
        os.path.relpath(file, path): DataError("L293", what=says, where=file, todo=INSTEAD, table=str(file))
        for file in (table.cells.path for table in tables)
    }


# -- beside folders that say classes


def refuse_partial(path: Path, names: Sequence[str], layout: Layout, tables: Sequence[Table]) -> Refused:
    """Tables that name half or less of the images to which folders give a class: they are notes, or describe only a few
    images.
    """
    # images/ and more/ are not classes
    telling = {label for label in layout.labels if label.isdigit() or not says_nothing(label)}
    if len(telling) < 2:
        return {}
    home = path.resolve()
    named = {os.path.normpath(table.root / file) for table in tables for file in table.found.files if file}
    classed = [names[i] for i, label in zip(layout.files, layout.labels, strict=True) if label in telling]
    n, total = sum(os.path.normpath(home / name) in named for name in classed), len(classed)
    if n > MIN_SHARE_AS_WRITTEN * total:
        return {}
    refused: Refused = {}
    for table in tables:
        file = table.cells.path
        refused[os.path.relpath(file, path)] = DataError(
            "L294", where=file, todo=INSTEAD, n=n, total=total, table=str(file)
        )
    return refused


def add_parts(
    path: Path, names: Sequence[str], layout: Layout, hints: Hints, refused: Refused
) -> tuple[Layout, Refused]:
    """(the layout with parts, the tables that are still not read): folders give the classes, and tables or lists
    without labels the parts: splits.csv, or train.txt and test.txt.
    """
    tables = []
    for name in [name for name, error in refused.items() if error.code == "L225" and hints.split_column != "none"]:
        with contextlib.suppress(LimpideError):
            table = read_meaning(path / name, hints, list_pictures, known_only=True, of_parts=True)
            tables += [table] if not table.meaning.label and (table.meaning.part or part_said_by_name(table)) else []
    part_of_file = parts_of_files(tables, path)
    parts = [part_of_file.get(names[i], "") for i in layout.files]
    if not any(part and part != TWO_PARTS for part in parts):
        return layout, refused
    used = [os.path.relpath(table.cells.path, path) for table in tables]
    unambiguous = [k for k, part in enumerate(parts) if part != TWO_PARTS]
    twice = [(i, TWO_PARTS) for i, part in zip(layout.files, parts, strict=True) if part == TWO_PARTS]
    note = message(N_("the parts (train, validation, test) come from {names}"), names=", ".join(used))
    parted = replace(
        layout,
        files=[layout.files[k] for k in unambiguous],
        labels=[layout.labels[k] for k in unambiguous],
        parts=[parts[k] for k in unambiguous],
        groups=[layout.groups[k] for k in unambiguous],
        notes=[*layout.notes, note],
        left=[*layout.left, *twice],
    )
    return parted, {name: error for name, error in refused.items() if name not in used}


def count_not_named(path: Path, names: Sequence[str], tables: Sequence[Table]) -> list[Ignored]:
    """Pictures in the folder that are in none of its tables, by their outermost folder."""
    home = path.resolve()
    used = {os.path.normpath(table.root / file) for table in tables for file in table.found.files if file}
    others = [name for name in names if ending(name) in PICTURES and os.path.normpath(home / name) not in used]
    counts = Counter(name.split("/")[0] if "/" in name else ending(name) for name in others)
    return [Ignored(what, n, NOT_NAMED) for what, n in sorted(counts.items())]
