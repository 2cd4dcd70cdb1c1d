"""What the README promises beside its programs (test_pages.py runs these): a picture, targets of make, and a score
that a
script counts again.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.make_images import photo_folder
from tests.runner import limpide

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reader")
    for file in photo_folder(root / "photos", per_class=12, size=(16, 16)).rglob("*.png"):
        Image.open(file).convert("L").save(file)  # small and grey: a few seconds to learn
    limpide("train", "photos", cwd=root)
    return root


def test_it_is_a_screen_and_a_half_with_a_picture() -> None:
    assert len(README.splitlines()) <= 70 and (ROOT / "docs" / "pictures" / "report.png").exists()
    assert "docs/pictures/report.png" in README


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE)
    assert len(targets) >= 3
    for target in ("".join(pair) for pair in targets):
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
