"""The part of the rows of a table, if no column gives it: from the name of the table, or from the folders around its
files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from limpide.core.errors import UsageError, nearest
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.name_words import UNLABELED, UNTOLD, listed_names, part_of, parts_of, split_words
from limpide.data.layouts.table import Table
from limpide.text.messages import N_

TWO_PARTS = N_("the table puts it into two parts")
# Words that a table's name may contain besides its part: train_labels, test_list.
BESIDE = UNTOLD | {
    *split_words("label list annotation ground truth gt solution answers info meta names files classes y")
}


def part_said_by_name(table: Table) -> str:
    """The part in a table's own name: train_labels, test, sampleSubmission; "" if the name gives none, or means
    something else, too.
    """
    stem = table.cells.path.stem
    part_and_rest = part_of(stem)
    if part_and_rest and (part_and_rest[0] == UNLABELED or set(part_and_rest[1]) <= BESIDE):
        return part_and_rest[0]
    return ""


def parts_of_tables(tables: Sequence[Table]) -> dict[int, str]:
    """Index of each of several tables to read together → its part; empty if nothing says which tables to read.

    One table per part is preferred to a table of all images beside them, and both to a table of predictions or of a
    submission.
    """
    if len(tables) == 1:
        return {0: ""}
    parts = {k: part for k, table in enumerate(tables) if (part := part_said_by_name(table))}
    if "train" in parts.values() and len(set(parts.values())) == len(parts):
        return parts
    every = parts_of(table.cells.path.stem for table in tables)
    if len(set(every.values())) == len(tables):
        return {k: every[table.cells.path.stem] for k, table in enumerate(tables)}
    # a list of the classes is not a table of images
    others = [
        k for k, table in enumerate(tables) if parts.get(k) != UNLABELED and len({*table.labels}) < len(table.labels)
    ]
    return {others[0]: ""} if len(others) == 1 else {}


def parts_of_files(tables: Sequence[Table], root: Path) -> dict[str, str]:
    """File below root → its part, from tables without labels, by row or by the name of the table; `TWO_PARTS` if they
    give several.
    """
    parts: dict[str, str] = {}
    for table in tables:
        below, table_part = os.path.relpath(table.root, root), part_said_by_name(table)
        for file, part in zip(table.found.files, table.parts, strict=True):
            name = os.path.normpath(os.path.join(below, file)).replace(os.sep, "/")
            file_part = part or table_part
            if file and file_part not in ("", UNLABELED):
                parts[name] = file_part if parts.get(name, file_part) == file_part else TWO_PARTS
    return parts


def parts_of_outer_folders(files: Sequence[str], hints: Hints, classes: set[str]) -> Mapping[str, str]:
    """Folder → part, if files are in train/ and test/, or as the user says; empty if they are not in parts. classes:
    names that are not parts. Raises UsageError.
    """
    paths = {tuple(file.split(os.sep)[:-1]) for file in files if file}
    if named := hints.named_parts():
        _check_named(named, {name for path in paths for name in path})
        return named
    if hints.parts == "none":
        return {}
    for depth in range(max(map(len, paths), default=0)):
        names = {path[depth] for path in paths if len(path) > depth}
        parts = parts_of(names)
        if len(set(parts.values())) > 1 and "train" in parts.values():
            return parts
        # images/, more/ and test/: the files in test/ must not be learned, whatever the others are
        plain = {
            name: one[0]
            for name in names - classes
            if name.lower() != "valid" and (one := part_of(name)) and not one[1] and one[0] != UNLABELED
        }
        if set(plain.values()) - {"train"} and (len(plain) < len(names) or "train" in plain.values()):
            return plain
    return {}


def _check_named(named: Mapping[str, str], inside: set[str]) -> None:
    """Raises UsageError for a folder that the user names but that has no file."""
    if unknown := next((folder for folder in named if folder not in inside), ""):
        guess = nearest(unknown, inside)
        raise UsageError(
            "L147",
            where=f"parts={unknown}",
            todo=N_("did you mean {guess}?") if guess else N_("the folders of the files are {names}"),
            guess=guess,
            names=listed_names(sorted(inside)),
        )
