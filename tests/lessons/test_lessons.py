"""Every course page runs as it stands, shows what it promises, and is short."""

from __future__ import annotations

import ast
import itertools
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

import limpide as package
from limpide.cli.lesson import LESSONS
from tests.runner import QUICKLY, limpide

FOLDER = Path(package.__file__).parent / "lessons"
SHOWS = {
    "if_or_tree": "petal width",
    "regression_and_classification": "LogisticRegression   accuracy     0.9",
    "overfitting": "degree 15",
    "perceptron": "12 presentations and 2 updates",
    "descent": "0.49512   f  1.75002   f′ -0.00977",
    "backprop": "epoch  6000: error 0.000",
    "race": "Nesterov",
    "graph": "the gradient of the scores is p − t: True",
    "convolution": "9·16·128 + 128 = 18,560",
    "linear_images": "cnn    Of 359 images it had never seen",
    "transfer": "40 images → 1280 numbers each; a linear model on them names",
    "joined": "lite0+1  2560 numbers per image",
    "where_is_it_stored": "head.weight",
}
NAMES = {"seed", "shape", "optimiser", "NAND", "slope", "values", "deltas", "layers", "bytes", "accuracy"}


def test_the_list_is_that_of_the_files() -> None:
    assert set(LESSONS) == set(SHOWS) == {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_is_short(name: str, tmp_path: Path) -> None:
    done = limpide("lesson", name, cwd=tmp_path, program=QUICKLY)  # what a lesson shows is no audit that takes long
    assert SHOWS[name] in done.stdout and str(FOLDER / f"{name}.py") in done.stdout.replace("\n", "")
    assert done.stdout.splitlines()[-1].startswith("next: limpide lesson ")
    lines = [line for line in (FOLDER / f"{name}.py").read_text().splitlines() if line.strip()]
    assert len(lines) <= 35, "a fifth of the shortest notebook of the courses is 27 lines, imports and title aside"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_the_list_and_a_wrong_name(tmp_path: Path) -> None:
    listed = limpide("lesson", cwd=tmp_path).stdout
    assert all(name in listed for name in LESSONS) and listed.splitlines()[-1] == "next: limpide lesson if_or_tree"
    assert "L124" in limpide("lesson", "race", "mnist", cwd=tmp_path, status=2).stderr
    assert "one folder of images per class" in limpide("lesson", "transfer", "nowhere", cwd=tmp_path, status=3).stderr
    assert "L123" in limpide("lesson", "perceptrons", cwd=tmp_path, status=2).stderr
    assert "did you mean perceptron?" in limpide("lesson", "perceptrons", cwd=tmp_path, status=2).stderr


def test_a_lesson_speaks_french(tmp_path: Path) -> None:
    assert "neurone" in limpide("lesson", cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    said = limpide("lesson", "backprop", cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    assert "deux unités cachées apprennent XOR" in said and "époque  6000\xa0: erreur 0.0005 sur les quatre" in said


@pytest.mark.parametrize("name", LESSONS)
def test_every_word_that_a_lesson_prints_goes_through_the_catalogue(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    in_catalogue = {
        id(part) for call in calls if getattr(call.func, "id", "") == "_" for part in ast.walk(call) if part is not call
    }
    for call in calls:
        if getattr(call.func, "id", "") != "print" and ast.unparse(call.func) != "sys.exit":
            continue
        for part in ast.walk(call):
            if isinstance(part, ast.JoinedStr):  # formats stand in strings, too
                in_catalogue |= {id(one) for one in ast.walk(part) if isinstance(one, ast.FormattedValue)}
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in in_catalogue:
                words = re.findall(r"(?<!\w)[A-Za-z]{4,}(?!\w)", re.sub(r"\{.*?\}", "", part.value))
                assert set(words) <= NAMES, (name, words)


@pytest.mark.parametrize("name", ["transfer", "joined"])
def test_crops_that_overlap_are_never_on_both_sides(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each crop is found again in its photograph; what one fold learned from may share no pixel with what
    it is asked.
    """
    photographs = load_sample_images().images
    seen: dict[str, Any] = {}

    class Corners:
        def __init__(self, *_: object) -> None: ...

        def transform(self, images: np.ndarray) -> np.ndarray:
            seen["places"] = [_place(photographs, crop) for crop in images]
            return np.arange(2.0 * len(images)).reshape(len(images), 2)

        fit_transform = transform

    def scored(_model: object, _features: object, labels: list[str], *, groups: list[str], cv: Any) -> np.ndarray:
        seen["folds"] = list(cv.split(np.zeros(len(labels)), labels, groups))
        return np.array([1.0])

    monkeypatch.setattr(package, "Features", Corners)
    monkeypatch.setattr("sklearn.model_selection.cross_val_score", scored)
    monkeypatch.setattr("sklearn.pipeline.make_union", lambda *_: Corners())
    monkeypatch.setattr("sys.argv", [name])
    runpy.run_module(f"limpide.lessons.{name}")
    places, side = seen["places"], seen["places"][0][3]
    assert len(seen["folds"]) == 2 and len(places) >= 24
    for learned, asked in seen["folds"]:
        assert {places[i][0] for i in learned} == {places[i][0] for i in asked} == {0, 1}
        for i, j in itertools.product(learned, asked):
            (one, y, x, _), (other, v, u, _) = places[i], places[j]
            assert one != other or abs(y - v) >= side or abs(x - u) >= side


def _place(photographs: list[np.ndarray], crop: np.ndarray) -> tuple[int, int, int, int]:
    """(which photograph, y, x, side) of a crop."""
    side = len(crop)
    for k, photo in enumerate(photographs):
        corner = (photo[: -side + 1, : -side + 1] == crop[0, 0]).all(-1)
        for y, x in np.argwhere(corner):
            if np.array_equal(photo[y : y + side, x : x + side], crop):
                return k, int(y), int(x), side
    raise AssertionError("this is no crop of the photographs")
