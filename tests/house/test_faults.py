"""docs/explanation/faults.md names tests that are there: a row whose test was renamed would promise what nothing
holds.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "explanation" / "faults.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \w-\w+ \|", line)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_fault_names_tests_that_are_there(row: str) -> None:
    files = re.findall(r"tests/[\w/]+\.py", row)
    tests = re.findall(r"(?:::|`)(test_\w+)", row)
    source = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    assert files and all(f"def {name}(" in source for name in tests)
