"""What the help lists, in both languages, and that it is quick."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from limpide.cli import cli
from limpide.core.recipe import Recipe
from limpide.core.recipe_field import GROUPS
from limpide.text import messages
from limpide.text.language import use_language
from tests.cli.place import here
from tests.runner import environment, limpide

VERBS = [
    "check",
    "train",
    "predict",
    "evaluate",
    "explain",
    "studio",
    "export",
    "report",
    "doctor",
    "ablate",
    "runs",
    "clean",
    "models",
    "info",
    "lesson",
    "demo",
]  # as the help lists them


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_lists_every_verb(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = limpide(*arguments, cwd=tmp_path, status=None)
    listed = [line.split()[0] for line in (done.stdout + done.stderr).split("Commands:\n")[1].splitlines()]
    assert listed == list(cli.commands) == VERBS and done.returncode in (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [("--lang", "fr", "--help"), ("--help", "--lang", "fr"), ("--lang", "fr"), ("runs", "--lang", "fr", "--help")],
)
def test_help_in_french(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = limpide(*arguments, cwd=tmp_path, status=None)
    assert "entraînements" in done.stdout + done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_with_examples_or_a_sentence(verb: str, tmp_path: Path) -> None:
    done = here(verb, "--help", cwd=tmp_path)
    assert done.stdout.startswith("Usage: ") and len(done.stdout.splitlines()) > 5 and done.stderr == ""


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_choices_of_a_training_are_listed_by_what_they_are_about(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = limpide("train", "--help", "--lang", lang, cwd=tmp_path)
    listed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if re.fullmatch(r"\S.*:", line):
            listed[re.sub(r"\s*:$", "", line)] = []
        elif listed and (flag := re.match(r"  (?:-h, )?--([\w-]+)", line)):
            listed[list(listed)[-1]].append(flag[1].replace("-", "_"))
    use_language(lang)
    try:
        titles = {group: messages._(title) for group, title in GROUPS.items()}
    finally:
        use_language("en")
    assert list(listed) == [*titles.values(), "Options"]
    for group, title in titles.items():
        assert listed[title] == [c.name for c in dataclasses.fields(Recipe) if c.metadata["group"] == group]
    assert listed["Options"] == ["runs", "rehash", "new", "no_images", "watch", "json", "help"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from limpide.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {n.split('.')[0] for n in sys.modules} & {'torch', 'numpy', 'PIL', 'rich', 'onnxruntime', "
        "'sklearn', 'jinja2'}\n"
        "assert not heavy, heavy"
    )
    for arguments in (["--help"], ["train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
