"""What was measured, a line a pair, and the two tables of docs/explanation/performance.md made from it."""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "peers.csv"
TABLES = {"documented": "as its documentation says", "same": "the same network and recipe"}


@dataclass(frozen=True)
class Pair:
    """A peer's program and the `limpide train mnist` next to it; s from process start to a saved model."""

    table: str  # a name in TABLES
    peer: str
    round: int
    accuracy: float  # share of the 10,000 test images
    seconds: float
    reached: float | None  # s until the peer's own score after an epoch was 99.0 %; None if it was not
    limpide_accuracy: float
    limpide_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.limpide_seconds


def read(file: Path = FILE) -> list[Pair]:
    if not file.exists():
        return []
    with open(file, newline="") as stream:
        return [_pair(row) for row in csv.DictReader(stream)]


def _pair(row: dict[str, str]) -> Pair:
    return Pair(
        table=row["table"],
        peer=row["peer"],
        round=int(row["round"]),
        accuracy=float(row["accuracy"]),
        seconds=float(row["seconds"]),
        reached=float(row["reached"]) if row["reached"] else None,
        limpide_accuracy=float(row["limpide_accuracy"]),
        limpide_seconds=float(row["limpide_seconds"]),
    )


def add(pair: Pair, file: Path = FILE) -> None:
    is_new = not file.exists()
    with open(file, "a", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        if is_new:
            rows.writerow(field.name for field in fields(Pair))
        rows.writerow("" if value is None else value for value in astuple(pair))


def table(pairs: list[Pair], name: str) -> str:
    """Markdown, the fastest peer first; medians, the ratios from the lowest to the highest, and the ratio of the
    fastest rounds of both, which other work has slowed least.
    """
    lines = [
        "| peer | rounds | correct | saved after | own score 99.0 % after | limpide | saved after | ratio | fastest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    own = {pair.peer: [one for one in pairs if (one.table, one.peer) == (name, pair.peer)] for pair in pairs}
    found = {peer: rows for peer, rows in own.items() if rows}
    lines += [_line(peer, found[peer]) for peer in sorted(found, key=lambda peer: _median(found[peer], "seconds"))]
    return "\n".join(lines)


def _line(peer: str, rows: list[Pair]) -> str:
    ratios = [row.ratio for row in rows]
    reached = [row.reached for row in rows if row.reached is not None]
    when = f"{np.median(reached):.1f} s" if len(reached) > len(rows) / 2 else "–"
    fastest = min(row.seconds for row in rows) / min(row.limpide_seconds for row in rows)
    cells = (
        peer,
        str(len(rows)),
        f"{_median(rows, 'accuracy'):.2%}".replace("%", " %"),
        f"{_median(rows, 'seconds'):.1f} s",
        when,
        f"{_median(rows, 'limpide_accuracy'):.2%}".replace("%", " %"),
        f"{_median(rows, 'limpide_seconds'):.1f} s",
        f"{np.median(ratios):.1f}× ({min(ratios):.1f} to {max(ratios):.1f})",
        f"{fastest:.1f}×",
    )
    return "| " + " | ".join(cells) + " |"


def _median(rows: list[Pair], name: str) -> float:
    return float(np.median([getattr(row, name) for row in rows]))
