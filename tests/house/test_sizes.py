"""What can be reviewed: short functions, short files, of the package and of its tests. Lines of at most 120 columns are
held by ruff and prettier.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.test_imports import PACKAGE

MAX_FILE, MAX_FUNCTION, LONG_FUNCTION, MAX_LONG_FUNCTIONS = 400, 60, 40, 10  # lines, and how many may be long
ONE_ENTRY_A_CODE = PACKAGE / "core" / "error_table"  # tables of texts, as long as there are errors
ONE_FIELD_AN_OPTION = PACKAGE / "core" / "recipe.py"  # as long as there are options
TESTS = PACKAGE.parent / "tests"
FILES = {
    folder: [f for f in sorted(folder.rglob("*.py")) if f.parent != ONE_ENTRY_A_CODE and f != ONE_FIELD_AN_OPTION]
    for folder in (PACKAGE, TESTS)
}

of_both = pytest.mark.parametrize("folder", FILES, ids=lambda folder: folder.name)


def lengths_of_functions(folder: Path) -> dict[str, int]:
    return {
        f"{file.relative_to(folder)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for file in FILES[folder]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


@of_both
def test_files_are_short(folder: Path) -> None:
    lengths = {str(file.relative_to(folder)): file.read_text(encoding="utf-8").count("\n") for file in FILES[folder]}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE} == {}


@of_both
def test_functions_are_short(folder: Path) -> None:
    lengths = lengths_of_functions(folder)
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION} == {}


def test_few_functions_of_the_package_are_long() -> None:
    long = {name: lines for name, lines in lengths_of_functions(PACKAGE).items() if lines > LONG_FUNCTION}
    assert len(long) <= MAX_LONG_FUNCTIONS, long
