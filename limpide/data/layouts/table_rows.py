"""Interpreted tables → the rows that are used, each file once, the notes, and the rows that are left out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limpide.data.layouts.hints import Hints
from limpide.data.layouts.ignored_files import UNLABELED_IMAGES
from limpide.data.layouts.name_words import UNLABELED, normalized
from limpide.data.layouts.table import Table
from limpide.data.layouts.table_labels import SEVERAL_LABELS
from limpide.data.layouts.table_parts import TWO_PARTS, parts_of_outer_folders
from limpide.data.near_duplicates import linked_groups
from limpide.data.split import TWO_LABELS
from limpide.text.messages import N_, Message, message

MISSING_VALUES = ("na", "n/a", "nan", "none", "null", "-")  # missing values as programs write them
MISSING = N_("the table names it, but it is not there")
OUTSIDE = N_("the table names it, but it lies outside the table's folder")
NO_LABEL = N_("the table gives it no label")
SEVERAL = N_("the table gives it several labels")

RULES = {
    "path": N_("its names are found whatever their case or Unicode form: {cell} is {file}"),
    "number": N_("its numbers are completed: {cell} is {file}"),
    "without": N_("the first folders of its paths are ignored: {cell} is {file}"),
    "name": N_("its files are found by their name alone: {cell} is {file}"),
    "stem": N_("its names are completed: {cell} is {file}"),
}


@dataclass(frozen=True)
class TableRows:
    """Parallel lists over the usable rows, with the notes and the rows that are left out."""

    root: Path
    files: Sequence[str]  # relative to root
    labels: Sequence[str]
    parts: Sequence[str]
    groups: np.ndarray | None  # int64
    left_out: Sequence[tuple[str, str]]
    notes: Sequence[Message]
    grouped_by: str = ""  # names of the group columns, separated by commas


@dataclass
class Gathered:
    """Rows of one or several tables, in order."""

    cells: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)


def read_tables(tables: Sequence[Table], parts: Sequence[str], root: Path, hints: Hints) -> TableRows:
    """All tables as one. parts: the part of each table itself, where its rows give none. root: a folder around all
    files.
    """
    columns = tables[0].meaning.groups
    gathered = _gather(tables, parts, root)
    notes = _tell_meaning(tables, parts, columns)
    if not any(gathered.parts) and (folders := parts_of_outer_folders(gathered.files, hints, {*gathered.labels})):
        gathered.parts = [
            next((folders[name] for name in file.split(os.sep)[:-1] if name in folders), "") for file in gathered.files
        ]
        says = N_("the parts (train, validation, test) come from the folders of the files: {names}")
        notes.append(message(says, names=", ".join(sorted(folders))))
    usable, left, again = _choose_rows(root, gathered)
    if again:
        notes.append(
            message(
                N_("{n:count} of {total:count} rows repeats a file that is already listed; each file counts once"),
                N_("{n:count} of {total:count} rows repeat a file that is already listed; each file counts once"),
                n=again,
                total=len(gathered.cells),
            )
        )
    groups = _number_groups([[row[k] for row in gathered.groups] for k in range(len(columns))], usable)
    return TableRows(
        root,
        [gathered.files[i] for i in usable],
        [gathered.labels[i] for i in usable],
        [gathered.parts[i] for i in usable],
        groups,
        left,
        notes,
        "" if groups is None else ", ".join(columns),
    )


def _gather(tables: Sequence[Table], parts: Sequence[str], root: Path) -> Gathered:
    """The rows of all tables, their files relative to root; groups by the columns of the first."""
    gathered = Gathered()
    for table, part in zip(tables, parts, strict=True):
        below, columns = os.path.relpath(table.root, root), table.cells.columns
        for i, file in enumerate(table.found.files):
            gathered.cells.append(columns[table.meaning.file][i])
            gathered.files.append(os.path.normpath(os.path.join(below, file)) if file else "")
            gathered.labels.append(normalized(table.labels[i]))
            gathered.parts.append(table.parts[i] or part)
            gathered.groups.append(
                tuple(columns[name][i] if name in columns else "" for name in tables[0].meaning.groups)
            )
    return gathered


def _tell_meaning(tables: Sequence[Table], parts: Sequence[str], groups: Sequence[str]) -> list[Message]:
    first = tables[0]
    m = first.meaning
    if m.one_hot:
        says = message(
            N_("layout: a table with files in column {files} and one column per class ({names})"),
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
        notes.append(message(N_("tables read together: {names}"), names=listed))
    if groups:
        notes.append(message(N_("kept together: images with the same {names}"), names=", ".join(groups)))
    if m.part:
        notes.append(message(N_("the parts (train, validation, test) come from column {name}"), name=m.part))
    if first.found.rule:
        i = next(i for i, file in enumerate(first.found.files) if file)
        notes.append(
            message(RULES[first.found.rule.split()[0]], cell=first.cells.columns[m.file][i], file=first.found.files[i])
        )
    for table in tables:
        notes += [note for note in (*table.cells.notes, *table.meaning.notes) if note not in notes]
    return notes


def _choose_rows(root: Path, rows: Gathered) -> tuple[list[int], list[tuple[str, str]], int]:
    """(usable rows, left-out rows with the reason, number of rows that repeat a file), each file once."""
    labels_by_name: dict[str, set[str]] = defaultdict(set)
    parts_by_name: dict[str, set[str]] = defaultdict(set)
    names = [
        file or os.path.normpath(cell.strip().replace("\\", "/"))
        for file, cell in zip(rows.files, rows.cells, strict=True)
    ]
    for name, label, part in zip(names, rows.labels, rows.parts, strict=True):
        labels_by_name[name].add(label)
        parts_by_name[name].add(part)
    usable: list[int] = []
    left: list[tuple[str, str]] = []
    known: set[str] = set()
    home = str(root.resolve())
    for i, name in enumerate(names):
        if name in known:  # the same row twice
            continue
        known.add(name)
        if reason := _reason_against(home, name, rows, i, len(labels_by_name[name]) > 1, len(parts_by_name[name]) > 1):
            left.append((rows.cells[i], reason))
        else:
            usable.append(i)
    return usable, left, len(names) - len(known)


def _reason_against(home: str, name: str, rows: Gathered, i: int, two_labels: bool, two_parts: bool) -> str:
    """Why this row cannot be used; "" if it can."""
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


def _number_groups(columns: Sequence[Sequence[str]], usable: Sequence[int]) -> np.ndarray | None:
    """One group number per image: images that share a value in any column are together, directly or through others."""
    if not columns:
        return None
    n, edges, offset = len(usable), [], len(usable)
    for column in columns:
        numbers: dict[str, int] = {}
        for place, i in enumerate(usable):
            if (value := column[i].strip()) and value.lower() not in MISSING_VALUES:
                edges.append((place, offset + numbers.setdefault(value, len(numbers))))
        offset += len(numbers)
    if not edges:
        return None
    links = np.array(edges)
    alone = np.ones(n, bool)
    alone[links[:, 0]] = False
    return np.where(alone, -1, linked_groups(offset, links)[:n])
