"""What the pages for newcomers say of the house is true: its floors, its phases, and every file they name."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from pathlib import Path
from typing import get_args

import pytest

from limpide.core.run_info import Phase
from tests.house.test_imports import FLOORS, PACKAGE

ROOT = PACKAGE.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/design.md")
TO_COME = "/mine.py"  # what a newcomer adds


def test_the_floors_are_those_that_imports_keep() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    told = {
        (int(floor), room)
        for floor, rooms in re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
        for room in re.findall(r"`(\w+)/`", rooms)
    }
    assert told == {(k, room) for k, rooms in enumerate(FLOORS) for room in rooms if (PACKAGE / room).is_dir()}


def test_the_phases_are_those_of_a_training() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    told = re.search(r"(\w+)\s+phases, one file each in `workflows/train/`: ([\w →\n]+)\.", page)
    assert told
    phases = [" ".join(name.split()) for name in told[2].split("→")]
    files = {file.stem for file in (PACKAGE / "workflows" / "train").glob("*.py")}
    assert all({name, name.replace(" ", "_"), f"{name}_images"} & files for name in phases)
    known = [phase for phase in get_args(Phase) if phase != "done"]
    assert len(phases) == len(known) == {"eight": 8, "nine": 9}[told[1]]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in set(re.findall(r"`((?:\w+/)+(?:\w+\.\w+)?)`", text)):
        if name.endswith(TO_COME):
            continue
        places = (ROOT / name, PACKAGE / name, *(PACKAGE.glob(f"*/{name}")))
        assert any(place.exists() for place in places), f"{page} names {name}"


SOURCES = sorted(Path(PACKAGE).rglob("*.py"))
MENTION = re.compile(r"(?<![\w/.`'\"])((?:\w+/)*\w+\.py)\b")


def test_every_module_that_a_comment_names_is_there() -> None:
    names = {str(file.relative_to(PACKAGE)) for file in SOURCES}
    for file in SOURCES:
        room = file.parent.relative_to(PACKAGE)
        for line in file.read_text(encoding="utf-8").splitlines():
            for name in MENTION.findall(line):
                known = (
                    name in names
                    or str(room / name) in names
                    or any(one.endswith(f"/{name}") for one in names)
                    or (ROOT / name).exists()
                    or "NAME" in name
                )
                assert known, f"{file.relative_to(ROOT)} names {name}"


def names_in(tree: ast.AST) -> set[str]:
    """Whatever a module calls by a name: what it defines, takes, reads and writes out."""
    names: set[str] = set()
    for node in ast.walk(tree):
        for field in ("name", "id", "arg", "attr", "asname"):
            names.update(str(getattr(node, field, None) or "").split("."))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            names.add(node.value)
    return names


def test_whatever_a_docstring_names_is_there() -> None:
    """Exceptions that it raises, and what stands between backticks."""
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in SOURCES}
    known = set(dir(builtins)) | set(keyword.kwlist) | {"stroke_width"}  # an attribute of SVG
    known = known.union(*(names_in(tree) for tree in trees.values()))
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for file, tree in trees.items():
        for node in ast.walk(tree):
            text = " ".join((ast.get_docstring(node) or "").split()) if isinstance(node, nodes) else ""
            raised = re.findall(r"Raises? ([A-Z]\w+(?:\.\w+)*)", text)
            quoted = re.findall(r"`([A-Za-z_]\w*)`", text)
            for name in (*raised, *quoted):
                assert name.split(".")[-1] in known, f"{file.relative_to(ROOT)} names {name}"
