"""limpide check and limpide train: what they say, and what a run leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place, last
from tests.make_images import photo_folder
from tests.runner import info_of, limpide


def test_train_says_everything_and_ends_with_the_next_command(place: Place) -> None:
    said = place.trained
    for part in (
        "48 images in 3 classes",
        "for the final score",
        "epochs on the training part",
        "in all",
        "report: runs/photos-001/report.html",
    ):
        assert part in said
    assert last(place.trained).startswith("next: limpide predict runs/photos-001 ")
    assert "\\x" not in said and "\\u" not in said, "no escaped spaces"
    following = last(place.trained).removeprefix("next: limpide ").split()
    assert place(*following).returncode == 0, "the command that is proposed works"


def test_aliases_reach_the_recipe(place: Place) -> None:
    info = info_of(place.run)
    expected = dict(image_size=16, lr=0.02, batch=8, validation=0.2, seed=3, epochs=2, model="cnn", flip="yes")
    assert expected.items() <= info["wanted"].items() and expected.items() <= info["recipe"].items()
    assert info["status"] == "finished" and info["steps"] == 2 * -(-info_parts(place)["train"] // 8)


def info_parts(place: Place) -> dict[str, int]:
    with open(place.run / "split.csv", newline="") as stream:
        parts = [row["part"] for row in csv.DictReader(stream)]
    return {part: parts.count(part) for part in set(parts)}


def test_every_file_of_the_run_format_is_there(place: Place) -> None:
    predictions = ("predictions/test.npz", "predictions/inside.npz")
    for name in (
        "run.json",
        "events.jsonl",
        "split.csv",
        "excluded.csv",
        "snapshots/best.safetensors",
        *predictions,
        "model.onnx",
        "report.html",
    ):
        assert (place.run / name).stat().st_size > 0, name
    assert not list((place.run / "checkpoint").iterdir()) and not (place.run / "cache").exists(), (
        "a finished run keeps no scaffolding"
    )
    assert (
        not list(place.run.rglob("*.tmp")) and not list(place.run.rglob("*.pkl")) and not list(place.run.rglob("*.pt"))
    )
    assert {p.stem for p in (place.run / "findings").iterdir()} >= {
        "accuracy",
        "classes",
        "confusion",
        "mistakes",
        "simpler",
        "training",
        "data",
        "cost",
        "export",
        "inside",
    }
    assert sum(info_parts(place).values()) == 48 and info_parts(place)["test"] == 9


def test_train_json_is_one_object_and_nothing_else(place: Place, tmp_path: Path) -> None:
    done = place(
        "train",
        "photos",
        "--json",
        "--model",
        "cnn",
        "--epochs",
        1,
        "--image-size",
        16,
        "--no-images",
        "--runs",
        tmp_path / "runs",
    )
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert {
        "run",
        "model",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "n_test",
        "seconds",
        "first_model_seconds",
    } <= set(found)
    assert found["accuracy_low"] <= found["accuracy"] <= found["accuracy_high"] and found["n_test"] == 9
    assert Path(found["model"]).is_file() and found["seconds"] > found["first_model_seconds"] > 0
    assert "base64" not in (tmp_path / "runs" / "photos-001" / "report.html").read_text().split("</head>")[1], (
        "--no-images"
    )


def test_what_training_refuses_is_looked_at_again_first(place: Place, tmp_path: Path) -> None:
    for name in ("disc", "bars"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "0.png").write_text("no image")
    assert last(place("check", tmp_path / "photos", status=3)) == f"next: limpide check {tmp_path / 'photos'}"


def test_the_command_after_check_means_the_same_groups_and_values(place: Place) -> None:
    assert last(place("check", "photos", status=None)) == "next: limpide train photos"
    asked = ("--groups", "none", "--value-range", "0..4095")
    assert last(place("check", "photos", *asked, status=None)) == f"next: limpide train photos {' '.join(asked)}"


@pytest.mark.parametrize(("per_class", "side"), [(2, 12), (1, 12), (3, 5)])
def test_tiny_folders_end_well_or_in_one_line(tmp_path: Path, per_class: int, side: int) -> None:
    photo_folder(tmp_path / "tiny", per_class=per_class, size=(side, side))
    done = limpide("train", "tiny", "--model", "cnn", "--epochs", 1, cwd=tmp_path, status=None)
    assert done.returncode == (3 if per_class == 1 else 0), done.stderr
    if per_class == 1:
        last = done.stderr.strip().splitlines()[-1]
        assert last.endswith("[L209]") and "to learn from and to test on: bars 1, disc 1, square 1" in last


def test_unreadable_files_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = photo_folder(tmp_path / "photos", per_class=8, size=(16, 16))
    (folder / "disc" / "page.png").write_text("<!doctype html>")
    (folder / "disc" / "empty.png").write_bytes(b"")
    done = limpide("train", "photos", "--model", "cnn", "--epochs", 1, cwd=tmp_path)
    assert "2 files are left out" in done.stdout
    excluded = (tmp_path / "runs" / "photos-001" / "excluded.csv").read_text().splitlines()
    assert len(excluded) == 3 and any("web page" in row for row in excluded)


def test_train_and_test_folders_are_respected(tmp_path: Path) -> None:
    for part, count in (("train", 9), ("test", 4)):
        photo_folder(tmp_path / "photos" / part, per_class=count, size=(16, 16), seed=count)
    limpide("train", "photos", "--model", "cnn", "--epochs", 1, cwd=tmp_path)
    with open(tmp_path / "runs" / "photos-001" / "split.csv", newline="") as stream:
        rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    assert {row["part"] for row in rows if row["file"].startswith("test")} == {"test"}
    assert {row["part"] for row in rows if row["file"].startswith("train")} == {"train", "validation"}
