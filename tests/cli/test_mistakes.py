"""Mistakes while typing: one line for each, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.place import Place, one_line


@pytest.mark.parametrize(
    ("arguments", "status", "hint"),
    [
        (("trian", "photos"), 2, "did you mean limpide train?"),
        (("predicts", "x"), 2, "limpide predict"),
        (("xyzzy",), 2, "limpide --help"),
        (("train", "photos", "--epohs", "3"), 2, "--epochs"),
        (("train",), 2, "DATA"),
        (("--lang", "xx", "runs"), 2, "en, fr"),
        (("report", "runs/photos-001", "--lang", "xx"), 2, "en, fr"),
        (("models", "cmn"), 2, "did you mean cnn?"),
        (("models", "xyzzy"), 2, "see limpide models"),
        (("train", "photso"), 3, "did you mean photos?"),
        (("train", "./photso/"), 3, "photos?"),
        (("train", "digit"), 3, "did you mean digits?"),
        (("train", "photos/disc/0000.png"), 3, "folder"),
        (("train", "photos", "--good", "dsic"), 2, "--good disc"),
        (("predict", "runs/photos-009", "photos"), 5, "did you mean runs/photos-001?"),
        (("predict", "elsewhere/photos-009", "photos"), 5, "limpide runs"),
        (("report", "photos"), 5, "limpide runs"),
        (("evaluate", "runs/photos-001", "nowhere"), 3, "no such folder"),
        (("export", "runs/photos-001", "model.txt"), 2, ".onnx"),
        (("clean", "--older", "30"), 2, "30d for days"),
        (("export", "runs/photos-001", "no/such/folder/model.onnx"), 2, ".onnx"),
        (("predict", "runs/photos-001", "*.xyz"), 2, "no file matches"),
        (("predict", "photos/disc/0000.png", "photos"), 4, "cannot be opened"),
        (("explain", "runs/photos-001", "photos/disc"), 3, "give an image file"),
        (("explain", "runs/photos-001", "gone.png"), 3, "gone.png"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "haed"), 2, "did you mean head?"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "head", "--channel", "3"), 2, "below 3"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "blocks.0.0", "-y", "99"), 2, "99"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_told_in_one_line_with_what_to_do(
    place: Place, arguments: tuple[str, ...], status: int, hint: str
) -> None:
    line = one_line(place.mistake(*arguments, status=status))
    assert hint in line


@pytest.mark.parametrize(
    "wrong",
    [
        ("--epochs", "0"),
        ("--epochs", "two"),
        ("--epochs", "1.5"),
        ("--lr", "-1"),
        ("--batch", "0"),
        ("--fit", "stretch"),
        ("--time", "soon"),
        ("--test", "0.95"),
        ("--seed", "-1"),
    ],
    ids=" ".join,
)
def test_a_value_that_cannot_be_right(place: Place, wrong: tuple[str, str]) -> None:
    line = one_line(place.mistake("train", "photos", *wrong, status=2))
    assert (wrong[0][2:] in line or "duration" in line) and wrong[1] in line
    assert len(list((place.root / "runs").iterdir())) == 1, "nothing was begun"


def test_a_network_that_does_not_exist_is_told_with_the_nearest(place: Place, tmp_path: Path) -> None:
    line = (
        place("train", "photos", "--model", "cmn", "--runs", tmp_path / "runs", status=2)
        .stderr.strip()
        .splitlines()[-1]
    )
    assert "did you mean cnn?" in line and line.endswith("[L106]")


def test_a_runs_folder_that_cannot_be_written_is_told_before_training(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = one_line(place("train", "photos", "--model", "cnn", "--runs", tmp_path / "file", status=5), "L501")
    assert "--runs" in line


def test_a_hostile_name_stays_in_its_line(place: Place) -> None:
    done = place.mistake("train", "a\nlimpide: all is well\x1b[31m", status=3)
    assert "\x1b" not in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_language_that_is_not_there_is_told(place: Place) -> None:
    one_line(place("info", status=2, LIMPIDE_LANG="de"), "L107")
    assert place("--lang", "en", "info", LIMPIDE_LANG="de").stdout
