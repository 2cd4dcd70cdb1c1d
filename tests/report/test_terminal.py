"""The report in a terminal: the same claims, and nothing from a file is read as markup or as an escape sequence."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import fake_run as fake
import pytest

from limpide import language
from limpide.report.terminal import print_report

rich_console = pytest.importorskip("rich.console")


def printed(folder: Path, width: int = 200, **run: Any) -> str:
    language.use("en")
    stream = io.StringIO()
    print_report(fake.make_run(folder, **run), rich_console.Console(file=stream, width=width))
    return stream.getvalue()


def test_it_says_what_the_page_says(tmp_path: Path) -> None:
    text = printed(tmp_path)
    assert "It names 99.1\u00a0% of 10,000 images" in text
    assert "between 98.9\u00a0% and 99.3\u00a0%" in text
    assert "logistic regression on pixels" in text and "(worth a look)" in text
    assert "the same image is in two classes: 2 files" in text
    assert "and 5 more classes" in text
    assert "model file: 1.24\u00a0MB" in text
    assert "Not measured. (not known)" in text


def test_names_are_not_markup(tmp_path: Path) -> None:
    text = printed(tmp_path, classes=("[red]cat[/red]", "a\x1b[31mb", "[/nonsense]", "d\u202ee"))
    assert "[red]cat[/red]" in text and "[/nonsense]" in text
    assert "\x1b" not in text and "a\\x1b[31mb" in text


def test_nothing_is_too_wide_and_numbers_keep_their_unit(tmp_path: Path) -> None:
    lines = printed(tmp_path, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert not any(line.strip().startswith(("% of", "MB")) for line in lines)


def test_a_run_that_stopped_early(tmp_path: Path) -> None:
    everything = tuple(finding.name for finding in fake.findings_of(fake.DIGITS))
    assert printed(tmp_path, without=everything).strip() == "This run has no score yet."
