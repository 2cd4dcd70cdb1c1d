"""Every program and command that README and docs show is run, in the order of its page, in a folder that has what the
page speaks of. A block of another language (text, csv …) shows what comes out, or what cannot be run here.
"""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.make_images import photo_folder
from tests.runner import QUICKLY, limpide

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```([^\s`]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Whose blocks other tests run, with data of their own.
ELSEWHERE = {
    "docs/reference/exported-model.md": "tests/deploy/test_export.py",
    "docs/how-to/find-defects.md": "tests/cli/test_good_parts.py",
}
LISTENS = ("limpide studio", "--watch")  # until Ctrl-C: tests/studio
PAGES = {
    str(page.relative_to(ROOT)): BLOCK.findall(page.read_text(encoding="utf-8"))
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "_" not in str(page.relative_to(ROOT).parent)
}


@pytest.fixture(scope="module")
def images(once: Any) -> Path:
    """Small and grey, so that a training takes seconds: photos/, other-photos/, uneven/, labels.csv, new.jpg."""

    def make(folder: Path) -> None:
        for name, seed in (("photos", 0), ("other-photos", 1)):
            for file in photo_folder(folder / name, per_class=12, size=(16, 16), seed=seed).rglob("*.png"):
                Image.open(file).convert("L").save(file)
        classes = sorted(path for path in (folder / "photos").iterdir())
        for k, source in enumerate(classes[:2]):
            (folder / "uneven" / source.name).mkdir(parents=True)
            for file in sorted(source.glob("*"))[: 12 if k == 0 else 6]:
                shutil.copy(file, folder / "uneven" / source.name)
        with open(folder / "labels.csv", "w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["file", "label", "patient"])
            for source in classes:
                files = sorted(source.glob("*"))
                rows.writerows((file.relative_to(folder), source.name, k // 2) for k, file in enumerate(files))
        Image.open(next(classes[0].glob("*"))).resize((40, 30)).save(folder / "new.jpg")

    return once("what pages speak of", make)  # type: ignore[no-any-return]


@pytest.fixture
def place(images: Path, tmp_path: Path) -> Path:
    shutil.copytree(images, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_every_block_says_what_it_is() -> None:
    known = {"sh", "python", "py", "text", "csv", "{include}", "{eval-rst}"}
    for page, blocks in PAGES.items():
        assert {language for language, _ in blocks} <= known, page
    assert all((ROOT / name).exists() for pair in ELSEWHERE.items() for name in pair)


def commands(text: str) -> list[list[str]]:
    """The commands of a block, without what listens. What is not limpide may only be a target of make."""
    lines = [line.split(" #")[0].strip() for line in text.splitlines() if line.strip()]
    assert all(line.startswith(("limpide ", "make ", "python -m benchmarks.")) for line in lines), lines
    return [shlex.split(line)[1:] for line in lines if line.startswith("limpide ") and not _listens(line)]


def _listens(line: str) -> bool:
    return any(word in line for word in LISTENS)


@pytest.mark.parametrize("page", [name for name, blocks in PAGES.items() if blocks and name not in ELSEWHERE])
def test_what_a_page_shows_runs(page: str, place: Path) -> None:
    for language, text in PAGES[page]:
        if language == "sh":
            for words in commands(text):
                done = limpide(*words, cwd=place, program=QUICKLY)
                last = done.stdout.strip().splitlines()[-1]
                assert last.startswith(("next: ", "suite :", "à suivre", "ensuite")), (page, words, last)
        if language == "python":
            named = re.match(r"# (\w+\.py)\n", text)
            if named:
                (place / named[1]).write_text(text, encoding="utf-8")
            else:
                limpide(cwd=place, program=("-c", text))


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        text = BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(((?!https?:)[^)#\s]+)", text):
            assert ((ROOT / page).parent / target).exists(), (page, target)
