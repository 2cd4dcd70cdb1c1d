"""A Finding: one claim about a model or a data set, with its evidence.

Terminal, HTML report, Python and exit codes all render this one type. It holds no translated text: `message` and the
other sentences are msgids plus values, so the same file can be shown in every language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from limpide.core import typed_json
from limpide.text.formats import format_basis, format_cell, format_interval, format_measure
from limpide.text.messages import N_, Message, _

Verdict = Literal["ok", "warn", "bad", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("ok", "warn", "bad", "unknown")
VERDICT_WORDS = {"ok": N_("fine"), "warn": N_("worth a look"), "bad": N_("a problem"), "unknown": N_("not known")}
VERDICT_MARKS = {"ok": "●", "warn": "▲", "bad": "■", "unknown": "○"}


@dataclass(frozen=True)
class Number:
    """A measured value. `low` and `high` bound its 95 % interval, `n` is the number of observations behind it."""

    name: str  # msgid
    value: float
    unit: str  # "share", "s", "bytes", "count", "nats" …
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True)
class Table:
    """`columns` are msgids with the format of their cells: ("accuracy", "percent"). A cell may be a Message or None."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    caption: Message | None = None


@dataclass(frozen=True)
class Picture:
    """One image as evidence: its file, its label, the prediction, and a small JPEG as base64 ("" when withheld)."""

    file: str
    label: str
    predicted: str
    probability: float
    jpeg: str = ""


@dataclass(frozen=True)
class Finding:
    name: str  # stable identifier: file name, key in JSON
    verdict: Verdict
    message: Message  # one sentence: the claim
    numbers: Sequence[Number] = ()
    table: Table | None = None
    pictures: Sequence[Picture] = ()
    details: Sequence[Message] = ()  # how it was measured, how it can mislead
    source: str = ""  # paper, section; or the part of the data that it is based on
    # plain arrays a renderer may draw (a confusion matrix, a curve)
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"The verdict must be one of {', '.join(VERDICTS)}. Got {self.verdict} instead.")

    def __str__(self) -> str:
        return str(self.message)

    def _repr_html_(self) -> str:
        from limpide.text import notebook_html

        numbers = [
            (_(n.name), format_measure(n.value, n.unit), format_interval(n.low, n.high, n.unit), format_basis(n.n))
            for n in self.numbers
        ]
        rows = (
            [
                [format_cell(value, form) for value, (_name, form) in zip(row, self.table.columns, strict=False)]
                for row in self.table.rows
            ]
            if self.table
            else []
        )
        return notebook_html.block(
            notebook_html.claim(VERDICT_MARKS[self.verdict], _(VERDICT_WORDS[self.verdict]), str(self.message)),
            notebook_html.table(numbers),
            notebook_html.table(rows, [_(name) for name, _form in self.table.columns], str(self.table.caption or ""))
            if self.table
            else "",
        )

    def number(self, name: str) -> Number:
        return next(number for number in self.numbers if number.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "message": self.message.to_json(),
            "numbers": [vars(number) for number in self.numbers],
            "table": self.table and _table_to_json(self.table),
            "pictures": [vars(picture) for picture in self.pictures],
            "details": [detail.to_json() for detail in self.details],
            "source": self.source,
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Raises InvalidJson, which names the field that is not as `to_json` writes it."""
        record = typed_json.as_record(_Kept, data)
        return cls(
            name=record.name,
            verdict=record.verdict,
            message=_sentence(record.message, "message"),
            numbers=list(record.numbers),
            table=_table_from_json(record.table) if record.table else None,
            pictures=list(record.pictures),
            details=[_sentence(detail, f"details[{k}]") for k, detail in enumerate(record.details)],
            source=record.source,
            data=record.data,
        )


@dataclass(frozen=True)
class _KeptTable:
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: Message | None = None


@dataclass(frozen=True)
class _Kept:
    """A finding as JSON."""

    name: str
    verdict: Verdict
    message: Message
    numbers: tuple[Number, ...] = ()
    table: _KeptTable | None = None
    pictures: tuple[Picture, ...] = ()
    details: tuple[Message, ...] = ()
    source: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def _sentence(sentence: Message, place: str) -> Message:
    """The sentence, after a trial rendering: values that do not fit their placeholders are noticed here."""
    try:
        str(sentence)
    except Exception as error:  # a format string from a file can fail in every way
        raise typed_json.invalid_field(place, N_("a sentence with its values")) from error
    return sentence


def _table_to_json(table: Table) -> dict[str, Any]:
    rows = [[cell.to_json() if isinstance(cell, Message) else cell for cell in row] for row in table.rows]
    caption = table.caption.to_json() if table.caption else None
    return {"columns": [list(column) for column in table.columns], "rows": rows, "caption": caption}


def _table_from_json(record: _KeptTable) -> Table:
    def cell(value: Any) -> Any:
        return (
            _sentence(typed_json.as_record(Message, value, "table.rows"), "table.rows")
            if isinstance(value, Mapping)
            else value
        )

    if any(len(column) != 2 for column in record.columns):
        raise typed_json.invalid_field("table.columns", N_("a list of (name, format) pairs"))
    return Table(
        [(name, form) for name, form in record.columns],
        [[cell(value) for value in row] for row in record.rows],
        record.caption,
    )
