"""split.csv and excluded.csv of a run: which image serves for what, line by line, and whether a file is as it was
written.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from limpide.core.errors import RunError
from limpide.core.run import Run, damaged_file_error
from limpide.data.dataset import PARTS
from limpide.data.folds import NO_FOLD
from limpide.data.split import Division
from limpide.system.files import write_atomically
from limpide.text.messages import N_, message

# how a cell begins that a spreadsheet would run, and our own mark for text
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
SPECIAL = re.compile(r"(?:^|\n)[=+\-@\t']|\r")  # in cells joined by line ends: some may need an apostrophe or quotes


def write_split(
    file: Path,
    names: Iterable[str],
    labels: Iterable[str],
    division: Division,
    keys: np.ndarray,
    folds: np.ndarray | None = None,
) -> None:
    """One line an image that is used. `content` is its hash; `group` numbers those that were kept together, where there
    are several; `fold` is the one that judges it, empty where none does. folds: int (n,), as in data/folds.py.
    """
    folds = np.full(len(keys), NO_FOLD) if folds is None else folds
    sizes = np.bincount(division.together, minlength=1) if len(division.together) else np.zeros(1, int)
    rows = (
        (
            *(name, label, PARTS[part], f"{key:016x}"),
            str(group) if sizes[group] > 1 else "",
            str(fold) if fold != NO_FOLD else "",
        )
        for name, label, part, key, group, fold in zip(
            names, labels, division.parts, keys, division.together, folds, strict=True
        )
        if part
    )
    write_rows(file, ("file", "label", "part", "content", "group", "fold"), rows)


def write_excluded(file: Path, rows: Sequence[tuple[str, str]]) -> None:
    write_rows(file, ("file", "reason"), rows)


def write_rows(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Line by line: a million of them are never held at once."""

    def fill(stream: IO[bytes]) -> None:
        text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="", write_through=True)
        plain, quoted = (
            csv.writer(text, lineterminator="\n"),
            csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL),
        )
        plain.writerow(header)
        for row in rows:
            if SPECIAL.search("\n".join(row)):
                tame = ["'" + cell if cell.startswith(FORMULA) else cell for cell in row]
                (quoted if any("\r" in cell for cell in tame) else plain).writerow(tame)
            else:
                plain.writerow(row)
        text.detach()

    write_atomically(file, fill)


def read_split(file: Path, *needed: str) -> Iterator[dict[str, str]]:
    """Rows of a split.csv or an excluded.csv, in order; none when the file is not there. Raises RunError for a file
    that is not a table, or has not the columns that are `needed`.
    """
    if not file.exists():
        return
    try:
        with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            rows = csv.DictReader(stream)
            for row in rows:
                if missing := [name for name in needed if name not in row]:
                    raise damaged_file_error(file, message(N_("it has no column {name}"), name=missing[0]))
                if None in row:  # cells that no column names
                    raise damaged_file_error(
                        file, message(N_("line {n} has more cells than the first"), n=rows.line_num)
                    )
                yield {
                    name: value[1:] if (value or "").startswith("'") else (value or "") for name, value in row.items()
                }
    except csv.Error as error:
        raise damaged_file_error(file, message(N_("it is not a table"))) from error


def groups_in(file: Path, names: Sequence[str]) -> np.ndarray | None:
    """int (n,): images of a split.csv that it kept together have the same number; those that stand alone have negative
    ones. None where it does not say. Raises RunError for what is no table.
    """
    place = {name: i for i, name in enumerate(names)}
    groups = -1 - np.arange(len(names))
    try:
        for row in read_split(file, "file", "group"):
            if row["group"] and (i := place.get(row["file"])) is not None:
                groups[i] = int(row["group"])
    except (RunError, ValueError):  # of an older limpide, or edited by hand
        return None
    return groups if file.exists() else None


def check_split(run: Run) -> None:
    """Raises RunError where split.csv has other rows than were written, as after a copy that was cut short: the images
    of the missing rows would silently count as never seen. A run of an older limpide does not say how many there were.
    """
    written = run.info().split_rows
    if written is None:
        return
    row_count = _whole_rows(run.split_file)
    if row_count != written:
        raise RunError("L517", where=run.split_file, found=max(0, row_count), written=written)


def _whole_rows(file: Path) -> int:
    """Lines of the table below its head; a last one that does not end is none. -1 for what is no table."""
    if not file.exists():
        return 0
    with open(file, "rb") as stream:
        stream.seek(-min(1, file.stat().st_size), io.SEEK_END)
        ends = stream.read() in (b"\n", b"\r")
    with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        try:
            return max(0, sum(1 for row in csv.reader(stream) if row) - 1 - (not ends))
        except csv.Error:
            return -1


def earlier_parts(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """(keys, sorted, uint64; part of each, uint8) of a split.csv. Raises ValueError for one that is none."""
    with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        rows = csv.reader(stream)
        columns = next(rows, [])
        part, content = columns.index("part"), columns.index("content")
        try:
            pairs = [(int(row[content], 16), PARTS.index(row[part])) for row in rows if row]
            keys, parts = (
                np.array([pair[0] for pair in pairs], np.uint64),
                np.array([pair[1] for pair in pairs], np.uint8),
            )
        except (IndexError, OverflowError, csv.Error) as error:
            raise ValueError(f"{file} was edited") from error
    order = np.argsort(keys, kind="stable")
    return keys[order], parts[order]
