"""The README is run as it is printed: its commands in order, then its Python, on a small folder called photos."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.make_images import photo_folder
from tests.runner import limpide

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    """The one fenced block in this language that holds `word`."""
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if word in text)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reader")
    for name, seed in (("photos", 0), ("other-photos", 1)):
        for file in photo_folder(root / name, per_class=12, size=(16, 16), seed=seed).rglob("*.png"):
            Image.open(file).convert("L").save(file)  # small and grey: a few seconds to learn
    Image.open(root / "photos" / "disc" / "0000.png").resize((40, 30)).save(root / "new.jpg")
    return root


def test_commands(place: Path) -> None:
    commands = [
        line.split("#")[0].strip() for line in block("sh", "limpide train").splitlines() if line.startswith("limpide ")
    ]
    commands.remove("limpide studio")  # listens until Ctrl-C: tests/studio
    assert len(commands) == 7
    for command in commands:
        done = limpide(*shlex.split(command)[1:], cwd=place)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout.strip().splitlines()[-1].startswith("next: "), command
    assert (place / "model.onnx").exists() and (place / "runs" / "photos-001" / "report.html").exists()


def test_python(place: Path) -> None:
    done = limpide(cwd=place, program=("-c", block("python", "ImageClassifier")))
    assert "images it had never seen" in done.stdout


def test_links_and_picture_exist() -> None:
    targets = re.findall(r"\]\(((?!https?:)[^)#]+)\)", README)
    assert "docs/pictures/report.png" in targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", block("sh", "make demo"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_a_script_that_shares_no_code_counts_the_same_score(place: Path) -> None:
    script = ROOT / "benchmarks" / "independent_score.py"
    assert "limpide" not in re.sub(r'"""(.*?)"""|"limpide"', "", script.read_text(encoding="utf-8"), flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, str(script), "runs/photos-001", "photos"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "counted here" in done.stdout
