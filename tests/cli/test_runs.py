"""What becomes of a run: limpide runs, report and export, of finished, unfinished and damaged ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from limpide.core.recipe import Recipe
from limpide.core.run import Run
from tests.cli.place import Place, last, one_line
from tests.fork_server import python
from tests.runner import environment, info_of


def test_export_without_a_name_takes_that_of_the_run_and_replaces_no_other_file(place: Place, tmp_path: Path) -> None:
    place("export", place.run, tmp_path)
    place("export", place.run, tmp_path)  # the same file again is no loss
    made = tmp_path / f"{place.run.name}.onnx"
    assert made.read_bytes() == (place.run / "model.onnx").read_bytes()
    made.write_text("something else")
    one_line(place("export", place.run, tmp_path, status=2), "L120")
    assert made.read_text() == "something else"


def test_an_unfinished_run_says_so_when_its_model_is_used(place: Place, tmp_path: Path) -> None:
    copied = tmp_path / "photos-001"
    shutil.copytree(place.run, copied)
    info = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps(info | {"status": "stopped"}))
    assert "not finished and its model is not judged" in place("predict", copied, "photos/disc/0000.png").stderr
    assert "not finished and its model is not judged" in " ".join(
        place("export", copied, tmp_path / "x.onnx").stdout.split()
    )
    words = last(place("runs", "--runs", tmp_path)).removeprefix("next: limpide train ").split()
    typed = {
        name.removeprefix("--").replace("-", "_"): value for name, value in zip(words[1::2], words[2::2], strict=True)
    }
    assert words[0] == info["location"] and typed and Recipe.of(**typed).to_json() == info["wanted"], (
        "other wishes would begin another run"
    )


def test_what_became_of_a_run_is_said_in_the_language_asked_for(place: Place, tmp_path: Path) -> None:
    Run.create(tmp_path, "photos", {"status": "running"})  # its process is gone
    assert "interrupted" in place("runs", tmp_path).stdout
    french = place("--lang", "fr", "runs", tmp_path).stdout
    if "commencé" not in french:
        pytest.skip("the French catalogue limpide.mo is not compiled here")
    assert "interrompu" in french


def test_export_gives_a_file_that_predicts(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "sealed.onnx"
    assert last(place("export", place.run, file)) == f"next: limpide predict {file} new.jpg"
    assert file.read_bytes() == (place.run / "model.onnx").read_bytes()
    again = [json.loads(place("predict", what, "others/disc/0000.png", "--json").stdout) for what in (file, place.run)]
    assert again[0] == again[1]


def test_report_again_in_french_and_without_pictures(place: Place) -> None:
    page = place.run / "report.html"
    before = page.read_bytes()
    done = place("--lang", "fr", "report", place.run)
    french = page.read_text(encoding="utf-8")
    assert '<html lang="fr"' in french and french.encode() != before
    assert last(done).split(":")[1].strip().startswith("limpide predict")
    place("report", place.run, "--no-images", LIMPIDE_LANG="fr")
    assert "data:image" not in page.read_text(encoding="utf-8").split("</style>")[-1]
    place("report", place.run)
    assert '<html lang="en"' in page.read_text(encoding="utf-8")


def test_runs(place: Place, tmp_path: Path) -> None:
    found = json.loads(place("runs", "--json").stdout)
    assert [item["run"] for item in found] == ["runs/photos-001"] and found[0]["status"] == "finished"
    assert last(place("runs")) == "next: limpide report runs/photos-001"
    assert last(place("runs", "--runs", tmp_path / "none")) == "next: limpide train digits"


def test_a_damaged_run_stops_neither_the_list_nor_a_training(place: Place, tmp_path: Path) -> None:
    broken = tmp_path / "runs" / "photos-001"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text("{torn")
    assert json.loads(place("runs", "--runs", tmp_path / "runs", "--json").stdout) == []
    one_line(place("report", broken, status=5), "L505")
    place("train", "photos", "--model", "cnn", "--epochs", 1, "--image-size", 16, "--runs", tmp_path / "runs", "--json")
    assert info_of(tmp_path / "runs" / "photos-002")["status"] == "finished"


@pytest.mark.parametrize(
    "verb", [("runs",), ("runs", "--json"), ("clean",), ("info",), ("lesson",), ("--help",), ("train", "--help")]
)
def test_every_list_may_be_left(place: Place, verb: tuple[str, ...]) -> None:
    """The reader is gone before the first line: limpide runs | true."""
    reader, writer = os.pipe()
    os.close(reader)
    command = ["-m", "limpide", *verb]
    # the end of Python itself, which flushes what is left, in one of them
    process = python(
        command, cwd=place.root, env=environment(), stdout=writer, stderr=subprocess.PIPE, fresh=verb == ("runs",)
    )
    os.close(writer)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
