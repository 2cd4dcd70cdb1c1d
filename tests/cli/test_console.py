"""A console or a file that cannot show every character: nothing ends in an error, and nothing is lost in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make_images import photo_folder
from tests.runner import QUICKLY, environment


def said(encoding: str, *words: str, cwd: Path, program: tuple[str, ...] = ("-m", "limpide"), **changes: str) -> str:
    """What it prints, read as the console would read it."""
    variables = environment(PYTHONIOENCODING=encoding, **changes)
    done = subprocess.run([sys.executable, *program, *words], cwd=cwd, env=variables, capture_output=True, check=False)
    assert done.returncode == 0, (words, done.stderr.decode(encoding))
    return done.stdout.decode(encoding)


@pytest.mark.parametrize(("encoding", "language"), [("cp1252", "en"), ("cp1252", "fr"), ("latin-1", "fr")])
def test_every_verb_speaks_to_it(encoding: str, language: str, tmp_path: Path) -> None:
    for words in (["--help"], ["models", "alexnet"], ["lesson", "overfitting"], ["info"]):
        text = said(encoding, *words, cwd=tmp_path, LIMPIDE_LANG=language)
        assert text and "\\u" not in text, (words, text)


def test_a_training_is_not_ended_by_a_character(tmp_path: Path) -> None:
    photo_folder(tmp_path / "photos", per_class=12, size=(16, 16))
    (tmp_path / "photos" / "disc").rename(tmp_path / "photos" / "圆🔵")
    lines = said("cp1252", "train", "photos", "--epochs", "1", cwd=tmp_path, program=QUICKLY)
    assert "* " in lines and "\\u5706\\ud83d\\udd35: 12" in lines
    assert "圆🔵" in json.loads(said("cp1252", "check", "photos", "--json", cwd=tmp_path))["classes"]


def test_utf8_stays_as_it_is(tmp_path: Path) -> None:
    assert "█" in said("utf-8", "lesson", "overfitting", cwd=tmp_path)
