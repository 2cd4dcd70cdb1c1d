"""A table of images → which file has which label: one table, or one for each part.

`file` is looked up below the folder of the table (`data/layouts/table_paths.py`), or below the one that --images names,
and must lie inside it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limpide.core.errors import DataError, UsageError, nearest
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import UNLABELED_IMAGES
from limpide.data.layouts.name_words import UNLABELED, UNTOLD, listed_names, normalized, part_of, parts_of
from limpide.data.layouts.table_cells import Cells, read_cells
from limpide.data.layouts.table_columns import SEVERAL_LABELS, ColumnMeaning, labels_of, parts_in_column, read_columns
from limpide.data.layouts.table_paths import Found, Places, plain
from limpide.data.near_duplicates import linked_groups
from limpide.data.split import TWO_LABELS
from limpide.text.messages import N_, Message, message

MISSING_VALUES = ("na", "n/a", "nan", "none", "null", "-")  # how programs write that they do not know
TWO_PARTS = N_("the table puts it into two parts")
MISSING = N_("the table names it, but it is not there")
OUTSIDE = N_("the table names it, but it lies outside of the table's folder")
NO_LABEL = N_("the table gives it no label")
SEVERAL = N_("the table gives it several labels")

RULES = {
    "path": N_("its names are found whatever their case or Unicode form: {cell} is {file}"),
    "number": N_("its numbers are completed: {cell} is {file}"),
    "without": N_("of its paths the folders in front are left away: {cell} is {file}"),
    "name": N_("its files are found by their name alone: {cell} is {file}"),
    "stem": N_("its names are completed: {cell} is {file}"),
}


@dataclass(frozen=True)
class Table:
    """One table that was understood. files: of each row, relative to `root`; "" where it is not there."""

    cells: Cells
    meaning: ColumnMeaning
    root: Path
    found: Found
    labels: list[str]
    parts: list[str]


@dataclass(frozen=True)
class TableRows:
    """Parallel lists over the usable rows, and what was said and left out."""

    root: Path
    files: Sequence[str]  # relative to root
    labels: Sequence[str]
    parts: Sequence[str]
    groups: np.ndarray | None  # int64
    left_out: Sequence[tuple[str, str]]
    notes: Sequence[Message]
    grouped_by: str = ""  # names of the group columns, with commas


@dataclass
class Gathered:
    """Rows of one or several tables, in their order."""

    cells: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)


def read_meaning(
    path: Path,
    hints: Hints,
    pictures: Callable[[Path], Sequence[str]],
    *,
    known_only: bool = False,
    of_parts: bool = False,
    home: Path | None = None,
) -> Table:
    """What a table says, and where its files are. pictures: folder → the pictures below it. known_only, of_parts: as in
    `meaning_of`.

    home: a folder around the table: files are looked up below it, too, where its own folder has none of them.

    Raises DataError and UsageError.
    """
    cells = read_cells(path)
    if not len(cells):
        raise DataError(
            "L214",
            N_("the table is empty"),
            where=path,
            todo=N_("give it a first line file,label and one line an image"),
        )
    root = (Path(hints.images).expanduser() if hints.images else path.parent).resolve()
    if not root.is_dir():
        raise DataError(
            "L289",
            N_("the folder of images is not there"),
            where=root,
            todo=N_("name the folder that the table's files lie in"),
        )
    meaning = read_columns(cells, hints, known_only=known_only, of_parts=of_parts)
    named = part_of(path.stem)
    places = Places(root, lambda: pictures(root), hints.suffix, named[0] if named else "")
    found = places.find(cells.columns[meaning.file])
    if home and not hints.images and not any(found.files):
        root, wider = home.resolve(), home.resolve()
        places = Places(wider, lambda: pictures(wider), hints.suffix, named[0] if named else "")
        found = places.find(cells.columns[meaning.file])
    table = Table(cells, meaning, root, found, labels_of(cells, meaning), parts_in_column(cells, meaning))
    if not any(found.files):
        raise _no_files(table, places)
    return table


# What may stand in a table's name beside the part that it is of: train_labels, test_list.
BESIDE = UNTOLD | {
    "label",
    "list",
    "annotation",
    "ground",
    "truth",
    "gt",
    "solution",
    "answers",
    "info",
    "meta",
    "names",
    "files",
    "classes",
    "y",
}


def part_said_by_name(table: Table) -> str:
    """The part that a table's own name says: train_labels, test, sampleSubmission; "" where it says none, or something
    else, too.
    """
    stem = table.cells.path.stem
    found = part_of(stem)
    if found and (found[0] == UNLABELED or set(found[1]) <= BESIDE):
        return found[0]
    return ""


def parts_of_tables(tables: Sequence[Table]) -> dict[int, str]:
    """Those of several tables that are read together → the part of each; empty where nothing says which.

    A table for each part is more than one of all images beside them, and any is more than what was predicted or is to
    be handed in.
    """
    if len(tables) == 1:
        return {0: ""}
    said = {k: part for k, table in enumerate(tables) if (part := part_said_by_name(table))}
    if "train" in said.values() and len(set(said.values())) == len(said):
        return said
    every = parts_of(table.cells.path.stem for table in tables)
    if len(set(every.values())) == len(tables):
        return {k: every[table.cells.path.stem] for k, table in enumerate(tables)}
    # a list of classes is none
    others = [
        k for k, table in enumerate(tables) if said.get(k) != UNLABELED and len({*table.labels}) < len(table.labels)
    ]
    return {others[0]: ""} if len(others) == 1 else {}


def parts_of_files(tables: Sequence[Table], root: Path) -> dict[str, str]:
    """File below root → the part that tables without labels say, each row or the table's own name; `TWO_PARTS` where
    they say several.
    """
    found: dict[str, str] = {}
    for table in tables:
        below, own = os.path.relpath(table.root, root), part_said_by_name(table)
        for file, part in zip(table.found.files, table.parts, strict=True):
            name = os.path.normpath(os.path.join(below, file)).replace(os.sep, "/")
            said = part or own
            if file and said not in ("", UNLABELED):
                found[name] = said if found.get(name, said) == said else TWO_PARTS
    return found


def _no_files(table: Table, places: Places) -> DataError:
    """Names the table, its columns, the first file that was looked for, and the nearest that is there."""
    cell = table.cells.columns[table.meaning.file][0]
    near = places.nearest(cell)
    todo = (
        N_("the nearest picture is {near}: --images DIR names their folder, --suffix .jpg what the names lack")
        if near
        else N_("name their folder: --images DIR")
    )
    values = {"column": table.meaning.file, "cell": cell, "names": ", ".join(table.cells.columns), "near": near}
    if "/" not in plain(cell) and len(several := places.called([cell])) > 1:
        return DataError(
            "L296",
            N_(
                "the table does not say which file is meant: its column {column} says {cell} first, its columns "
                "are {names}, and there are {several}"
            ),
            where=table.cells.path,
            todo=N_("name the folder of the right ones: --images DIR"),
            several=listed_names(several),
            **values,
        )
    if "/" not in plain(cell) and (there := places.called(table.cells.columns[table.meaning.file])):
        return DataError(
            "L297",
            N_(
                "few of the files that the table names are there, such as {file}: its column {column} says "
                "{cell} first, and its columns are {names}"
            ),
            where=table.cells.path,
            todo=N_("name the folder of its files: --images DIR"),
            file=there[0],
            **values,
        )
    if "://" in cell:
        return DataError(
            "L290",
            N_(
                "the table names web addresses, and nothing is downloaded: its column {column} says {cell} "
                "first, and its columns are {names}"
            ),
            where=table.cells.path,
            todo=todo,
            **values,
        )
    return DataError(
        "L228",
        N_("no file that the table names is there: its column {column} says {cell} first, and its columns are {names}"),
        where=table.cells.path,
        todo=todo,
        **values,
    )


def read_tables(tables: Sequence[Table], parts: Sequence[str], root: Path, hints: Hints) -> TableRows:
    """All of them as one. parts: what each table itself is, where its rows do not say. root: a folder
    around all files.
    """
    gathered = Gathered()
    columns = tables[0].meaning.groups
    for table, part in zip(tables, parts, strict=True):
        below = os.path.relpath(table.root, root)
        for i, file in enumerate(table.found.files):
            gathered.cells.append(table.cells.columns[table.meaning.file][i])
            gathered.files.append(os.path.normpath(os.path.join(below, file)) if file else "")
            gathered.labels.append(normalized(table.labels[i]))
            gathered.parts.append(table.parts[i] or part)
            gathered.groups.append(
                tuple(table.cells.columns[name][i] if name in table.cells.columns else "" for name in columns)
            )
    notes = _told(tables, parts, columns)
    if not any(gathered.parts) and (folders := _folders_of_parts(gathered.files, hints, {*gathered.labels})):
        gathered.parts = [
            next((folders[name] for name in file.split(os.sep)[:-1] if name in folders), "") for file in gathered.files
        ]
        notes.append(
            message(
                N_("parts (train, validation, test) are the folders of the files: {names}"),
                names=", ".join(sorted(folders)),
            )
        )
    kept, left, again = _usable(root, gathered)
    if again:
        notes.append(
            message(
                N_("{n:count} of {total:count} rows repeats a file that is already listed; each file counts once"),
                N_("{n:count} of {total:count} rows repeat a file that is already listed; each file counts once"),
                n=again,
                total=len(gathered.cells),
            )
        )
    together = _joined([[row[k] for row in gathered.groups] for k in range(len(columns))], kept)
    return TableRows(
        root,
        [gathered.files[i] for i in kept],
        [gathered.labels[i] for i in kept],
        [gathered.parts[i] for i in kept],
        together,
        left,
        notes,
        "" if together is None else ", ".join(columns),
    )


def _folders_of_parts(files: Sequence[str], hints: Hints, classes: set[str]) -> Mapping[str, str]:
    """Folder → part, where files lie in train/ and test/, or as the user says; empty where they lie in no parts.
    classes: not called parts. Raises UsageError.
    """
    paths = {tuple(file.split(os.sep)[:-1]) for file in files if file}
    if named := hints.named_parts():
        inside = {name for path in paths for name in path}
        if unknown := next((folder for folder in named if folder not in inside), ""):
            guess = nearest(unknown, inside)
            todo = N_("did you mean {guess}?") if guess else N_("the folders of the files are {names}")
            known = listed_names(sorted(inside))
            raise UsageError(
                "L147",
                N_("none of the outer folders has this name"),
                where=f"parts={unknown}",
                todo=todo,
                guess=guess,
                names=known,
            )
        return named
    if hints.parts == "none":
        return {}
    for depth in range(max(map(len, paths), default=0)):
        names = {path[depth] for path in paths if len(path) > depth}
        said = parts_of(names)
        if len(set(said.values())) > 1 and "train" in said.values():
            return said
        # images/, more/ and test/: what lies in test/ is not to be learned, whatever the others are
        plain = {
            name: one[0]
            for name in names - classes
            if name.lower() != "valid" and (one := part_of(name)) and not one[1] and one[0] != UNLABELED
        }
        if set(plain.values()) - {"train"} and (len(plain) < len(names) or "train" in plain.values()):
            return plain
    return {}


def _told(tables: Sequence[Table], parts: Sequence[str], groups: Sequence[str]) -> list[Message]:
    first = tables[0]
    m = first.meaning
    if m.one_hot:
        says = message(
            N_("layout: a table with files in column {files} and a column a class ({names})"),
            files=m.file,
            names=", ".join(m.one_hot),
        )
    else:
        says = message(
            N_("layout: a table with files in column {files} and labels in {labels}"), files=m.file, labels=m.label
        )
    notes = [says]
    if len(tables) > 1:
        listed = ", ".join(
            f"{table.cells.path.name} ({part})" if part else table.cells.path.name
            for table, part in zip(tables, parts, strict=True)
        )
        notes.append(message(N_("tables that are read together: {names}"), names=listed))
    if groups:
        notes.append(message(N_("never cut apart: images with the same {names}"), names=", ".join(groups)))
    if m.part:
        notes.append(message(N_("parts (train, validation, test) are those of column {name}"), name=m.part))
    if first.found.rule:
        i = next(i for i, file in enumerate(first.found.files) if file)
        notes.append(
            message(RULES[first.found.rule.split()[0]], cell=first.cells.columns[m.file][i], file=first.found.files[i])
        )
    for table in tables:
        notes += [note for note in (*table.cells.notes, *table.meaning.notes) if note not in notes]
    return notes


def _usable(root: Path, rows: Gathered) -> tuple[list[int], list[tuple[str, str]], int]:
    """(rows that can be used, what is left out with its reason, rows that repeat a file), each file once."""
    said: dict[str, set[str]] = defaultdict(set)
    placed: dict[str, set[str]] = defaultdict(set)
    names = [
        file or os.path.normpath(cell.strip().replace("\\", "/"))
        for file, cell in zip(rows.files, rows.cells, strict=True)
    ]
    for name, label, part in zip(names, rows.labels, rows.parts, strict=True):
        said[name].add(label)
        placed[name].add(part)
    kept: list[int] = []
    left: list[tuple[str, str]] = []
    known: set[str] = set()
    home = str(root.resolve())
    for i, name in enumerate(names):
        if name in known:  # the same row twice
            continue
        known.add(name)
        if reason := _reason(home, name, rows, i, len(said[name]) > 1, len(placed[name]) > 1):
            left.append((rows.cells[i], reason))
        else:
            kept.append(i)
    return kept, left, len(names) - len(known)


def _reason(home: str, name: str, rows: Gathered, i: int, two_labels: bool, two_parts: bool) -> str:
    """Why this row cannot be used; "" where it can."""
    path = os.path.realpath(os.path.join(home, name))
    if os.path.commonpath([path, home]) != home:
        return OUTSIDE
    if not rows.files[i]:
        return MISSING
    if rows.parts[i] == UNLABELED:
        return UNLABELED_IMAGES
    if not rows.labels[i]:
        return NO_LABEL
    if rows.labels[i] == SEVERAL_LABELS:
        return SEVERAL
    if two_labels:
        return TWO_LABELS
    return TWO_PARTS if two_parts else ""


def _joined(columns: Sequence[Sequence[str]], kept: Sequence[int]) -> np.ndarray | None:
    """One group number an image: images that share a value in any column are together, through others if need be."""
    if not columns:
        return None
    n, edges, offset = len(kept), [], len(kept)
    for column in columns:
        numbers: dict[str, int] = {}
        for place, i in enumerate(kept):
            if (value := column[i].strip()) and value.lower() not in MISSING_VALUES:
                edges.append((place, offset + numbers.setdefault(value, len(numbers))))
        offset += len(numbers)
    if not edges:
        return None
    links = np.array(edges)
    alone = np.ones(n, bool)
    alone[links[:, 0]] = False
    return np.where(alone, -1, linked_groups(offset, links)[:n])
