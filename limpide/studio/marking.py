"""Labels that somebody thinks are wrong: marks.csv of the run, with the columns file, label, suggested. The images and their labels are never touched."""

from __future__ import annotations

from limpide.data.split import read_split, write_rows
from limpide.run import Run

UNSURE = "?"  # wrong, and nobody knows what it is instead
COLUMNS = ("file", "label", "suggested")


def marks(run: Run) -> list[dict[str, str]]:
    return [{name: row.get(name) or "" for name in COLUMNS} for row in read_split(run.marks_file)]


def mark(run: Run, file: str, label: str, suggested: str) -> None:
    """One more mark, in place of an earlier one of this file; without a suggestion it goes."""
    kept = [one for one in marks(run) if one["file"] != file]
    if suggested:
        kept.append({"file": file, "label": label, "suggested": suggested})
    write_rows(run.marks_file, COLUMNS, [[one[name] for name in COLUMNS] for one in kept])
