"""A small scratch on a large plate: the folds choose to look closer, and all that is asked later looks so, too."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.plates import write_plates
from limpide.core.errors import UsageError
from limpide.core.events import Event
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from limpide.inspector.session import Session
from limpide.inspector.test_set import _unbiased
from limpide.judging.deciding_windows import find_deciding_windows
from limpide.judging.fold_heads import FoldHeads, network_of_fold
from limpide.judging.run_subject import subject_of_run
from limpide.report.html.page import html_of
from limpide.training.batches import as_tensor
from limpide.training.cross_fit import Features, cross_fit
from limpide.training.frozen_features import Frozen
from limpide.training.weights import frozen_network, trained_network
from limpide.workflows.evaluate import evaluate
from limpide.workflows.explain import explain
from limpide.workflows.train.training import prepare, train
from tests.quick_judge import quick_judge

FOLDS = Recipe(model="efficientnet_lite0", device="cpu", folds=5, flip="no")
SIZE, SCRATCH = (640, 480), (20, 3)


def trained(data: Path, runs: Path, recipe: Recipe = FOLDS) -> tuple[Run, list[Event]]:
    run, dataset, _ = prepare(str(data), recipe, runs)
    with quick_judge():
        return run, list(train(run, dataset, images=True))


@pytest.fixture(scope="module")
def place(once: Any) -> Path:
    """32 plates, `plates`, and the run trained on them, `runs`; 16 new ones, `new`, and where their scratches are."""

    def make(folder: Path) -> None:
        write_plates(folder / "plates", 16, 0, SIZE, SCRATCH)
        places = write_plates(folder / "new", 8, 1, SIZE, SCRATCH)
        (folder / "places.json").write_text(json.dumps(places))
        _run, events = trained(folder / "plates", folder / "runs")
        said = [str(event.message) for event in events if hasattr(event, "message")]
        (folder / "said.json").write_text(json.dumps(said))

    return once("plates", make)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return Run.all_in(place / "runs")[0]


def test_the_folds_choose_to_look_closer_and_say_so(place: Path, run: Run) -> None:
    info = run.info()
    assert info.views == ("whole", "quarters", "windows-448") and info.recipe["view"] == "windows-448"
    assert info.network == "efficientnet_lite0+windows" and info.model == "efficientnet_lite0"
    assert info.final and info.final.preprocessing["size"] == 448
    said = json.loads((place / "said.json").read_text())
    assert any("the images are large" in line and "448 px" in line for line in said)
    assert any("small things count" in line for line in said)
    accuracy = run.findings()["accuracy"].number("accuracy")
    assert accuracy.n == 32 and accuracy.value > 0.8
    assert info.quote and info.quote.first > 0


def test_new_plates_are_told_apart_by_the_file(place: Path, run: Run) -> None:
    predictor = Predictor(run.model_file)
    files = sorted((place / "new").rglob("*.png"))
    said = predictor.probabilities([Image.open(file) for file in files]).argmax(1)
    right = np.mean([predictor.classes[k] == file.parent.name for k, file in zip(said, files, strict=True)])
    assert right >= 0.8 and predictor.preprocessing.size == 448 and predictor.judged == "cross-fitted"
    assert run.findings()["export"].verdict == "ok", "file and network say the same"


def test_looked_at_whole_they_are_not(place: Path, run: Run) -> None:
    heads, files = FoldHeads.load(run), sorted((place / "plates").rglob("*.png"))
    truth = np.array([file.parent.name == "scratched" for file in files], int)
    model, p = frozen_network(run, "whole")
    squares = np.stack([p.pixels(Image.open(file).convert("RGB")) for file in files])
    assert p.size == 224
    features = Features(Frozen(model, p, torch.device("cpu")).features(squares))
    steps = cross_fit([features], truth, heads.fold, 2)
    with pytest.raises(StopIteration) as ended:
        while True:
            next(steps)
    whole = float((ended.value.value.logits.argmax(1) == truth).mean())
    assert run.findings()["accuracy"].number("accuracy").value > whole + 0.1


def test_a_run_that_was_cut_short_goes_on_to_the_same_bytes(place: Path, run: Run, tmp_path: Path) -> None:
    data = str(place / "plates")
    for stop, times in (("running the pretrained network on the images", 2), ("writing the model file", 1)):
        again, dataset, _ = prepare(data, FOLDS, tmp_path)
        steps = train(again, dataset, images=True)
        _stop_at(steps, stop, times)
    again, dataset, continued = prepare(data, FOLDS, tmp_path)
    assert continued and again.info().views == ("whole", "quarters", "windows-448")
    with quick_judge():
        list(train(again, dataset, images=True))
    first, second = FoldHeads.load(run), FoldHeads.load(again)
    assert all(np.array_equal(value, vars(second)[name]) for name, value in vars(first).items())
    assert again.model_file.read_bytes() == run.model_file.read_bytes()
    assert again.findings()["accuracy"].to_json() == run.findings()["accuracy"].to_json()


def _stop_at(steps: Iterator[Event], phase: str, times: int) -> None:
    for event in steps:
        times -= phase in str(getattr(event, "phase", ""))
        if times == 0:
            steps.close()  # type: ignore[attr-defined]
            return


def test_each_fold_looks_as_it_chose_and_its_network_says_what_was_judged(place: Path, run: Run) -> None:
    heads = FoldHeads.load(run)
    assert len(heads.view) == len(heads.names) and "windows-448" in set(heads.view.tolist())
    files = sorted((place / "plates").rglob("*.png"))
    for fold, view in zip(heads.names.tolist(), heads.view.tolist(), strict=True):
        model, p = network_of_fold(run, heads, fold)
        assert p.size == (448 if view == "windows-448" else 224) and model.windows == (view == "windows-448")
        k = int(np.flatnonzero(heads.fold == fold)[0])
        square = p.pixels(Image.open(files[int(heads.rows[k])]).convert("RGB"))
        logits = model(as_tensor(square[None], p)).detach().numpy()[0]
        assert logits == pytest.approx(heads.logits[k], abs=0.6), "features in two digits, as docs/LOG.md says"


def test_the_studio_asks_the_network_of_the_largest_fold(run: Run) -> None:
    session = Session()
    album = session.album(str(run.path))
    loaded, rows = _unbiased(session, str(run.path), "best", album)
    heads = FoldHeads.load(run)
    fold = int(album.folds[int(rows[0])])
    view = heads.view[int(np.searchsorted(heads.names, fold))]
    assert loaded.preprocessing.size == (448 if view == "windows-448" else 224)
    assert session.load_network(str(run.path), "best").preprocessing.size == 448


def test_explain_frames_the_window_that_holds_the_scratch(place: Path, run: Run) -> None:
    places, held = json.loads((place / "places.json").read_text()), []
    _model, p = trained_network(run)
    for name, (x, y) in places.items():
        found = explain(str(run.path), str(place / "new" / name))
        if found["prediction"].table and found["prediction"].table.rows[0][0] != "scratched":
            continue
        top, left, bottom, right = found["window"].data["box"]
        at_x, at_y = x * p.size / SIZE[0], y * p.size / SIZE[1]
        held.append(left <= at_x <= right and top <= at_y <= bottom)
        assert (bottom - top, right - left) == (96, 96) and "local evidence" in str(found["window"].message)
    assert len(held) >= 5 and np.mean(held) >= 0.8


def test_the_report_shows_what_decided(place: Path, run: Run) -> None:
    _, dataset, _ = prepare(str(place / "plates"), FOLDS, place / "elsewhere")
    subject = subject_of_run(run, dataset, np.ones(32, np.uint8), None, lambda *_: True)  # type: ignore[arg-type]
    with pytest.raises(StopIteration) as ended:
        steps = find_deciding_windows(subject)
        while True:
            next(steps)
    finding = ended.value.value
    assert 4 <= len(finding.pictures) <= 8 and all(picture.jpeg for picture in finding.pictures)
    shutil.copytree(run.path, place / "copy", dirs_exist_ok=True)
    Run(place / "copy").add_finding(finding)
    page = html_of(Run(place / "copy"))
    assert "What decided the answer" in page and "window by window" in page
    assert "efficientnet_lite0+windows" in page


def test_evaluating_other_plates_takes_the_file(place: Path, run: Run) -> None:
    found = [event.finding for event in evaluate(str(run.path), str(place / "new")) if hasattr(event, "finding")]
    accuracy = next(finding for finding in found if finding.name == "accuracy")
    assert accuracy.number("accuracy").n == 16 and accuracy.number("accuracy").value >= 0.8


def test_squares_larger_than_the_images_are_refused_in_one_line(place: Path, tmp_path: Path) -> None:
    run, dataset, _ = prepare(str(place / "plates"), FOLDS.but(view="windows-800"), tmp_path)
    with pytest.raises(UsageError) as refused:
        list(train(run, dataset, images=False))
    assert "800 px is larger than the images, most of which have 480 px" in str(refused.value)
    assert "\n" not in str(refused.value) and sys.exc_info()[0] is None
