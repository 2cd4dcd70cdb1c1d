"""The output of predict: each row as soon as it is known. The reader (a file, a pipe, a person) keeps it, even when the
next one fails.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TextIO

from limpide.core.errors import LimpideError
from limpide.deploy.predictor import BATCH, Prediction, clipped_message
from limpide.report.terminal import tables
from limpide.text.messages import _
from limpide.text.numbers import format_percent, format_significant


def write_answers(answers: Iterable[Prediction | LimpideError], how: str) -> tuple[int, str]:
    """Write predictions to standard output, and errors to standard error; return how many files were named, and the
    first of them.

    how: "table" · "csv" · "jsonl", one JSON object a line · "json", one list in the end. Raises BrokenPipeError when
    the reader of the output is gone.
    """
    writer = WRITERS[how]()
    named, clipped, first = 0, 0, ""
    waiting: list[Prediction] = []
    try:
        for n, answer in enumerate(answers, 1):
            if isinstance(answer, LimpideError):
                _line(sys.stderr, f"limpide: {answer}")
            else:
                named, clipped, first = named + 1, clipped + answer.clipped, first or answer.file
                waiting.append(answer)
            if writer.at_once or n % BATCH == 0:
                rows, waiting = waiting, []  # first: Ctrl-C in between may leave a row out, but writes none twice
                writer.write(rows)
    finally:  # stopped early, known rows are kept
        writer.write(waiting)
    writer.end()
    if clipped:
        _line(sys.stderr, f"limpide: {clipped_message(clipped, named)}")
    return named, first


class Writer(Protocol):
    """Writes rows below those written before."""

    at_once: bool = True  # or as many together as the predictor names at once

    def write(self, rows: Sequence[Prediction]) -> None: ...

    def end(self) -> None:
        """Called after all rows are written."""


class Table(Writer):
    """As wide as the rows that are known at once; later rows keep its columns."""

    at_once = False

    def __init__(self) -> None:
        self._widths: list[int] = []

    def write(self, rows: Sequence[Prediction]) -> None:
        if any(p.strangeness for p in rows):
            self._write_strange(rows)
            return
        cells = [
            (
                p.file,
                p.label or _("none of these"),
                format_percent(p.probability),
                ", ".join(f"{name} {format_percent(share)}" for name, share in p.top[1:]),
            )
            for p in rows
        ]
        if cells:
            heads = (_("file"), _("class"), _("probability"), _("next best"))
            self._widths = tables.print_rows(heads, cells, self._widths)

    def _write_strange(self, rows: Sequence[Prediction]) -> None:
        """Write the answers of a model of good parts."""
        cells = [
            (p.file, p.label or "", format_significant(found.score), format_percent(found.p_value))
            for p in rows
            if (found := p.strangeness)
        ]
        heads = (_("file"), _("class"), _("times the threshold"), _("good parts as strange, at most"))
        self._widths = tables.print_rows(heads, cells, self._widths)


class Csv(Writer):
    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._begun = False

    def _begin(self, columns: Sequence[str]) -> None:
        if not self._begun:
            # not "label": a saved prediction must not become the truth of a data set
            self._writer.writerow(["file", "predicted", *columns])
        self._begun = True

    def write(self, rows: Sequence[Prediction]) -> None:
        if rows:
            self._begin(["score", "p_value"] if rows[0].strangeness else ["probability"])
        self._writer.writerows([_as_text(p.file), _as_text(p.label or ""), *_measures(p)] for p in rows)
        sys.stdout.flush()

    def end(self) -> None:
        self._begin(["probability"])
        sys.stdout.flush()


class Lines(Writer):
    def write(self, rows: Sequence[Prediction]) -> None:
        for row in rows:
            _line(sys.stdout, json.dumps(row.to_json()))


class List(Writer):
    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def write(self, rows: Sequence[Prediction]) -> None:
        self._rows += [row.to_json() for row in rows]

    def end(self) -> None:
        _line(sys.stdout, json.dumps(self._rows))


def _measures(p: Prediction) -> list[str]:
    found = p.strangeness
    return [f"{found.score:.6f}", f"{found.p_value:.6f}"] if found else [f"{p.probability:.6f}"]


WRITERS: dict[str, Callable[[], Writer]] = {"table": Table, "csv": Csv, "jsonl": Lines, "json": List}


def _line(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()


def _as_text(value: str) -> str:
    """The value as text for a spreadsheet, which would run a cell that begins like a formula: an apostrophe prevents
    that.
    """
    value = value.encode("utf-8", "backslashreplace").decode()
    return "'" + value if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
