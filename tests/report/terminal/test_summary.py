"""The report in a terminal: the same claims, and nothing from a file is read as markup or as an escape sequence."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest

from limpide.report.terminal.summary import print_report
from limpide.report.terminal.tables import print_unit
from limpide.report.unit_grid import arithmetic_of
from limpide.text.language import use_language
from tests.report import fake_run as fake

rich_console = pytest.importorskip("rich.console")


def printed(folder: Path, width: int = 200, **run: Any) -> str:
    use_language("en")
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


def test_a_unit_is_told_with_its_steps_and_without_a_bias_that_it_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    use_language("en")
    unit = fake.inside()
    print_unit(unit)
    with_bias = capsys.readouterr().out
    assert (
        "bias" in with_bias
        and "after batch normalization (features.0.norm)" in with_bias
        and "after ReLU (features.0.relu): what the next layer sees" in with_bias
    )
    print_unit(dataclasses.replace(unit, data={**unit.data, "bias": 0.0}))
    assert "bias" not in capsys.readouterr().out
    told = [str(line.what) for line in arithmetic_of(dataclasses.replace(unit, data={**unit.data, "bias": 0.0})).lines]  # type: ignore[union-attr]
    assert len(told) == 5 and not any("bias" in what for what in told)


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
