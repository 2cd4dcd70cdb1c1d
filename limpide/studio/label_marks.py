"""The user's judgement of labels: marks.csv of the run, with the columns file, label, suggested. A suggestion equal to
the label means that the label is right. The images and their labels are never changed.
"""

from __future__ import annotations

from limpide.core.run import Run
from limpide.data.split_file import read_split, write_rows
from limpide.text.messages import N_, message

UNSURE = "?"  # wrong, and the correct label is not known
COLUMNS = ("file", "label", "suggested")


def marks(run: Run) -> list[dict[str, str]]:
    """Rows with the three columns, and any other columns that the user added. Raises LookupError for a file with other
    columns.
    """
    rows = list(read_split(run.marks_file))
    if (
        run.marks_file.exists()
        and run.marks_file.stat().st_size
        and not (rows and set(COLUMNS) <= set(rows[0]))
        and not _is_ours(run)
    ):
        raise LookupError(
            message(
                N_("{file} does not have the columns {columns}: move it elsewhere, and marks are saved again"),
                file=str(run.marks_file),
                columns=", ".join(COLUMNS),
            )
        )
    return [{str(name): value for name, value in row.items() if name is not None} for row in rows]


def _is_ours(run: Run) -> bool:
    with open(run.marks_file, encoding="utf-8", errors="surrogateescape") as stream:
        return set(COLUMNS) <= set(stream.readline().strip().split(","))


def mark(run: Run, file: str, label: str, suggested: str) -> None:
    """Add a mark, in place of an earlier one of this file; without a suggestion, remove it. Raises LookupError as
    `marks`.
    """
    rows = marks(run)
    columns = list(dict.fromkeys([*COLUMNS, *(name for one in rows for name in one)]))
    rows = [one for one in rows if one["file"] != file]
    if suggested:
        rows.append({"file": file, "label": label, "suggested": suggested})
    write_rows(run.marks_file, columns, [[one.get(name, "") for name in columns] for one in rows])
