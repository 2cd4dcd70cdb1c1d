"""The findings of a run in a terminal: the same claims as the page, on one screen or two.

Text from files is put into rich's Text and never read as markup: a class called "[red]" stays "[red]".
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from limpide.core.finding import VERDICT_MARKS, VERDICT_WORDS, Finding, Table
from limpide.core.run import Run
from limpide.report import finding_words
from limpide.report.html import run_data
from limpide.report.html.page import weakest_first
from limpide.text import formats
from limpide.text.messages import N_, _, message

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WEAKEST = 5  # classes shown
CONFUSIONS = 5
FIRST_ROWS = 5  # of a table of files
# Findings whose table is printed, too, and the columns that fit into eighty characters; the page has all of them.
SHOWN_COLUMNS = {"simpler": ("model", "accuracy", "training images", "training time", "ms an image")}
SENTENCES = ("mistakes", "diagnosis", "training", "calibration")  # one line each
PAGE_ONLY = ("inside",)  # one product of one unit needs its picture
MARK_STYLES = {"ok": "green", "warn": "yellow", "bad": "red", "unknown": "dim"}


def print_report(run: Run, console: Console) -> None:
    """Print the findings of `run` in the current language. Missing findings are skipped."""
    findings = run.findings()
    if "defects" in findings:
        _defects(findings["defects"], console)
    else:
        _headline(findings.get("accuracy"), console)
    for name, columns in SHOWN_COLUMNS.items():
        if name in findings:
            _claim(findings[name], console)
            _table(_keep_columns(findings[name].table, columns), console)
    if "classes" in findings:
        _claim(findings["classes"], console)
        _weakest(findings["classes"], console)
    if "confusion" in findings:
        _claim(findings["confusion"], console)
        _table(_first(findings["confusion"].table, CONFUSIONS), console)
    for name in SENTENCES:
        if name in findings:
            _claim(findings[name], console)
    _excluded(run, findings.get("data"), console)
    checks = {name: findings[name] for name in run_data.CHECKS if name in findings and findings[name].verdict != "ok"}
    print_findings(checks, console)
    known = {
        "accuracy",
        "defects",
        *run_data.CHECKS,
        *SHOWN_COLUMNS,
        "classes",
        "confusion",
        *SENTENCES,
        *PAGE_ONLY,
        "data",
        "cost",
    }
    for name in (*sorted(findings.keys() - known), "cost"):
        if name in findings:
            _claim(findings[name], console)
    _numbers(findings.get("cost"), console)


def print_claims(findings: Mapping[str, Finding], console: Console) -> None:
    """Print each claim in a sentence, and the interval of the score."""
    for name, finding in findings.items():
        if name == "accuracy":
            _headline(finding, console)
        elif name == "defects":
            _defects(finding, console)
        else:
            _claim(finding, console)


def print_whole_finding(finding: Finding, console: Console) -> None:
    """Print the claim, all of its table, and how it was found."""
    _claim(finding, console)
    _table(finding.table, console)
    for detail in finding.details:
        _paragraph(str(detail), console, "dim")


def print_findings(findings: Mapping[str, Finding], console: Console) -> None:
    """Print each claim and, for a verdict "warn" or "bad", the first rows of its table and how it was found."""
    for finding in findings.values():
        _claim(finding, console)
        if finding.verdict in ("warn", "bad"):
            _table(_first(finding.table, FIRST_ROWS), console)
            rest = len(finding.table.rows) - FIRST_ROWS if finding.table else 0
            if rest > 0:
                _paragraph(str(message(N_("and {n:count} more"), n=rest)), console, "dim")
            for detail in finding.details:
                _paragraph(str(detail), console, "dim")


def _headline(finding: Finding | None, console: Console) -> None:
    if finding is None:
        console.print(_text(_("This run has no score yet."), "bold"))
        return
    _claim(finding, console, "bold")
    score = finding_words.number_of(finding, str(finding.data.get("lead", "accuracy")))
    # the accuracy on training images says nothing about other images
    flattered = bool(finding_words.value_of(finding, "used in training"))
    if score and score.low is not None and score.high is not None and not flattered:
        sure = N_(
            "If we tested it on many more images like these, the score would very likely lie between "
            "{low:percent} and {high:percent}."
        )
        _paragraph(str(message(sure, low=score.low, high=score.high)), console)
    if says := finding_words.second_line(finding):
        _paragraph(str(says), console, "bold")
    beside = [("chance", N_("guessing at random")), ("majority", N_("always the most frequent class"))]
    if finding.data.get("uneven"):
        beside += [
            ("balanced accuracy", N_("every class counted equally (balanced accuracy)")),
            ("macro-F1", N_("macro-F1")),
        ]
    compared = [(_(name), finding_words.value_of(finding, key)) for key, name in beside]
    words = [
        str(message(N_("{name}: {value}"), name=name, value=formats.format_measure(value, "share")))
        for name, value in compared
        if value is not None
    ]
    if words:
        _paragraph(" · ".join(words), console, "dim")


def _defects(finding: Finding, console: Console) -> None:
    """Print the finding on a model of good parts: the claim, its numbers with their intervals, and each class."""
    _claim(finding, console, "bold")
    for number in finding.numbers:
        if number.unit != "share":
            continue
        says = N_("{name}: {value:percent}, between {low:percent} and {high:percent}")
        if number.low is None or number.high is None:
            says = N_("{name}: {value:percent}")
        words = message(says, name=_(number.name), value=number.value, low=number.low, high=number.high)
        _paragraph(str(words), console, "dim")
    _table(finding.table, console)


def _claim(finding: Finding, console: Console, style: str = "") -> None:
    """Print the mark of the verdict and the sentence; with the word of the verdict wherever the finding needs
    attention.
    """
    color = MARK_STYLES[finding.verdict]
    words = str(finding.message)
    if finding.verdict != "ok":
        words += f" ({_(VERDICT_WORDS[finding.verdict])})"
    _paragraph(words, console, style, first=_text(VERDICT_MARKS[finding.verdict] + " ", color))


def _table(table: Table | None, console: Console) -> None:
    if table and table.rows:
        cells = [
            [formats.format_cell(value, form) for value, (_name, form) in zip(row, table.columns, strict=False)]
            for row in table.rows
        ]
        _grid([(_(name), form != "text") for name, form in table.columns], cells, console)


def _weakest(finding: Finding, console: Console) -> None:
    rows = weakest_first(finding)
    cells = [
        [
            formats.format_cell(row.get("class")),
            formats.format_cell(row.get("recall"), "percent"),
            formats.format_interval(row.get("recall low"), row.get("recall high")),
            formats.format_cell(row.get("precision"), "percent"),
            formats.format_cell(row.get("test images"), "count"),
        ]
        for row in rows[:WEAKEST]
    ]
    heads = (N_("class, weakest first"), N_("recall"), N_("interval (95 %)"), N_("precision"), N_("test images"))
    _grid([(_(name), i > 0) for i, name in enumerate(heads)], cells, console)
    if len(rows) > WEAKEST:
        more = message(N_("and {n:count} more class"), N_("and {n:count} more classes"), n=len(rows) - WEAKEST)
        _paragraph(str(more), console, "dim")


def _excluded(run: Run, finding: Finding | None, console: Console) -> None:
    if finding is None:
        return
    _claim(finding, console)
    data = run_data.data_of(run.split_file, run.excluded_file)
    parts = [str(message(N_("{name} {n:count}"), name=_(part), n=n)) for part, n in data.parts]
    if parts:
        _paragraph(" · ".join(parts), console, "dim")
    for reason, n in data.reasons:
        line = message(N_("{reason}: {n:count} file"), N_("{reason}: {n:count} files"), reason=_(reason), n=n)
        _paragraph(str(line), console, "dim")


def _numbers(finding: Finding | None, console: Console) -> None:
    if finding:
        words = [
            str(message(N_("{name}: {value}"), name=_(n.name), value=formats.format_measure(n.value, n.unit)))
            for n in finding.numbers
        ]
        _paragraph(" · ".join(words), console, "dim")


def _keep_columns(table: Table | None, names: Sequence[str]) -> Table | None:
    """The table with only those of `names` that are columns of it."""
    if table is None:
        return None
    places = [k for k, (name, _form) in enumerate(table.columns) if name in names]
    return Table([table.columns[k] for k in places], [[row[k] for k in places] for row in table.rows])


def _first(table: Table | None, count: int) -> Table | None:
    return Table(table.columns, table.rows[:count]) if table else None


def _grid(heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], console: Console) -> None:
    """Print a borderless table, indented under its sentence. heads: (words, whether the column holds numbers)."""
    from rich.padding import Padding
    from rich.table import Table as Grid

    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for words, numeric in heads:
        grid.add_column(_text(words), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(_text(words) for words in row))
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))


def _paragraph(words: str, console: Console, style: str = "", first: Text | None = None) -> None:
    """Print text indented by two. textwrap, unlike rich, never separates a number from its unit at a no-break space."""
    lines = textwrap.wrap(formats.visible_text(words), max(20, console.width - 2)) or [""]
    for i, line in enumerate(lines):
        start = first if i == 0 and first else _text("  ")
        console.print(start + _text(line, style), soft_wrap=True)


def _text(words: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(formats.visible_text(words), style=style)
