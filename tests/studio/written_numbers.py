"""The numbers that a text says, and those that a run holds."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from limpide.core.events import Note
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.report.html import run_data
from limpide.text.formats import format_basis, format_cell, format_interval, format_measure

UNITS = "%|ms|min|s|h|kB|MB|GB|B|ko|Mo|Go|o|Wh|J|million|millions|billion|px"
NUMBER = re.compile(rf"(?<![\w.,])\d+(?:[, ]\d{{3}})*(?:[.,]\d+)?(?: (?:{UNITS})(?!\w))?")


def numbers(text: object) -> set[str]:
    """With their units: "96.0 %", "1 min", "1,280"."""
    return set(NUMBER.findall(plain(text)))


def plain(text: object) -> str:
    return re.sub(r"[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", str(text)).replace("\N{MINUS SIGN}", "-")


def known(finding: Finding) -> set[str]:
    """All numbers that a finding holds, as they are written."""
    texts = [finding.message, *finding.details, finding.source, json.dumps(finding.data.get("matrix", []))]
    texts += [
        text
        for n in finding.numbers
        for text in (format_measure(n.value, n.unit), format_interval(n.low, n.high, n.unit), format_basis(n.n))
    ]
    if finding.table:
        texts += [
            format_cell(value, form)
            for row in finding.table.rows
            for value, (_, form) in zip(row, finding.table.columns, strict=True)
        ]
    texts += [text for p in finding.pictures for text in (format_cell(p.probability, "percent"), p.file)]
    for bin_ in finding.data.get("bins", []):
        texts += [format_cell(value, "count" if name == "n" else "percent") for name, value in bin_.items()]
    return set().union(*map(numbers, texts))


def known_of(run: Run) -> set[str]:
    info = run.info()
    data = run_data.data_of(run.split_file, run.excluded_file)
    texts: list[object] = [event.message for event in run.events() if isinstance(event, Note)]
    texts += [format_cell(n, "count") for _, n in data.parts] + [
        format_cell(n, "count") for _, counts in data.per_class for n in counts
    ]
    texts += [
        info.created,
        json.dumps(info.recipe),
        json.dumps(info.wanted),
        *(text for fact in run_data.made_facts(info) for text in fact),
        run.path,
    ]
    return set().union(*map(known, run.findings().values()), *map(numbers, texts))


class Sections(HTMLParser):
    """The text of each section of a report, without what is drawn and what a script fills in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._name, self._silent = "", 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section" and (name := dict(attrs).get("id")):
            self._name = name
        self._silent += tag in ("svg", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("svg", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts[self._name] = f"{self.texts.get(self._name, '')}\n{data}"
