"""An option that a stranger adds: one field of Recipe, in a copy of the package. The help, the signatures and the
record of a run know it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import limpide
from tests.runner import environment

# -- all that the stranger writes

FIELD = """    glitter: int = recipe_field(
        0, "augmentation", N_("sparks added to each image"), unit="px", low=0, high=9, also=("sparkle",)
    )
"""

# -- and what follows

TRAINS = """
import inspect, json
import numpy as np
from limpide import FlatImageClassifier, ImageClassifier

assert str(inspect.signature(ImageClassifier).parameters["glitter"]) == "glitter: 'int' = 0"
assert "glitter" in inspect.signature(FlatImageClassifier).parameters
clf = ImageClassifier(sparkle=3, model="cnn", epochs=1, judge=False, quiet=True, runs="runs")
assert clf.get_params()["glitter"] == 3 and clf.recipe.glitter == 3
clf.fit(np.random.default_rng(0).integers(0, 255, (40, 16, 16), np.uint8), np.arange(40) % 2)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as the stranger changed it."""
    folder = tmp_path_factory.mktemp("stranger")
    shutil.copytree(Path(limpide.__file__).parent, folder / "limpide", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "limpide" / "core" / "recipe.py"
    before, init, after = file.read_text(encoding="utf-8").partition("    def __post_init__")
    file.write_text(before.rstrip("\n") + "\n" + FIELD + "\n" + init + after, encoding="utf-8")
    return folder


def in_a_fresh_process(place: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=place,
        env=environment(PYTHONPATH=str(place)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_the_help_lists_it_with_what_it_is_about(place: Path) -> None:
    told = in_a_fresh_process(place, "-m", "limpide", "train", "--help")
    section = told.split("Changes to the images while training:\n")[1].split("\n\n")[0]
    assert [line.split() for line in section.splitlines()][-2:] == [
        ["--flip", "…", "mirror", "images", "left-right", "while", "training", "(auto)"],
        ["--glitter", "…", "sparks", "added", "to", "each", "image", "[px]", "(0)"],
    ]


def test_a_value_that_cannot_be_right_is_refused(place: Path) -> None:
    told = in_a_fresh_process(place, "-m", "limpide", "train", "photos", "--sparkle", "12", status=2)
    assert "the value of glitter must be 0 … 9" in told and "[L102]" in told


def test_the_classifiers_take_it_and_the_run_records_it(place: Path) -> None:
    in_a_fresh_process(place, "-c", TRAINS)
    (file,) = place.glob("runs/*/run.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["recipe"]["glitter"] == 3 and record["wanted"]["glitter"] == 3
