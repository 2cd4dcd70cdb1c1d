"""Fine-tuning in folds: each image is asked of a network that was fine-tuned without it; the folds choose between that
and a new last layer alone; what is shipped learned as the folds' networks did.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load

from limpide.core.errors import RunError
from limpide.core.events import Event, Note, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.run_images import RunImages
from limpide.deploy.predictor import Predictor
from limpide.judging.fold_heads import FoldHeads, judges_of_folds, network_of_fold
from limpide.judging.run_subject import subject_of_run
from limpide.judging.tuned_folds import TUNED, TunedFolds, network_file
from limpide.report.html.page import html_of
from limpide.training import loop, tuned_choice
from limpide.training.batches import as_tensor
from limpide.training.weights import trained_network
from limpide.workflows.train import deadline, first_model, fold_tuning, minimum_time
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder
from tests.quick_judge import quick_judge

TUNED_RECIPE = Recipe(
    model="efficientnet_lite0", device="cpu", folds=3, view="whole", flip="yes", image_size=64, epochs=2
)


def trained(data: Path, runs: Path, recipe: Recipe = TUNED_RECIPE) -> tuple[Run, list[Event]]:
    run, dataset, _ = prepare(str(data), recipe, runs)
    with quick_judge():
        return run, list(train(run, dataset, images=False))


class Preferring:
    """Decides as it is told, with temperatures of its own: which way is better is known."""

    def __init__(self, chosen: list[bool], is_better: bool) -> None:
        self.chosen, self.is_better, self.asked = chosen, is_better, 0

    def __call__(self, frozen: Any, tuned: Any, truth: Any, fold: Any, names: Any, balanced: bool) -> Any:
        self.asked += 1
        found = tuned_choice.choose_tuned(frozen, tuned, truth, fold, names, balanced)
        temperatures = np.arange(2.0, 2.0 + len(names))
        return type(found)(np.array(self.chosen), temperatures, self.is_better, found.temperature)


@pytest.fixture(scope="module")
def place(once: Any) -> Path:
    """36 photographs, `photos`, and the run on them, `runs`, in which two folds of three, and the whole, prefer
    fine-tuning.
    """

    def make(folder: Path) -> None:
        photo_folder(folder / "photos", per_class=12)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fold_tuning, "choose_tuned", Preferring([True, False, True], True))
            trained(folder / "photos", folder / "runs")

    return once("tuned in folds", make)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return Run.all_in(place / "runs")[0]


def test_what_is_said_of_an_image_is_said_by_the_network_tuned_without_its_fold(run: Run) -> None:
    frozen, judges, album = FoldHeads.load(run), judges_of_folds(run), RunImages(run)
    assert judges.view.tolist() == [TUNED, "whole", TUNED]
    for k, name in enumerate(judges.names.tolist()):
        own = np.flatnonzero(judges.fold == name)
        model, p = network_of_fold(run, judges, name)
        assert p.size == (64 if k != 1 else 224)
        squares = np.stack([p.pixels(album.image(int(judges.rows[row]))) for row in own])
        with torch.inference_mode():
            logits = model(as_tensor(squares, p)).numpy()
        assert logits == pytest.approx(judges.logits[own], abs=0.3 if k == 1 else 1e-3)
        assert (k == 1) == np.array_equal(judges.logits[own], frozen.logits[own])
    assert judges.temperature.tolist() == [2.0, frozen.temperature[1], 4.0]
    with np.load(run.predictions / "test.npz") as stored:
        assert stored["probabilities"] == pytest.approx(judges.probabilities())
        right = float((stored["probabilities"].argmax(1) == stored["truth"]).mean())
    assert run.findings()["accuracy"].number("accuracy").value == right


def test_no_network_learned_from_the_images_that_it_judges(place: Path, tmp_path: Path) -> None:
    """A class that one fold alone holds cannot be named by the network that learned without that fold."""
    seen: list[tuple[int, set[int]]] = []

    def watched(state: Any, batches: Any, *rest: Any, **more: Any) -> Any:
        seen.append((state.steps, set(batches.rows.tolist())))
        return loop.fit(state, batches, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_tuning, "fit", watched)
        run, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
        steps = train(run, dataset, images=False)
        next(event for event in steps if run.info().phase == "fit")
        steps.close()  # type: ignore[attr-defined]
    heads = FoldHeads.load(run)
    for name, (done, rows) in zip(heads.names, seen[:3], strict=True):
        own = set(heads.rows[heads.fold == name].tolist())
        assert rows == set(range(36)) - own and done == 2  # 24 images: one step a pass, two passes


def test_the_shipped_network_learned_from_all_as_long_as_those_of_the_folds(run: Run) -> None:
    info = run.info()
    assert info.final and info.final.kind == "fine-tuned" and info.steps == 4 and info.epochs == 2
    assert [event.n for event in run.events() if isinstance(event, Step)] == [1, 2, 3, 4]
    model, p = trained_network(run)
    predictor = Predictor(run.model_file)
    assert p.size == 64 and predictor.preprocessing.size == 64 and predictor.judged == "cross-fitted"
    for k in (0, 2):
        other, _ = network_of_fold(run, judges_of_folds(run), k)
        assert not torch.equal(model.head.weight, other.head.weight)  # type: ignore[union-attr,arg-type]
    statistics = {name: value for name, value in model.state_dict().items() if "running" in name}
    other, _ = network_of_fold(run, judges_of_folds(run), 1)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in statistics.items())
    assert run.findings()["export"].verdict == "ok"


def test_report_and_run_say_what_learned_and_what_judged(run: Run) -> None:
    said = str(run.findings()["training"].message)
    assert "in 2 epochs" in said and "In 3 folds" in said and "36 images" in said
    decisions = [str(event.message) for event in run.events() if isinstance(event, Note)]
    assert any("fine-tuned once without each of the 3 folds" in line for line in decisions)
    assert any(line.startswith("the network is fine-tuned: in the folds") for line in decisions)
    page = html_of(run)
    assert "The model that is shipped learned from all images, in the same way." in page


def test_the_frozen_network_counts_as_a_simpler_model_judged_in_the_folds(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    run = Run.all_in(tmp_path / "runs")[0]
    _, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path / "elsewhere")
    subject = subject_of_run(run, dataset, np.ones(36, np.uint8), None, lambda *_: True)  # type: ignore[arg-type]
    assert subject.trained and subject.trained.fold_network
    assert subject.trained.fold_network(0).preprocessing.size == 64


def test_frozen_is_shipped_where_the_folds_prefer_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_tuning, "choose_tuned", Preferring([True, False, False], False))
    run, events = trained(place / "photos", tmp_path)
    info, judges = run.info(), judges_of_folds(run)
    assert info.steps == 0 and info.final and info.final.kind == "frozen"
    assert judges.view.tolist() == [TUNED, "whole", "whole"]
    assert [file.name for file in run.snapshots.glob("fold-*")] == ["fold-0.safetensors"], "others judge nothing"
    assert info.final.validation == run.findings()["accuracy"].number("accuracy").value, "one score"
    model, p = network_of_fold(run, judges, 0)
    squares = p.pixels(RunImages(run).image(int(judges.rows[0])))[None]
    assert p.size == 64 and model(as_tensor(squares, p)).shape == (1, 3)
    assert trained_network(run)[1].size == 224
    assert any("stays as it was published" in str(getattr(event, "message", "")) for event in events)
    assert "stayed as published" in str(run.findings()["training"].message)


def test_stopped_while_it_tunes_a_fold_it_goes_on_to_the_same_bytes(
    place: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_tuning, "choose_tuned", Preferring([True, False, True], True))
    again, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    steps, met = train(again, dataset, images=False), 0
    for event in steps:
        met += str(getattr(event, "phase", "")).startswith("fine-tuning without fold")
        if met == 6:  # four are of the first fold: two steps, two passes
            steps.close()  # type: ignore[attr-defined]
            break
    assert again.info().phase == "folds" and again.info().status == "stopped"
    again, dataset, continued = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    assert continued
    with quick_judge():
        list(train(again, dataset, images=False))
    for name in judges_of_folds(run).names.tolist():
        assert network_file(again, name).read_bytes() == network_file(run, name).read_bytes()
    assert again.model_file.read_bytes() == run.model_file.read_bytes()
    assert again.findings()["accuracy"].to_json() == run.findings()["accuracy"].to_json()
    assert not list(again.checkpoints.glob("fold-*"))


def test_damaged_answers_or_networks_of_folds_are_one_line(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    run = Run.all_in(tmp_path / "runs")[0]
    network_file(run, 0).write_bytes(b"no weights")
    with pytest.raises(RunError, match=r"fold-0\.safetensors"):
        network_of_fold(run, judges_of_folds(run), 0)
    (run.snapshots / "tuned-folds.npz").write_bytes(b"PK")
    with pytest.raises(RunError, match="L506"):
        judges_of_folds(run)
    (run.snapshots / "tuned-folds.npz").unlink()
    assert TunedFolds.load(run) is None


def test_nothing_asked_it_ends_after_a_first_fold_that_is_no_better(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_tuning, "is_no_better", lambda *_: True)
    monkeypatch.setattr(first_model, "_is_enough", lambda *_: False)
    run, events = trained(place / "photos", tmp_path, TUNED_RECIPE.but(epochs=None, view="auto", flip="no"))
    info, said = run.info(), [str(getattr(event, "message", "")) for event in events]
    assert any("in the first fold, fine-tuning is no better" in line for line in said)
    assert info.steps == 0 and info.epochs == 16 and info.final and info.final.kind == "frozen"
    assert TunedFolds.load(run) is None and not list(run.snapshots.glob("fold-*"))
    assert (judges_of_folds(run).logits == FoldHeads.load(run).logits).all()


@pytest.mark.parametrize(
    ("options", "n", "wrong", "wanted", "enough", "weakest"),
    [
        ({}, 36, 0, {}, True, 0.95),
        ({}, 36, 0, {"epochs": 3}, False, 0.95),
        ({"view": "quarters"}, 36, 1, {}, False, 0.95),  # one of 36: more than one in 40
        ({"view": "windows-448"}, 36, 1, {}, True, 0.95),  # it looks closer already
        ({}, 244, 5, {}, True, 0.95),
        ({}, 244, 5, {"epochs": 3}, False, 0.95),
        ({}, 244, 6, {}, False, 0.95),  # were all six put right, a sign test would show it: p = 0.03
        ({}, 300, 5, {}, False, 0.83),  # five of thirty images of one class
        ({}, 199, 5, {}, False, 0.95),
        ({"balance": "yes"}, 244, 1, {}, False, 0.95),  # it may be one of three images of a class
        ({"balance": "yes"}, 244, 0, {}, True, 0.95),
    ],
)
def test_fine_tuning_is_left_out_where_nobody_could_see_it_do_better(
    options: dict[str, str], n: int, wrong: int, wanted: dict[str, int], enough: bool, weakest: float
) -> None:
    fitted = SimpleNamespace(accuracy=1 - wrong / n, validation_images=n, weakest=weakest)
    job = SimpleNamespace(recipe=TUNED_RECIPE.but(**{"view": "whole"} | options), info=SimpleNamespace(wanted=wanted))
    assert first_model._is_enough(job, fitted) == enough  # type: ignore[arg-type]


def test_what_was_not_kept_aside_is_not_spoken_of(run: Run) -> None:
    finding = run.findings()["diagnosis"]
    assert "validation" not in str(finding.message) and "no image was set aside" in str(finding.message)


def test_ended_before_its_last_step_the_first_model_is_shipped_and_judged(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_tuning, "choose_tuned", Preferring([True, True, True], True))
    run, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    with quick_judge():
        for event in train(run, dataset, images=False):
            if isinstance(event, Step) and event.n == 1:
                run.add_line(run.control_file, {"do": "stop"})
    info, frozen = run.info(), FoldHeads.load(run)
    assert info.final and info.final.kind == "frozen" and TunedFolds.load(run) is None
    assert not list(run.snapshots.glob("fold-*")), "they judge nothing any more"
    assert (judges_of_folds(run).logits == frozen.logits).all()
    model, p = trained_network(run)
    first = load((run.snapshots / "first.safetensors").read_bytes())
    assert p.size == 224 and torch.equal(model.head.weight, first["head.weight"])  # type: ignore[union-attr,arg-type]
    assert info.temperature and info.temperature.n == 36
    right = float((frozen.logits.argmax(1) == dataset.labels[frozen.rows]).mean())
    assert info.final.validation == right == run.findings()["accuracy"].number("accuracy").value


def until(steps: Any, reached: Callable[[Event], bool]) -> list[str]:
    """What is said until an event; then it is stopped."""
    said = []
    for event in steps:
        said.append(str(getattr(event, "message", "")))
        if reached(event):
            break
    steps.close()
    return said


def test_the_frozen_network_sees_every_image_where_folds_judge(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimum_time, "FROZEN_IMAGES", 10)
    run, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE.but(epochs=1), tmp_path)
    until(train(run, dataset, images=False), lambda _: run.info().phase == "folds")
    frozen = run.info().frozen
    assert frozen and frozen.n == 36 and len(FoldHeads.load(run).rows) == 36


def test_without_time_for_the_other_folds_it_is_left_out_and_said(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline.Deadline, "allows", lambda self, seconds: seconds < 100)
    monkeypatch.setattr(deadline, "now", clock(60.0))
    run, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    said = until(train(run, dataset, images=False), lambda _: run.info().phase == "fit")
    assert run.info().steps == 0 and deadline.FINE_TUNING in run.info().left_out
    assert any("there is no time left for it, so the first model is kept" in line for line in said)


def clock(second: float) -> Callable[[], float]:
    """So many s between two looks at it."""
    times = itertools.count(step=second)
    return lambda: float(next(times))


def test_a_damaged_network_of_a_fold_is_trained_again(
    place: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_tuning, "choose_tuned", Preferring([True, False, True], True))
    again, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    until(train(again, dataset, images=False), lambda event: "without fold 1" in str(getattr(event, "phase", "")))
    network_file(again, 0).write_bytes(b"half")
    again, dataset, _ = prepare(str(place / "photos"), TUNED_RECIPE, tmp_path)
    until(train(again, dataset, images=False), lambda _: again.info().phase == "fit")
    assert network_file(again, 0).read_bytes() == network_file(run, 0).read_bytes()
