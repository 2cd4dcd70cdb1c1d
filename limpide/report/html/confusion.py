"""The confusion matrix as rows of cells to draw: true and predicted classes, with shades and spoken sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.finding import Finding, Picture
from limpide.text.messages import N_, Message, message

MAX_CLASSES = 30  # classes of a matrix that is drawn completely
MAX_CONFUSED = 20  # classes drawn of a larger one; the table lists the confusions
SHADES = 6


@dataclass(frozen=True)
class Cell:
    key: str  # "3-5": row and column, the name of the cell's pictures
    count: int
    shade: int  # 0 … SHADES: share of the row among the mistakes drawn
    right: bool  # on the diagonal
    sentence: Message


@dataclass(frozen=True)
class Row:
    name: str
    cells: Sequence[Cell]
    rest: int  # images predicted as classes that are not drawn
    n: int  # images of this class


@dataclass(frozen=True)
class Matrix:
    columns: Sequence[str]
    rows: Sequence[Row]
    classes: int  # of the data set; more than len(columns) when only the most confused are drawn
    darkest: float  # share of a row that the darkest shade means
    short: bool  # the names fit above their columns without rotation
    pictures: Sequence[tuple[str, Message, Sequence[Picture]]]  # key of the cell, its sentence, its pictures


def matrix_of(finding: Finding, pictures: Sequence[Picture]) -> Matrix | None:
    """`finding.data` holds the classes and the counts, rows = truth. None where they do not fit together."""
    names, counts = list(finding.data.get("classes", ())), finding.data.get("matrix", ())
    if not names or len(counts) != len(names) or any(len(row) != len(names) for row in counts):
        return None
    chosen = _choose_classes(counts)
    totals = [sum(row) for row in counts]
    shares = [counts[i][j] / totals[i] for i in chosen for j in chosen if i != j and totals[i]]
    darkest = max(shares, default=0.0)
    rows = []
    for i in chosen:
        cells = [_cell(names, counts, totals, i, j, darkest) for j in chosen]
        rows.append(Row(names[i], cells, totals[i] - sum(cell.count for cell in cells), totals[i]))
    place = {cell.key: cell for row in rows for cell in row.cells}
    columns = [names[j] for j in chosen]
    short = all(len(name) <= 4 for name in columns)
    return Matrix(columns, rows, len(names), darkest, short, _group_pictures(names, place, pictures))


def _choose_classes(counts: Sequence[Sequence[int]]) -> list[int]:
    """All classes, or those of the most frequent confusions."""
    classes = range(len(counts))
    if len(counts) <= MAX_CLASSES:
        return list(classes)
    pairs = sorted((-counts[i][j], i, j) for i in classes for j in classes if i != j and counts[i][j])
    chosen: set[int] = set()
    for _count, i, j in pairs:
        if len(chosen | {i, j}) <= MAX_CONFUSED:
            chosen |= {i, j}
    for i in classes:  # for a data set with hardly any confusion
        if len(chosen) < MAX_CONFUSED:
            chosen.add(i)
    return sorted(chosen)


def _cell(
    names: Sequence[str], counts: Sequence[Sequence[int]], totals: Sequence[int], i: int, j: int, darkest: float
) -> Cell:
    count, of = counts[i][j], totals[i]
    share = count / of if of else 0.0
    shade = 0
    if count and i != j:
        # The square root keeps rare confusions visible next to frequent ones.
        shade = max(1, min(SHADES, round(SHADES * (share / darkest) ** 0.5))) if darkest else 1
    return Cell(f"{i}-{j}", count, shade, i == j, sentence_of(names[i], names[j], count, of))


def sentence_of(truth: str, predicted: str, count: int, of: int) -> Message:
    values = {"truth": truth, "predicted": predicted, "count": count, "n": of, "share": count / of if of else 0.0}
    if truth == predicted:
        return message(
            N_("{truth}: {count:count} of {n:count} image recognised ({share:percent})"),
            N_("{truth}: {count:count} of {n:count} images recognised ({share:percent})"),
            **values,
        )
    return message(
        N_("{truth} taken for {predicted}: {count:count} of {n:count} image ({share:percent})"),
        N_("{truth} taken for {predicted}: {count:count} of {n:count} images ({share:percent})"),
        **values,
    )


def _group_pictures(
    names: Sequence[str], place: dict[str, Cell], pictures: Sequence[Picture]
) -> list[tuple[str, Message, list[Picture]]]:
    index = {name: i for i, name in enumerate(names)}
    groups: dict[str, list[Picture]] = {}
    for picture in pictures:
        key = f"{index.get(picture.label)}-{index.get(picture.predicted)}"
        if key in place:
            groups.setdefault(key, []).append(picture)
    return [(key, place[key].sentence, group) for key, group in groups.items()]
