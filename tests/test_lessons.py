"""Every course page runs as it stands, shows what it promises, and is short."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflows.runner import limpide

import limpide as package
from limpide.cli.learning import LESSONS

FOLDER = Path(package.__file__).parent / "lessons"
SHOWS = {
    "if_or_tree": "petal width",
    "regression_and_classification": "LogisticRegression   accuracy     0.9",
    "overfitting": "degree 15",
    "perceptron": "12 presentations and 2 updates",
    "descent": "0.49512   f  1.75002   f′ -0.00977",
    "backprop": "pass  6000: error 0.000",
    "race": "Nesterov",
    "graph": "the slope of the scores is p − t: True",
    "convolution": "9·16·128 + 128 = 18,560",
    "linear_images": "cnn    Of 359 images it had never seen",
    "transfer": "40 images → 1280 numbers each; a linear model on them names 100.0% right",
    "joined": "both    2560 numbers an image",
    "where_is_it_stored": "head.weight",
}


def test_the_list_is_that_of_the_files() -> None:
    assert set(LESSONS) == set(SHOWS) == {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_is_short(name: str, tmp_path: Path) -> None:
    done = limpide("lesson", name, cwd=tmp_path)
    assert SHOWS[name] in done.stdout and str(FOLDER / f"{name}.py") in done.stdout.replace("\n", "")
    assert done.stdout.splitlines()[-1].startswith("next: limpide lesson ")
    lines = [line for line in (FOLDER / f"{name}.py").read_text().splitlines() if line.strip()]
    assert len(lines) <= 35, "a fifth of the shortest notebook of the courses is 27 lines, imports and title aside"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_the_list_and_a_wrong_name(tmp_path: Path) -> None:
    listed = limpide("lesson", cwd=tmp_path).stdout
    assert all(name in listed for name in LESSONS) and listed.splitlines()[-1] == "next: limpide lesson if_or_tree"
    assert "L124" in limpide("lesson", "race", "mnist", cwd=tmp_path, status=2).stderr
    assert "one folder of images a class" in limpide("lesson", "transfer", "nowhere", cwd=tmp_path, status=1).stderr
    assert "L123" in limpide("lesson", "perceptrons", cwd=tmp_path, status=2).stderr
    assert "did you mean perceptron?" in limpide("lesson", "perceptrons", cwd=tmp_path, status=2).stderr
    assert "neurone" in limpide("lesson", cwd=tmp_path, LIMPIDE_LANG="fr").stdout
