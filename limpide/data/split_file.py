"""split.csv and excluded.csv of a run: the part of each image, line by line, and a check that a file is as it was
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

# first characters of cells that a spreadsheet would run, and our own mark for text
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
    """One line per used image. `content` is its hash; `group` numbers the images that were kept together, where there
    are several; `fold` is the fold that judges it, empty where none does. folds: int (n,), as in data/folds.py.
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
    """Writes line by line: a million rows are never in memory at once."""

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
    """Rows of a split.csv or an excluded.csv, in order; none if the file does not exist. Raises RunError for a file
    that is not a table, or lacks one of the `needed` columns.
    """
    if not file.exists():
        return
    try:
        with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            rows = csv.DictReader(stream)
            for row in rows:
                if missing := [name for name in needed if name not in row]:
                    raise damaged_file_error(file, message(N_("it has no column {name}"), name=missing[0]))
                if None in row:  # cells without a column name
                    raise damaged_file_error(
                        file, message(N_("line {n} has more cells than the first"), n=rows.line_num)
                    )
                yield {
                    name: value[1:] if (value or "").startswith("'") else (value or "") for name, value in row.items()
                }
    except csv.Error as error:
        raise damaged_file_error(file, message(N_("it is not a table"))) from error


def groups_in(file: Path, names: Sequence[str]) -> np.ndarray | None:
    """int (n,): images that a split.csv kept together have the same number; single images have negative ones. None if
    the file does not say, or cannot be read as a table.
    """
    place = {name: i for i, name in enumerate(names)}
    groups = -1 - np.arange(len(names))
    try:
        for row in read_split(file, "file", "group"):
            if row["group"] and (i := place.get(row["file"])) is not None:
                groups[i] = int(row["group"])
    except (RunError, ValueError):  # written by an older limpide, or edited by hand
        return None
    return groups if file.exists() else None


def check_split(run: Run) -> None:
    """Raises RunError if the number of rows in split.csv is not the number that was written, as after an incomplete
    copy: the images of the missing rows would silently count as never seen. A run of an older limpide does not record
    the number.
    """
    written = run.info().split_rows
    if written is None:
        return
    row_count = _whole_rows(run.split_file)
    if row_count != written:
        raise RunError("L517", where=run.split_file, found=max(0, row_count), written=written)


def _whole_rows(file: Path) -> int:
    """Number of complete rows below the header; an unfinished last line does not count. -1 for a file that is not a
    table.
    """
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
    """(keys, sorted, uint64; part of each, uint8) of a split.csv. Raises ValueError for a file that is not one."""
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
