"""docs/explanation/claims.md is what the experiments measured, and every experiment of a claim names the command that
repeats it.
"""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest
import torch

from experiments import claims, common
from experiments.common import code_of
from limpide.core.finding import Finding

ROOT = Path(__file__).parents[2]
# s; thirty trainings each, timed beside other work
LONGEST = {"labs_1_and_3": 2 * 3600, "lab_4": 2 * 3600, "lab_5": 2 * 3600}
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
    assert finding.name == file.stem and record["section"] in claims.SECTIONS
    assert record["seconds"] <= LONGEST.get(file.stem, 300), "at most five minutes on two cores"
    assert finding.numbers or finding.data
    assert record["code"] == code_of(file.stem), (
        f"the program changed since it was measured: python -m experiments.{file.stem}"
    )


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_what_the_course_says_is_that_of_the_program(file: Path) -> None:
    """The digest leaves this prose out, so it is compared: a corrected sentence reaches the page without a new
    measurement.
    """
    source = ast.parse((ROOT / "experiments" / f"{file.stem}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tell"]
    stored = [detail["values"]["text"] for detail in json.loads(file.read_text(encoding="utf-8"))["finding"]["details"]]
    for word in (keyword for call in calls for keyword in call.keywords if keyword.arg in common.PROSE):
        if isinstance(word.value, ast.Constant):
            assert word.value.value in stored


PROGRAM = '''"""Claim: nothing."""
from experiments.common import mean, tell
from limpide.models.mlp import MLP

def main():
    """Measures."""
    measured = f"{{mean([1.0])}} {word}"
    tell("tiny", course="{course}", measured=measured, why="{why}", holds={number} > 0, activation="{activation}")
'''
PLAIN = {"course": "says", "word": "points", "why": "because", "number": "1", "activation": "none"}


@pytest.mark.parametrize(
    ("part", "matters"), [("number", True), ("activation", True), ("word", True), ("course", False), ("why", False)]
)
def test_a_digest_covers_what_is_measured_and_said_of_it(tmp_path: Path, part: str, matters: bool) -> None:
    for folder, values in (("one", PLAIN), ("other", PLAIN | {part: "7" if part == "number" else "relu"})):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tiny.py").write_text(PROGRAM.format(**values))
    assert (code_of("tiny", tmp_path / "one") != code_of("tiny", tmp_path / "other")) == matters


@pytest.mark.parametrize(("name", "changes"), [("near_circles", True), ("inference_time", False)])
def test_a_digest_covers_the_loop_and_the_networks_it_uses(
    name: str, changes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the house in which the network of one experiment was changed."""
    before = code_of(name)
    shutil.copytree(ROOT / "limpide" / "models", tmp_path / "limpide" / "models")
    shutil.copytree(ROOT / "limpide" / "ladder", tmp_path / "limpide" / "ladder")
    monkeypatch.setattr(common, "ROOT", tmp_path)
    assert code_of(name) == before
    file = tmp_path / "limpide" / "models" / "mlp.py"
    file.write_text(file.read_text().replace("ReLU", "Tanh"))
    assert (code_of(name) != before) == changes


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_nothing_is_said_not_to_be_in_the_course(file: Path) -> None:
    """It was said of a network and of filters that are there: what the course lacks is for its reader to say."""
    assert "not in its text" not in file.read_text(encoding="utf-8")


def test_no_verdict_against_its_own_numbers() -> None:
    """ "No better, however deep" cannot hold beside intervals of the true error that do not touch."""
    finding = Finding.from_json(
        json.loads((ROOT / "experiments" / "results" / "near_circles.json").read_text(encoding="utf-8"))["finding"]
    )
    shallow, deep = (finding.number(f"error against clean labels, 40% careless, {depth} layers") for depth in (1, 8))
    assert shallow.low is not None and deep.high is not None
    if shallow.low > deep.high:
        assert finding.verdict == "warn"
    told = str(finding.message)
    assert f"{100 * shallow.value:.2f} %" in told and f"{100 * deep.value:.2f} %" in told, "the page shows both errors"


def test_the_six_filters_are_those_of_the_lab() -> None:
    from experiments.handmade_filters import SixFilters, six

    assert sum(p.numel() for p in SixFilters(learned=True).parameters()) == 11_830
    identity, vertical, horizontal, blur, edges, emboss = six()[:, 0]
    assert torch.equal(horizontal, vertical.T) and torch.equal(emboss, emboss.T) and torch.equal(blur, blur.T)
    assert identity.count_nonzero() == 1 and edges.sum() == 0 and float(blur.max() / blur.min()) == pytest.approx(4)
