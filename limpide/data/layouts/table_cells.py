"""A table in a file → its columns as text: CSV, TSV and the like, Parquet, JSON lines, and lists of "path label"."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limpide.core.errors import DataError, UsageError
from limpide.data.layouts.name_words import PICTURES, ending
from limpide.text.messages import N_, Message, message

SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
LISTS = (".txt", ".lst")  # tables only if their lines are those of a list
LISTED = re.compile(r"^(\S.*?\.\w{2,5})[\s,;|]+(\S+)$")  # a path and a label
ENOUGH_LINES = 20  # lines that show whether a text is a list
SAVE_AS = N_("save it as CSV with the columns file,label")
ONLY_NAMES = 3  # the largest number of columns without names that get the names below
UNNAMED = ("file", "label", "split")


@dataclass(frozen=True)
class Cells:
    """columns: name → cells, all of one length."""

    path: Path
    columns: dict[str, list[str]]
    notes: Sequence[Message] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def is_table(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or (path.suffix.lower() in LISTS and _is_list(path))


def _is_list(path: Path) -> bool:
    """Whether each line of a text is a path of a picture, with a label or, in lists of the parts, without."""
    try:
        with open(path, encoding="utf-8") as stream:
            lines = [line.strip() for _, line in zip(range(ENOUGH_LINES), stream, strict=False)]
    except (OSError, UnicodeDecodeError):
        return False
    lines = [line for line in lines if line]
    files = [match.group(1) if (match := LISTED.match(line)) else line for line in lines]
    return bool(lines) and all(ending(name) in PICTURES for name in files)


def read_cells(path: Path) -> Cells:
    """Raises DataError if the table cannot be read, UsageError if a package is missing."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return Cells(path, _read_parquet(path))
    if kind == ".jsonl":
        return Cells(path, _read_json_lines(path))
    text, notes = _read_text(path)
    if kind in LISTS:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not any(map(LISTED.match, lines)):
            return Cells(path, {"file": lines}, notes)
        pairs = [match.groups() for line in text.splitlines() if (match := LISTED.match(line.strip()))]
        return Cells(path, {"file": [file for file, _ in pairs], "label": [label for _, label in pairs]}, notes)
    rows = _read_rows(path, text)
    names = [name.strip() for name in rows[0]]
    if _begins_with_a_row(rows):
        width = len(rows[0])
        names = list(UNNAMED[:width]) if width <= ONLY_NAMES else [f"column {k + 1}" for k in range(width)]
        notes.append(message(N_("{name} has no header: its first line is a row of data"), name=path.name))
        return Cells(path, _arrange_columns(names, rows), notes)
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise DataError("L237", where=f"{path}: {twice}")
    return Cells(path, _arrange_columns(names, rows[1:]), notes)


def _arrange_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """The columns by name, without an index that a program wrote beside them."""
    columns = [(k, name) for k, name in enumerate(names) if name and not re.fullmatch(r"unnamed: ?\d+", name.lower())]
    return {name: [row[k] if k < len(row) else "" for row in rows] for k, name in columns}


def _begins_with_a_row(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names a picture in the same column as the lines below it."""
    first, rest = rows[0], rows[1 : ENOUGH_LINES + 1]
    return any(
        ending(cell.strip()) in PICTURES and all(k < len(row) and ending(row[k].strip()) in PICTURES for row in rest)
        for k, cell in enumerate(first)
    )


def _read_text(path: Path) -> tuple[str, list[Message]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError("L226", where=f"{path}: {error.strerror}", todo=SAVE_AS) from error
    try:
        return data.decode(_guess_encoding(data)), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), [
            message(N_("the table is not UTF-8 and was read as Western European (cp1252)"))
        ]


def _guess_encoding(data: bytes) -> str:
    """The encoding, from the byte order mark, as spreadsheets save "Unicode text" as UTF-16; without one, from the
    zeros between the letters.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:1000]
    if len(start) > 3 and start[1::2].count(0) > 0.4 * len(start) / 2:
        return "utf-16-le"
    if len(start) > 3 and start[::2].count(0) > 0.4 * len(start) / 2:
        return "utf-16-be"
    return "utf-8-sig"


def _read_rows(path: Path, text: str) -> list[list[str]]:
    delimiter, text = _find_delimiter(text)
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise DataError("L226", where=f"{path}: {error}", todo=SAVE_AS) from error
    broken = next((cell for row in rows for cell in row if "\n" in cell.strip() or "\0" in cell), None)
    if broken is not None:  # an unclosed quotation mark swallows the following lines
        raise DataError("L226", where=f"{path}: {broken[:40]}", todo=SAVE_AS)
    if not rows:
        raise DataError("L214", where=path)
    return rows


def _find_delimiter(text: str) -> tuple[str, str]:
    """(the delimiter of the cells, the text from the line of names on). Excel writes "sep=;" into a line before it."""
    declared, head = "", ""
    while text:
        head, *rest = re.split(r"\r\n|\n|\r", text, maxsplit=1)
        if declaration := re.fullmatch(r'"?sep=(.)"?', head.strip(" \ufeff"), re.IGNORECASE):
            declared = declaration.group(1)
        elif re.search(r"\w", head):
            break
        text = rest[0] if rest else ""
    return declared or max(",;\t|", key=head.count), text


def _read_parquet(path: Path) -> dict[str, list[str]]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise UsageError("L115", where=path) from error
    try:
        table = parquet.read_table(path)
        return {
            name: ["" if v is None else str(v) for v in table.column(name).to_pylist()] for name in table.column_names
        }
    except (ArrowException, OSError) as error:
        raise DataError("L226", where=path, todo=SAVE_AS) from error


def _read_json_lines(path: Path) -> dict[str, list[str]]:
    text, _ = _read_text(path)
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        names = list(dict.fromkeys(name for row in rows for name in row.keys()))  # noqa: SIM118
        return {name: ["" if row.get(name) is None else str(row[name]) for row in rows] for name in names}
    except (ValueError, AttributeError, RecursionError) as error:
        raise DataError("L226", where=path) from error
