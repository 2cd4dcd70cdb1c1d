"""limpide evaluate: other images, those of the training, other classes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.place import Place, here, last, one_line
from tests.make_images import photo_folder
from tests.runner import info_of


def test_evaluate(place: Place) -> None:
    found = json.loads(place("evaluate", place.run, "others", "--json", status=None).stdout)
    assert found["n"] == 18 and found["accuracy_low"] <= found["accuracy"] <= found["accuracy_high"]
    predicted = json.loads(place("predict", place.run, "others", "--json").stdout)
    right = sum(item["label"] == Path(item["file"]).parent.name for item in predicted)
    assert found["accuracy"] == pytest.approx(right / 18), "evaluate and predict agree"
    done = place("evaluate", place.run, "others", status=None)
    assert last(done).startswith("next: limpide ") and "many more images like these" in done.stdout


def test_a_score_on_images_of_the_training_promises_nothing_for_others(place: Place) -> None:
    done = place("evaluate", place.run, "photos", status=None)
    assert (
        "this inflates the score" in " ".join(done.stdout.split()) and "many more images like these" not in done.stdout
    )


def test_evaluate_ends_with_1_where_a_verdict_is_bad(place: Place, tmp_path: Path) -> None:
    """Each image in the folder of another class than the model says: nothing is right, however well it learned."""
    classes = ["bars", "disc", "square"]
    for k, item in enumerate(json.loads(place("predict", place.run, "others", "--json").stdout)):
        wrong = [name for name in classes if name != item["label"]][k % 2]
        (tmp_path / wrong).mkdir(exist_ok=True)
        shutil.copy(place.root / item["file"], tmp_path / wrong / f"{k}.png")
    found = json.loads(place("evaluate", place.run, tmp_path, "--json", status=1).stdout)
    assert found["accuracy"] == 0 and found["findings"]["accuracy"]["verdict"] == "bad"


def test_evaluate_matches_classes_by_name(place: Place, tmp_path: Path) -> None:
    folder = photo_folder(tmp_path / "more", per_class=5, size=(30, 30), classes=("alien", "square", "bars"), seed=5)
    done = place("evaluate", place.run, folder, "--json", status=None)
    found = json.loads(done.stdout)
    assert (
        found["n"] == 15 and "the model does not know alien: their 5 images can never be named correctly" in done.stderr
    )
    numbers = {number["name"]: number for number in found["findings"]["accuracy"]["numbers"]}
    other = numbers["accuracy on the classes it knows"]
    assert (
        other["n"] == 10
        and other["value"] * 10 == pytest.approx(found["accuracy"] * 15)
        and numbers["chance"]["value"] == 1 / 3
    )
    strangers = photo_folder(tmp_path / "strangers", per_class=3, classes=("x", "y"))
    line = place("evaluate", place.run, strangers, "--json", status=3).stderr.strip().splitlines()[-1]
    assert line.endswith("[L210]") and "bars, disc, square" in line


def test_a_cut_split_is_refused_wherever_it_counts(place: Place, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "photos-001"
    shutil.copytree(place.run, run)
    rows = (run / "split.csv").read_bytes()
    (run / "split.csv").write_bytes(rows[: len(rows) // 2])
    for words in (("evaluate", run, "others"), ("report", run)):
        assert "split.csv is not as it was written" in one_line(place.mistake(*words, status=5), "L517")
    info = info_of(run)
    (run / "run.json").write_text(json.dumps(info | {"status": "stopped", "phase": "seal"}))
    again = place.mistake("train", "photos", *place.wishes, "--runs", tmp_path / "runs", status=5)
    assert (
        "[L517]" in again.stderr.splitlines()[-1] and "continuing" in again.stdout and info_of(run)["phase"] == "seal"
    )
    (run / "run.json").write_text(json.dumps({name: value for name, value in info.items() if name != "split_rows"}))
    assert here("evaluate", run, "others", "--json", cwd=place.root).stdout  # of an older limpide


def test_a_model_file_alone_does_not_claim_that_images_are_new(place: Place) -> None:
    said = place("evaluate", place.run / "model.onnx", "photos", status=None).stdout
    assert "had never seen" not in said and "a model file alone cannot say" in " ".join(said.split())
