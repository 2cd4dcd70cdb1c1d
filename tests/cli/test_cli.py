"""What a person types, in real processes: one run of a tiny folder shared by all tests, one line for every mistake."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from limpide.api.see import see
from limpide.cli import cli, main
from limpide.core.recipe import GROUPS, Recipe
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.deploy.predictor import BATCH
from limpide.system import machine
from limpide.text import messages
from limpide.text.language import use_language
from tests.fork_server import Process, python
from tests.make_images import photo, photo_folder
from tests.runner import environment, info_of, limpide, started

VERBS = [
    "check",
    "train",
    "predict",
    "evaluate",
    "explain",
    "studio",
    "export",
    "report",
    "runs",
    "clean",
    "models",
    "info",
    "lesson",
    "demo",
]  # as the help lists them


class Done(NamedTuple):
    """What a command said and how it ended."""

    stdout: str
    stderr: str
    returncode: int


def here(*arguments: object, cwd: Path) -> Done:
    """The same command line in this process: for mistakes, which are many and quick."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["limpide", *map(str, arguments)])
        patch.setenv("LIMPIDE_LANG", "en")
        patch.setattr(machine, "keep_memory", lambda: False)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Done(out.getvalue(), err.getvalue(), code)


class Place:
    """A folder with photos, photos of other people, and one finished run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.photos = photo_folder(root / "photos", per_class=16, size=(24, 20))
        self.others = photo_folder(root / "others", per_class=6, size=(30, 30), seed=5)
        # The names that other libraries give the options.
        self.wishes = (
            "--imgsz",
            16,
            "--lr0",
            0.02,
            "--batch_size",
            8,
            "--val_split",
            0.2,
            "--random_state",
            3,
            "--max_epochs",
            2,
            "--arch",
            "cnn",
            "--fliplr",
            "true",
        )
        self.trained = limpide("train", "photos", *self.wishes, cwd=root)
        self.run = root / "runs" / "photos-001"

    def mistake(self, *arguments: object, status: int) -> Done:
        done = here(*arguments, cwd=self.root)
        assert done.returncode == status, done
        return done

    def __call__(self, *arguments: object, status: int | None = 0, **changes: str) -> subprocess.CompletedProcess[str]:
        return limpide(*arguments, cwd=self.root, status=status, **changes)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


def one_line(done: Done | subprocess.CompletedProcess[str], code: str = "") -> str:
    """The single line of an error, with its code; nothing on standard output."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and not done.stdout.strip() and lines[0].startswith("limpide: "), done.stderr
    assert not code or lines[0].endswith(f"[{code}]"), lines[0]
    assert lines[0].count(" — ") >= 2 or code == "L102", "what — where — what to do"
    return lines[0]


