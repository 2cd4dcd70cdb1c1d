"""What can be reviewed: short functions, short files. Lines of at most 120 columns are held by ruff and prettier."""

from __future__ import annotations

import ast

from tests.house.test_imports import PACKAGE

MAX_FILE, MAX_FUNCTION, LONG_FUNCTION, MAX_LONG_FUNCTIONS = 400, 60, 40, 10  # lines, and how many may be long
ONE_ENTRY_A_CODE = PACKAGE / "core" / "error_table"  # tables of texts, as long as there are errors
FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if file.parent != ONE_ENTRY_A_CODE]


def test_files_are_short() -> None:
    lengths = {str(file.relative_to(PACKAGE)): file.read_text(encoding="utf-8").count("\n") for file in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{file.relative_to(PACKAGE)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION} == {}
    long = {name: lines for name, lines in lengths.items() if lines > LONG_FUNCTION}
    assert len(long) <= MAX_LONG_FUNCTIONS, long
