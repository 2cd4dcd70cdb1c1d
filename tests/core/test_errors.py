"""An error is one line, whatever the names in it are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from limpide.core.errors import (
    DataError,
    LimpideError,
    ModelError,
    RunError,
    TrainingError,
    UsageError,
    nearest,
    one_line,
)
from limpide.text.language import LANGUAGES, use_language
from limpide.text.messages import N_
from limpide.text.numbers import format_bytes, format_duration, format_number, format_percent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain café 猫 🐈", "plain café 猫 🐈"),
        ("99.1\N{NO-BREAK SPACE}%", "99.1\N{NO-BREAK SPACE}%"),
        ("1\N{NARROW NO-BREAK SPACE}234", "1\N{NARROW NO-BREAK SPACE}234"),
        ("a\nb\r\tc", "a\\x0ab\\x0d\\x09c"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\\x202eexe"),
        ("\N{LEFT-TO-RIGHT ISOLATE}\N{POP DIRECTIONAL ISOLATE}\N{RIGHT-TO-LEFT MARK}", "\\x2066\\x2069\\x200f"),
        ("\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}", "\\x2028\\x2029"),
        ("\udcff", "\\xdcff"),
        ("{x} [red] %s", "{x} [red] %s"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text(st.characters()))
def test_one_line_is_one_line_that_can_be_printed(text: str) -> None:
    line = one_line(text)
    assert len(f"[{line}]".splitlines()) == 1
    line.encode()
    assert all(c.isprintable() or c in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" for c in line)


def test_numbers_in_both_languages_pass_through_unchanged() -> None:
    for spoken in LANGUAGES:
        use_language(spoken)
        for text in (
            format_percent(0.991),
            format_number(1234567),
            format_duration(75),
            format_bytes(18_600_000),
        ):
            assert one_line(text) == text


hostile = st.text(st.characters(), max_size=30)


@given(hostile, hostile)
@example("a\nlimpide: all is well\x1b[2K", "b\r\nc")
def test_an_error_is_one_line(where: str, value: str) -> None:
    error = DataError(
        "L204",
        what=N_("all images are in one class, {name}: there is nothing to tell apart"),
        where=where,
        todo=N_("choose one of {names}"),
        name=value,
        names=value,
    )
    line = str(error)
    assert len(line.splitlines()) == 1 and line.endswith(f"choose one of {one_line(value)} [L204]")
    assert f"class, {one_line(value)}:" in line and one_line(where) in line


def test_an_error_says_what_where_and_what_to_do_in_the_language_of_the_moment() -> None:
    error = RunError(
        "L504",
        what=N_("another process is working in this run"),
        where="runs/a-001",
        todo=N_("start another run with --new"),
    )
    assert str(error) == "another process is working in this run — runs/a-001 — start another run with --new [L504]"
    use_language("fr")
    assert str(error) == (
        "un autre processus travaille dans cet entraînement — runs/a-001 — commencez un autre entraînement avec "
        "--new [L504]"
    )
    assert str(error.message()) == "un autre processus travaille dans cet entraînement"


def test_empty_parts_leave_no_dashes() -> None:
    assert str(UsageError("L100", where="", todo="")) == "there is no such command [L100]"


def test_each_kind_has_its_own_exit_status() -> None:
    kinds = (LimpideError, UsageError, DataError, ModelError, RunError, TrainingError)
    assert [kind.exit_status for kind in kinds] == [70, 2, 3, 4, 5, 6]
    assert all(issubclass(kind, LimpideError) for kind in kinds)


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("trian", ["train", "predict", "runs"], "train"),
        ("TRAIN", ["train"], "train"),
        ("cats", ["Cat", "Dog"], "Cat"),
        ("xyzzy", ["train", "predict"], ""),
        ("", ["train"], ""),
        ("a", [], ""),
    ],
)
def test_nearest(typed: str, known: list[str], meant: str) -> None:
    assert nearest(typed, iter(known)) == meant
