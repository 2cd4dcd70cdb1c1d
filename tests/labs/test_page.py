"""docs/explanation/labs.md has a line for every case of the labs, and names tests and results that are there."""

from __future__ import annotations

import re

from tests.labs.lab import ROOT

PAGE = ROOT / "docs" / "explanation" / "labs.md"
CASES = [*range(9, 18), *range(20, 34), *range(36, 39)]


def test_every_case_has_a_line_and_what_it_names_is_there() -> None:
    """A line that says *test* means one of this folder with the case in its name; an experiment is there."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| H" in line]
    assert [int(row[0][1:3]) for row in rows] == CASES
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "labs").glob("test_lab*.py"))
    own = re.findall(r"^def (test_h\w+)", sources, re.MULTILINE)
    for case, *_, held in rows:
        if re.search(r"(?<!/)\btest\b(?!s/)", held):
            assert any(f"_{case[:3].lower()}_" in name for name in own), case
        assert all((ROOT / file).is_file() for file in re.findall(r"`(tests/\S+)`", held)), case
        for name in re.findall(r"experiments? `(\w+)`", held):
            assert (ROOT / "experiments" / f"{name}.py").is_file(), case
