"""A table of images: CSV, TSV or Parquet with the columns file, label, and where there are any split and groups.

Names of columns are those people use; `file` is relative to the folder of the table and must lie inside it.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limpide.data.layout import PART_NAMES
from limpide.data.similar import components
from limpide.data.split import TWO_LABELS
from limpide.errors import DataError, UsageError, nearest
from limpide.language import N_, Message, message

SUFFIXES = (".csv", ".tsv", ".parquet")
FILE_COLUMNS = ("file", "filename", "file_name", "path", "filepath", "file_path", "image", "image_path", "img", "img_path", "name")
LABEL_COLUMNS = ("label", "class", "category", "target", "y", "class_name", "label_name", "species", "diagnosis")
PART_COLUMNS = ("split", "part", "set", "subset", "partition")
# What a row's images have in common and must not be cut by a split.
GROUP_COLUMNS = ("group", "patient", "person", "subject", "camera", "burst", "site", "session", "sequence", "video", "individual", "user", "location", "date")

MISSING_VALUES = ("na", "n/a", "nan", "none", "null", "-")  # how programs write that they do not know
TWO_PARTS = N_("the table puts it into two parts")
MISSING = N_("the table names it, but it is not there")
OUTSIDE = N_("the table names it, but it lies outside of the table's folder")
NO_LABEL = N_("the table gives it no label")


@dataclass(frozen=True)
class TableRows:
    """Parallel lists over the usable rows, and what was said and left out."""

    files: Sequence[str]  # relative to the folder of the table
    labels: Sequence[str]
    parts: Sequence[str]
    groups: np.ndarray | None  # int64
    left_out: Sequence[tuple[str, str]]
    notes: Sequence[Message]
    grouped_by: str = ""  # names of the group columns, with commas


def is_table(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def tables_in(folder: Path, loose: Sequence[str]) -> list[Path]:
    """The tables among the files of a folder that have the columns of a data set."""
    found = [folder / name for name in loose if is_table(folder / name)]
    return [path for path in found if (columns := _head(path)) and _one_of(columns, FILE_COLUMNS) and _one_of(columns, LABEL_COLUMNS)]


def read_table(path: Path, groups: str) -> TableRows:
    """`groups`: names of the group columns, separated by commas; "auto" takes those of GROUP_COLUMNS; "none".

    Raises DataError when the columns are not there or hold what cannot be classified.
    """
    columns, notes = _columns(path)
    file_column, label_column = _needed(columns, FILE_COLUMNS, "file", path), _needed(columns, LABEL_COLUMNS, "label", path)
    part_column = _one_of(columns, PART_COLUMNS)
    group_columns = _groups(columns, groups, (file_column, label_column, part_column), path)
    unused = [name for name in columns if name not in (file_column, label_column, part_column, *group_columns)]
    files, labels = columns[file_column], [label.strip() for label in columns[label_column]]
    _refuse_other_tasks(labels, columns, unused, path)
    notes.insert(0, message(N_("layout: a table with files in column {files} and labels in {labels}"), files=file_column, labels=label_column))
    if part_column:
        notes.insert(1, message(N_("parts (train, validation, test) are those of column {name}"), name=part_column))
    if group_columns:
        notes.insert(1, message(N_("never cut apart: images with the same {names}"), names=", ".join(group_columns)))
    if unused:
        notes.append(message(N_("columns not used: {names} (--groups NAME keeps images with the same value together)"), names=", ".join(unused)))
    said_parts = [_part(cell, path) for cell in columns[part_column]] if part_column else [""] * len(files)
    kept, names, left = _usable(path.parent.resolve(), files, labels, said_parts)
    if again := len(files) - len(names) - len(left):
        notes.append(
            message(
                N_("{n:count} of {total:count} rows repeats a file that is already listed; each file counts once"),
                N_("{n:count} of {total:count} rows repeat a file that is already listed; each file counts once"),
                n=again,
                total=len(files),
            )
        )
    parts = [said_parts[i] for i in kept]
    together = _joined([columns[name] for name in group_columns], kept)
    return TableRows(names, [labels[i] for i in kept], parts, together, left, notes, "" if together is None else ", ".join(group_columns))


def _columns(path: Path) -> tuple[dict[str, list[str]], list[Message]]:
    if path.suffix.lower() == ".parquet":
        return _parquet(path), []
    data = path.read_bytes()
    notes = []
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        notes.append(message(N_("the table is not UTF-8 and was read as Western European (cp1252)")))
    delimiter, text = _delimited(text)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError("L226", N_("the table cannot be read"), where=f"{path}: {error}", todo=N_("save it as CSV with the columns file,label")) from error
    broken = next((cell for row in rows for cell in row if "\n" in cell.strip() or "\0" in cell), None)
    if broken is not None:  # a quotation mark that nobody closed swallows the lines that follow
        raise DataError("L226", N_("the table cannot be read"), where=f"{path}: {broken[:40]}", todo=N_("save it as CSV with the columns file,label"))
    if not rows:
        raise DataError("L214", N_("the table is empty"), where=path, todo=N_("give it a first line file,label and one line an image"))
    names = [name.strip() for name in rows[0]]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise DataError("L237", N_("the table has two columns of one name"), where=f"{path}: {twice}", todo=N_("rename or remove one of them"))
    return {name: [row[k] if k < len(row) else "" for row in rows[1:]] for k, name in enumerate(names)}, notes


def _encoding(data: bytes) -> str:
    """By the mark at the beginning: spreadsheets save "Unicode text" as UTF-16."""
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def _delimited(text: str) -> tuple[str, str]:
    """(what separates the cells, the text from its first line of names on). Excel writes "sep=;" into a line before."""
    declared, head = "", ""
    while text:
        head, *rest = re.split(r"\r\n|\n|\r", text, maxsplit=1)
        if found := re.fullmatch(r'"?sep=(.)"?', head.strip(" \ufeff"), re.IGNORECASE):
            declared = found.group(1)
        elif re.search(r"\w", head):
            break
        text = rest[0] if rest else ""
    return declared or max(",;\t|", key=head.count), text


def _head(path: Path) -> list[str]:
    """The names of the columns; none where they cannot be read."""
    if path.suffix.lower() == ".parquet":
        try:
            from pyarrow import ArrowException, parquet
        except ImportError:  # read_table will say what to install
            return ["file", "label"]
        try:
            return list(parquet.read_schema(path).names)
        except (ArrowException, OSError):
            return []
    with open(path, "rb") as stream:
        data = stream.read(10_000)
    delimiter, text = _delimited(data.decode(_encoding(data), "replace"))
    return [name.strip().strip('"') for name in re.split(r"\r|\n", text, maxsplit=1)[0].split(delimiter)]


def _parquet(path: Path) -> dict[str, list[str]]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise UsageError("L115", N_("reading Parquet needs a package that is not installed"), where=path, todo="pip install 'limpide[parquet]'") from error
    try:
        table = parquet.read_table(path)
        return {name: ["" if v is None else str(v) for v in table.column(name).to_pylist()] for name in table.column_names}
    except (ArrowException, OSError) as error:
        raise DataError("L226", N_("the table cannot be read"), where=path, todo=N_("save it as CSV with the columns file,label")) from error


def _one_of(columns: Sequence[str] | Mapping[str, object], known: Sequence[str]) -> str:
    lowered = {name.strip().lower().replace(" ", "_"): name for name in columns}
    return next((lowered[name] for name in known if name in lowered), "")


def _needed(columns: Mapping[str, object], known: Sequence[str], meaning: str, path: Path) -> str:
    found = _one_of(columns, known)
    if not found:
        raise DataError(
            "L225",
            N_("the table has no column {meaning}; it has {names}"),
            where=path,
            todo=N_("name its columns file,label and, if you like, split and group"),
            meaning=meaning,
            names=", ".join(columns),
        )
    return found


def _groups(columns: Mapping[str, object], wanted: str, taken: Sequence[str], path: Path) -> list[str]:
    if wanted == "none":
        return []
    if wanted == "auto":
        plain = {name: re.sub(r"[_ -]?(id|no|nr|name|number)$", "", name.strip().lower()) for name in columns}
        return [name for name in columns if plain[name] in GROUP_COLUMNS and name not in taken]
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in columns:
            guess = nearest(name, columns)
            raise UsageError(
                "L116",
                N_("the table has no column of this name"),
                where=f"{path}: {name}",
                todo=N_("did you mean {guess}?") if guess else N_("see its first line"),
                guess=guess,
            )
    return names


def _refuse_other_tasks(labels: Sequence[str], columns: Mapping[str, Sequence[str]], unused: Sequence[str], path: Path) -> None:
    """limpide gives one class to an image. Several labels an image, or a measured number, are other tasks."""
    filled = [label for label in labels if label]
    if filled and sum(any(mark in label for mark in "|;[") for label in filled) > 0.05 * len(filled):
        raise DataError(
            "L215",
            N_("images seem to have several labels each, and limpide gives one class to an image (multi-label is not supported)"),
            where=f"{path}: {next(x for x in filled if any(m in x for m in '|;['))}",
            todo=N_("keep one label an image, or train one model a label"),
        )
    fractions = {label for label in filled if re.fullmatch(r"[-+]?\d*\.\d*[1-9]\d*(e[-+]?\d+)?", label.lower())}
    if len(fractions) > max(20, 0.05 * len(filled)):
        raise DataError(
            "L229",
            N_("the labels are measured numbers, and limpide tells classes apart (regression is not supported)"),
            where=f"{path}: {sorted(fractions)[0]}",
            todo=N_("cut the numbers into classes, such as low, middle and high"),
        )


def _usable(root: Path, files: Sequence[str], labels: Sequence[str], parts: Sequence[str]) -> tuple[list[int], list[str], list[tuple[str, str]]]:
    """(rows that can be used, their names relative to `root`, what is left out with its reason), each file once."""
    said: dict[str, set[str]] = defaultdict(set)
    placed: dict[str, set[str]] = defaultdict(set)
    for file, label, part in zip(files, labels, parts, strict=True):
        name = os.path.normpath(file.strip().replace("\\", "/"))
        said[name].add(label)
        placed[name].add(part)
    kept, names, left, seen = [], [], [], set()
    for i, file in enumerate(files):
        name = os.path.normpath(file.strip().replace("\\", "/"))
        path = os.path.realpath(root / name)
        reason = ""
        if os.path.commonpath([path, root]) != str(root):
            reason = OUTSIDE
        elif not os.path.isfile(path):  # noqa: PTH113
            reason = MISSING
        elif not labels[i]:
            reason = NO_LABEL
        elif len(said[name]) > 1:
            reason = TWO_LABELS
        elif len(placed[name]) > 1:
            reason = TWO_PARTS
        if name in seen:  # the same row twice
            continue
        seen.add(name)
        if reason:
            left.append((file, reason))
        else:
            kept.append(i)
            names.append(os.path.relpath(root / name, root))
    return kept, names, left


def _part(cell: str, path: Path) -> str:
    word = cell.strip().lower()
    if word and word not in PART_NAMES:
        raise DataError(
            "L227", N_("the table names a part that is not known"), where=f"{path}: {cell}", todo=N_("use train, validation and test, or leave the cell empty")
        )
    return PART_NAMES.get(word, "")


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
    return np.where(alone, -1, components(offset, links)[:n])
