"""A wheel needs pip alone: in an empty environment it trains, speaks French and shows the studio's pages."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.soak
def test_the_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path)]
    subprocess.run(run, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("preact.js", "licenses.txt"):
        assert f"limpide/browser/static/vendor/{name}" in names
    assert "limpide/locale/fr/LC_MESSAGES/limpide.mo" in names and any(
        name.endswith("licenses/LICENSE") for name in names
    )
    metadata = next(name for name in names if name.endswith("METADATA"))
    assert "limpide train photos/" in zipfile.ZipFile(wheel).read(metadata).decode(), "the README describes it"
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True, capture_output=True)
    bare = {"HOME": str(tmp_path), "PATH": os.defpath, "LIMPIDE_LANG": "fr"}
    command = [python, "-m", "limpide", "train", "digits", "--epochs", "1"]
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=True)
    assert "rapport" in done.stdout
    shown = [python, "-c", "from limpide import browser; assert not browser.missing()"]
    subprocess.run(shown, cwd=tmp_path, env=bare, check=True)