def last(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.rstrip().splitlines()[-1]


# -- help, and mistakes while typing


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_lists_every_verb(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = limpide(*arguments, cwd=tmp_path, status=None)
    listed = [line.split()[0] for line in (done.stdout + done.stderr).split("Commands:\n")[1].splitlines()]
    assert listed == list(cli.commands) == VERBS and done.returncode in (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [("--lang", "fr", "--help"), ("--help", "--lang", "fr"), ("--lang", "fr"), ("runs", "--lang", "fr", "--help")],
)
def test_help_in_french(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = limpide(*arguments, cwd=tmp_path, status=None)
    assert "entraînements" in done.stdout + done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_with_examples_or_a_sentence(verb: str, tmp_path: Path) -> None:
    done = here(verb, "--help", cwd=tmp_path)
    assert done.stdout.startswith("Usage: ") and len(done.stdout.splitlines()) > 5 and done.stderr == ""


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_choices_of_a_training_are_listed_by_what_they_are_about(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = limpide("train", "--help", "--lang", lang, cwd=tmp_path)
    listed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if re.fullmatch(r"\S.*:", line):
            listed[re.sub(r"\s*:$", "", line)] = []
        elif listed and (flag := re.match(r"  (?:-h, )?--([\w-]+)", line)):
            listed[list(listed)[-1]].append(flag[1].replace("-", "_"))
    use_language(lang)
    try:
        titles = {group: messages._(title) for group, title in GROUPS.items()}
    finally:
        use_language("en")
    assert list(listed) == [*titles.values(), "Options"]
    for group, title in titles.items():
        assert listed[title] == [c.name for c in dataclasses.fields(Recipe) if c.metadata["group"] == group]
    assert listed["Options"] == ["runs", "rehash", "new", "no_images", "watch", "json", "help"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from limpide.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {n.split('.')[0] for n in sys.modules} & {'torch', 'numpy', 'PIL', 'rich', 'onnxruntime', "
        "'sklearn', 'jinja2'}\n"
        "assert not heavy, heavy"
    )
    for arguments in (["--help"], ["train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "hint"),
    [
        (("trian", "photos"), 2, "did you mean limpide train?"),
        (("predicts", "x"), 2, "limpide predict"),
        (("xyzzy",), 2, "limpide --help"),
        (("train", "photos", "--epohs", "3"), 2, "--epochs"),
        (("train",), 2, "DATA"),
        (("--lang", "xx", "runs"), 2, "en, fr"),
        (("report", "runs/photos-001", "--lang", "xx"), 2, "en, fr"),
        (("models", "cmn"), 2, "did you mean cnn?"),
        (("models", "xyzzy"), 2, "see limpide models"),
        (("train", "photso"), 3, "did you mean photos?"),
        (("train", "./photso/"), 3, "photos?"),
        (("train", "digit"), 3, "did you mean digits?"),
        (("train", "photos/disc/0000.png"), 3, "folder"),
        (("train", "photos/disc"), 3, "a folder of its own"),
        (("predict", "runs/photos-009", "photos"), 5, "did you mean runs/photos-001?"),
        (("predict", "elsewhere/photos-009", "photos"), 5, "limpide runs"),
        (("report", "photos"), 5, "limpide runs"),
        (("evaluate", "runs/photos-001", "nowhere"), 3, "no such folder"),
        (("export", "runs/photos-001", "model.txt"), 2, ".onnx"),
        (("clean", "--older", "30"), 2, "30d for days"),
        (("export", "runs/photos-001", "no/such/folder/model.onnx"), 2, ".onnx"),
        (("predict", "runs/photos-001", "*.xyz"), 2, "no file matches"),
        (("predict", "photos/disc/0000.png", "photos"), 4, "cannot be opened"),
        (("explain", "runs/photos-001", "photos/disc"), 3, "name an image file"),
        (("explain", "runs/photos-001", "gone.png"), 3, "gone.png"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "haed"), 2, "did you mean head?"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "head", "--channel", "3"), 2, "below 3"),
        (("explain", "runs/photos-001", "photos/disc/0000.png", "--layer", "blocks.0.0", "-y", "99"), 2, "99"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_told_in_one_line_with_what_to_do(
    place: Place, arguments: tuple[str, ...], status: int, hint: str
) -> None:
    line = one_line(place.mistake(*arguments, status=status))
    assert hint in line


@pytest.mark.parametrize(
    "wrong",
    [
        ("--epochs", "0"),
        ("--epochs", "two"),
        ("--epochs", "1.5"),
        ("--lr", "-1"),
        ("--batch", "0"),
        ("--fit", "stretch"),
        ("--time", "soon"),
        ("--test", "0.95"),
        ("--seed", "-1"),
    ],
    ids=" ".join,
)
def test_a_value_that_cannot_be_right(place: Place, wrong: tuple[str, str]) -> None:
    line = one_line(place.mistake("train", "photos", *wrong, status=2))
    assert (wrong[0][2:] in line or "duration" in line) and wrong[1] in line
    assert len(list((place.root / "runs").iterdir())) == 1, "nothing was begun"


def test_a_network_that_does_not_exist_is_told_with_the_nearest(place: Place, tmp_path: Path) -> None:
    line = (
        place("train", "photos", "--model", "cmn", "--runs", tmp_path / "runs", status=2)
        .stderr.strip()
        .splitlines()[-1]
    )
    assert "did you mean cnn?" in line and line.endswith("[L106]")


def test_a_runs_folder_that_cannot_be_written_is_told_before_training(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = one_line(place("train", "photos", "--model", "cnn", "--runs", tmp_path / "file", status=5), "L501")
    assert "--runs" in line


def test_a_hostile_name_stays_in_its_line(place: Place) -> None:
    done = place.mistake("train", "a\nlimpide: all is well\x1b[31m", status=3)
    assert "\x1b" not in done.stderr and len(done.stderr.strip().splitlines()) == 1


# -- the main job


def test_train_says_everything_and_ends_with_the_next_command(place: Place) -> None:
    said = place.trained.stdout
    for part in (
        "48 images in 3 classes",
        "kept for the final score",
        "passes over the training part",
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


def test_predict_json(place: Place) -> None:
    done = place("predict", place.run, "others/disc/0000.png", "others/bars/0001.png", "--top", 2, "--json")
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    assert [item["file"] for item in found] == ["others/disc/0000.png", "others/bars/0001.png"]
    for item in found:
        assert set(item) == {"file", "label", "probability", "abstained", "top", "clipped"} and len(item["top"]) == 2
        assert item["label"] == item["top"][0]["label"] and 0 < item["probability"] <= 1


@pytest.mark.parametrize("what", ["others", "others/*/*.png", "others/**/*.png"])
def test_predict_takes_folders_and_patterns(place: Place, what: str) -> None:
    found = json.loads(place("predict", place.run, what, "--json").stdout)
    assert [item["file"] for item in found] == sorted(
        str(p.relative_to(place.root)) for p in place.others.rglob("*.png")
    )


def test_predict_csv_is_safe_for_spreadsheets(place: Place) -> None:
    photo(place.root / "=cmd().png")
    photo(place.root / 'a,"b".png')
    done = place("predict", place.run, "=cmd().png", 'a,"b".png', "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["file", "predicted", "probability"]
    assert [row["file"] for row in rows] == ["'=cmd().png", 'a,"b".png']


def test_predict_table_and_next(place: Place) -> None:
    done = place("predict", place.run, "others/disc/0000.png")
    assert "others/disc/0000.png" in done.stdout and "%" in done.stdout
    assert last(done) == f"next: limpide explain {place.run} others/disc/0000.png"


def test_predict_goes_on_after_a_bad_file_and_fails_only_when_all_are_bad(place: Place, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("<html></html>")
    mixed = place("predict", place.run, tmp_path / "page.jpg", "others/disc/0000.png", tmp_path / "gone.png", "--json")
    assert len(json.loads(mixed.stdout)) == 1
    assert [line[-6:] for line in mixed.stderr.strip().splitlines()] == ["[L207]", "[L208]"]
    assert place("predict", place.run, tmp_path / "page.jpg", "--json", status=3).stdout == "[]\n"


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
    assert "this flatters it" in " ".join(done.stdout.split()) and "many more images like these" not in done.stdout


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
    assert found["n"] == 15 and "the model does not know alien: their 5 images can never be right" in done.stderr
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


def test_explain(place: Place) -> None:
    done = place("explain", place.run, "others/disc/0000.png")
    assert "what the network computed" in done.stdout and last(done).startswith("next: limpide explain ")
    found = json.loads(
        place("explain", place.run, "others/disc/0000.png", "--layer", "head", "--channel", 2, "--json").stdout
    )
    assert set(found) == {"prediction", "inside"} and found["inside"]["data"]["layer"] == "head"
    assert abs(found["inside"]["data"]["sum"] - found["inside"]["data"]["torch"]) < 1e-4
    (predicted,) = json.loads(place("predict", place.run, "others/disc/0000.png", "--json").stdout)
    assert found["prediction"]["message"]["values"]["label"] == predicted["label"]


def test_explain_writes_all_of_it_into_a_file(place: Place, tmp_path: Path) -> None:
    image = "others/disc/0000.png"
    done = place("explain", place.run, image, "--out", tmp_path / "inside.json", "--lang", "fr")
    assert "inside.json" in done.stdout and f" limpide studio {place.run}" in last(done)
    found = json.loads((tmp_path / "inside.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    (predicted,) = json.loads(place("predict", place.run, image, "--json").stdout)
    assert found["predictions"][0] == {
        "class": predicted["label"],
        "probability": pytest.approx(predicted["probability"], abs=1e-6),
    }
    seen = see(str(place.run), place.root / image)  # the network with its temperature says what the sealed file says
    assert seen.top[0] == (predicted["label"], pytest.approx(predicted["probability"], abs=1e-5))
    assert found["saliency"][2]["method"] == "grad_cam" and len(found["saliency"][2]["map"]) == 16
    near = found["neighbours"]
    assert len(near["images"]) == 8 and near["note"] is None and near["compared"] <= near["of"]
    used = {row["file"]: row["label"] for row in read_split(place.run / "split.csv") if row["part"] == "train"}
    assert all(used[one["file"]] == one["class"] for one in near["images"])
    for ending in ("png", "html"):
        out = tmp_path / f"inside.{ending}"
        out.write_text("old")  # it was named, so it is replaced
        done = here("explain", place.run, image, "--out", out, "--json", cwd=place.root)
        assert (
            done.returncode == 0
            and set(json.loads(done.stdout)) == {"prediction", "inside"}
            and "written" in done.stderr
        )
        assert 10_000 < out.stat().st_size < 2_000_000 and not list(tmp_path.glob(".*"))
    assert (tmp_path / "inside.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("out", ["inside.bmp", "inside", "others", "nowhere/inside.png"])
def test_explain_writes_only_where_it_can(place: Place, out: str) -> None:
    one_line(place.mistake("explain", place.run, "others/disc/0000.png", "--out", out, status=2), "L131")


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


def test_explain_does_not_replace_the_image(place: Place) -> None:
    image = place.root / "others" / "disc" / "0000.png"
    before = image.read_bytes()
    one_line(place.mistake("explain", place.run, image, "--out", "others/disc/../disc/0000.png", status=2), "L134")
    assert image.read_bytes() == before


def test_export_without_a_name_takes_that_of_the_run_and_replaces_no_other_file(place: Place, tmp_path: Path) -> None:
    place("export", place.run, tmp_path)
    place("export", place.run, tmp_path)  # the same file again is no loss
    made = tmp_path / f"{place.run.name}.onnx"
    assert made.read_bytes() == (place.run / "model.onnx").read_bytes()
    made.write_text("something else")
    one_line(place("export", place.run, tmp_path, status=2), "L120")
    assert made.read_text() == "something else"


def test_a_model_file_alone_does_not_claim_that_images_are_new(place: Place) -> None:
    said = place("evaluate", place.run / "model.onnx", "photos", status=None).stdout
    assert "had never seen" not in said and "a model file alone cannot say" in " ".join(said.split())


def test_an_unfinished_run_says_so_when_its_model_is_used(place: Place, tmp_path: Path) -> None:
    copied = tmp_path / "photos-001"
    shutil.copytree(place.run, copied)
    info = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps(info | {"status": "stopped"}))
    assert "not finished and its model not judged" in place("predict", copied, "photos/disc/0000.png").stderr
    assert "not finished and its model not judged" in " ".join(
        place("export", copied, tmp_path / "x.onnx").stdout.split()
    )
    words = last(place("runs", "--runs", tmp_path)).removeprefix("next: limpide train ").split()
    typed = {
        name.removeprefix("--").replace("-", "_"): value for name, value in zip(words[1::2], words[2::2], strict=True)
    }
    assert words[0] == info["location"] and typed and Recipe.of(**typed).to_json() == info["wanted"], (
        "other wishes would begin another run"
    )


def test_what_training_refuses_is_looked_at_again_first(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.photos / "disc", tmp_path / "photos" / "disc")
    assert last(place("check", tmp_path / "photos", status=3)) == f"next: limpide check {tmp_path / 'photos'}"


def test_the_command_after_check_means_the_same_groups_and_values(place: Place) -> None:
    assert last(place("check", "photos", status=None)) == "next: limpide train photos"
    asked = ("--groups", "none", "--value-range", "0..4095")
    assert last(place("check", "photos", *asked, status=None)) == f"next: limpide train photos {' '.join(asked)}"


def test_what_became_of_a_run_is_said_in_the_language_asked_for(place: Place, tmp_path: Path) -> None:
    Run.create(tmp_path, "photos", {"status": "running"})  # its process is gone
    assert "interrupted" in place("runs", tmp_path).stdout
    french = place("--lang", "fr", "runs", tmp_path).stdout
    if "commencé" not in french:
        pytest.skip("the French catalogue limpide.mo is not compiled here")
    assert "interrompu" in french


def test_a_language_that_is_not_there_is_told(place: Place) -> None:
    one_line(place("info", status=2, LIMPIDE_LANG="de"), "L107")
    assert place("--lang", "en", "info", LIMPIDE_LANG="de").stdout


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


@contextlib.contextmanager
def predicting(place: Place, *arguments: object) -> Iterator[Process]:
    with started(["predict", place.run, *arguments], place.root) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("how", "before"), [((), 2), (("--csv",), 1), (("--jsonl",), 0)])
def test_rows_come_as_they_are_known_and_ctrl_c_keeps_them(
    place: Place, tmp_path: Path, how: tuple[str, ...], before: int
) -> None:
    """The last file is a pipe that nothing is written into: all the others are named while it is waited for."""
    os.mkfifo(tmp_path / "never.png")
    with predicting(
        place, *["others/disc/0000.png"] * BATCH, *["others/bars/0000.png"] * BATCH, tmp_path / "never.png", *how
    ) as process:
        assert process.stdout is not None
        rows = [process.stdout.readline() for _ in range(before + 2 * BATCH)]  # a head, and the line below it
        assert all(str(file) in rows[before + k] for k, file in enumerate(["disc"] * BATCH + ["bars"] * BATCH))
        if how == ("--jsonl",):
            assert [set(json.loads(row)) for row in rows] == [
                {"file", "label", "probability", "abstained", "top", "clipped"}
            ] * (2 * BATCH)
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=30)
        assert (process.returncode, rest) == (130, "") and "Traceback" not in told


@pytest.mark.parametrize("how", ["--csv", "--jsonl", "--json", "--top=2"])
def test_a_reader_may_leave(place: Place, how: str) -> None:
    """limpide predict … | head -1: quietly, at once, and no failure."""
    with predicting(place, *["others/disc/0000.png"] * (40 * BATCH), how) as process:
        assert process.stdout is not None and process.stderr is not None
        if how != "--json":
            process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


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
