"""Good parts alone on the command line: docs/how-to/find-defects.md is run as it is printed, and what predict
prints.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from tests.make_parts import part_folder
from tests.runner import limpide

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "find-defects.md").read_text(encoding="utf-8")
SHORT = ("--image-size", "64")  # quicker; whether defects are found is asked elsewhere


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After the commands of the page."""
    root = tmp_path_factory.mktemp("line")
    part_folder(root, {"parts": 22}, side=64)
    part_folder(root / "inspected", {"good": 22, "scratch": 2, "stain": 2}, side=64, seed=1)
    part_folder(root / "tomorrow", {"good": 5, "bent": 2}, side=64, seed=2)
    Image.open(root / "inspected" / "stain" / "000.png").save(root / "new.jpg")
    commands = [line.split("#")[0].strip() for line in PAGE.splitlines() if line.startswith("limpide ")]
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(command)[1:]
        done = limpide(*words, *(SHORT if words[0] == "train" else ()), cwd=root, status=None)
        bad = words[0] == "evaluate" and done.returncode == 1  # the status of a bad verdict
        assert done.returncode == 0 or bad, (command, done.stderr)
        (root / f"{words[0]}.txt").write_text(done.stdout)
    return root


def test_the_commands_of_the_page_work(place: Path) -> None:
    assert (place / "model.onnx").exists() and (place / "where.png").exists()
    assert "times the threshold" in (place / "predict.txt").read_text()
    assert re.search(r"5 good parts it had\s+not\s+seen", (place / "evaluate.txt").read_text())


def test_predict_says_no_probability(place: Path) -> None:
    (found,) = json.loads(limpide("predict", "runs/parts-001", "new.jpg", "--json", cwd=place).stdout)
    assert set(found) == {"file", "label", "abstained", "clipped", "score", "p_value"}
    assert found["label"] == ("defect" if found["score"] > 1 else "good") and 0 < found["p_value"] <= 1
    rows = list(csv.DictReader(io.StringIO(limpide("predict", "runs/parts-001", "new.jpg", "--csv", cwd=place).stdout)))
    assert list(rows[0]) == ["file", "predicted", "score", "p_value"]
    assert float(rows[0]["score"]) == pytest.approx(found["score"], abs=1e-5)


def test_evaluate_in_json(place: Path) -> None:
    done = limpide("evaluate", "runs/inspected-001", "tomorrow", "--json", cwd=place, status=None)
    found = json.loads(done.stdout)
    assert found["n"] == 7 and 0 <= found["escapes"] <= 1 and found["false_alarms_high"] > found["false_alarms"]
    assert found["used_in_training"] == 0


def test_a_run_in_a_list_and_in_json(place: Path) -> None:
    assert "good_parts" in limpide("runs", cwd=place).stdout
    assert limpide("report", "runs/inspected-001", cwd=place).returncode == 0
