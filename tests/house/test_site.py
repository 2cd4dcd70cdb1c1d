"""The site of `make docs` builds without a warning, from the docstrings and from what the command line prints."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import limpide
from limpide.cli import VERBS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-d",
        folder / "trees",
        ROOT / "docs",
        folder,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_verb_and_every_public_name_is_in_the_reference(site: Path) -> None:
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert all(f'id="limpide-{verb.name}"' in commands for verb in VERBS)
    assert "Usage: limpide train" in commands and "\b" not in commands
    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    names = set(limpide.__all__) - {"__version__", "Recipe"}
    assert [name for name in names if f'id="limpide.{name}"' not in python] == []
    fields = [field.name for field in dataclasses.fields(limpide.Recipe)]
    assert [name for name in fields if f">{name}</span>" not in python] == []


def test_a_how_to_is_one_file(site: Path) -> None:
    index = (site / "how-to" / "index.html").read_text(encoding="utf-8")
    pages = {page.stem for page in (ROOT / "docs" / "how-to").glob("*.md")} - {"index"}
    assert len(pages) >= 7 and all(f'href="{page}.html"' in index for page in pages)


def test_no_page_asks_another_machine(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for tag in ("<script src=", "<img src=", '<link rel="stylesheet" href=', "<iframe src="):
            assert f'{tag}"http' not in text and f'{tag}"//' not in text, page
