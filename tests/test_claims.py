"""docs/claims.md is what the experiments measured, and every experiment of a claim names the command that repeats it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from experiments import claims
from experiments.common import code_of
from limpide.finding import Finding

ROOT = Path(__file__).parents[1]
RESULTS = sorted((ROOT / "experiments" / "results").glob("*.json"))


def test_the_page_is_that_of_the_results() -> None:
    assert claims.PAGE.read_text(encoding="utf-8") == claims.page(), "python -m experiments.claims writes it"


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_a_result_belongs_to_an_experiment_that_says_what_it_does(file: Path) -> None:
    record = json.loads(file.read_text(encoding="utf-8"))
    finding = Finding.from_json(record["finding"])
    source = (ROOT / "experiments" / f"{file.stem}.py").read_text(encoding="utf-8")
    header = ast.get_docstring(ast.parse(source)) or ""
    assert header.startswith("Claim: ") and f"python -m experiments.{file.stem}" in header
    assert finding.name == file.stem and record["section"] in claims.SECTIONS and record["seconds"] <= 300, "at most five minutes on two cores"
    assert finding.numbers or finding.data
    assert record["code"] == code_of(file.stem), f"the program changed since it was measured: python -m experiments.{file.stem}"
