"""Cases 56 to 58 and 60 through the command: a training that goes back is killed around each time it does and gives the
same weights; one that ends keeps its batch and its best weights; a pretrained network falls back on its first model.
"""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor, nn

from limpide.core.errors import TrainingError
from limpide.core.events import Event, Note
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from limpide.report.html.page import html_of
from limpide.training import checkpoint, loop, losses
from limpide.training.rollback import MAX_ROLLBACKS
from limpide.workflows.train import fold_tuning
from limpide.workflows.train.training import prepare, train
from tests.conftest import Once
from tests.make_images import photo_folder
from tests.quick_judge import quick_judge
from tests.runner import PATIENCE, QUICK, QUICKLY, SOAK, essence, events_of, info_of, limpide, started
from tests.workflows.train.test_fold_tuning import Preferring
from tests.workflows.train.test_parts import noise

OPTIONS = ("--model", "cnn", "--image-size", 16, "--batch", 8, "--epochs", 3, "--precision", "fp32", "--patience", 9)

# Calls losses lost, where the state is one of those named: (steps done, times back so far); not while steps are timed.
LOSES = """
import sys
from limpide.training import loop

places, is_lost = eval(sys.argv.pop(1)), loop.is_lost

def lost(loss, state):
    return (state.steps < 10**9 and (state.step, state.rollbacks) in places) or is_lost(loss, state)

loop.is_lost = lost
"""
TWICE = [(4, 0), (11, 1)]  # in the first epoch of 7 steps, and in the second
FOR_GOOD = [(9, k) for k in range(MAX_ROLLBACKS + 1)]

# Kills itself at the first time back of this session: before it is recorded, once it is, and once it is saved.
DIES_GOING_BACK = """
import os, signal, sys
from limpide.core.events import Note
from limpide.core.run import Run
from limpide.training import checkpoint

moment, append, save, back = sys.argv.pop(1), Run.append, checkpoint.save_checkpoint, False

def die(now):
    if now == moment:
        os.kill(os.getpid(), signal.SIGKILL)

def appended(self, event):
    global back
    back = isinstance(event, Note) and "half the learning rate" in event.message.id
    if back:
        die("before")
    append(self, event)
    if back:
        die("said")

def saved(*arguments):
    save(*arguments)
    if back:
        die("saved")

Run.append, checkpoint.save_checkpoint = appended, saved
"""


def losing_at(places: list[tuple[int, int]], more: str = "", *arguments: str) -> tuple[str, ...]:
    return "-c", QUICK + LOSES + more + "main()", repr(places), *arguments


@pytest.fixture(scope="module")
def place(once: Once) -> Path:
    """Images, and a training that was not killed, which goes back twice."""

    def make(cwd: Path) -> None:
        photo_folder(cwd / "shapes", per_class=24, size=(16, 16))
        limpide("train", "shapes", "--runs", "reference", *OPTIONS, cwd=cwd, program=losing_at(TWICE))

    return once("lost", make)


def times_back(run: Path) -> list[str]:
    notes = [event["message"]["id"] for event in events_of(run) if event["kind"] == "note"]
    return [says for says in notes if "half the learning rate" in says]


def test_killed_around_going_back(place: Path, tmp_path: Path) -> None:
    reference = place / "reference" / "shapes-001"
    back = len(times_back(reference))
    assert back == len(TWICE)
    runs = tmp_path / "runs"
    command = ("train", place / "shapes", "--runs", runs, *OPTIONS)
    moments = [*("before", "said", "saved") * (back if SOAK else 1), *([] if SOAK else ["said"])]
    for moment in moments:
        process = started(command, place, program=losing_at(TWICE, DIES_GOING_BACK, moment))
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL, f"it did not go back: {moment}"
    limpide(*command, cwd=place, program=losing_at(TWICE))
    found, wanted = essence(runs / "shapes-001"), essence(reference)
    for name, value in wanted.items():
        assert found[name] == value, name
    assert "half the learning rate" in (runs / "shapes-001" / "report.html").read_text()
    print(f"{len(moments)} kills around {back} times back")


def test_what_is_left_where_it_ends(place: Path, tmp_path: Path) -> None:
    """One line; the batch and the best weights; and the same end if it is tried again."""
    runs = tmp_path / "runs"
    command = ("train", "shapes", "--runs", runs, *OPTIONS, "--lr", 0.16)
    said = limpide(*command, cwd=place, status=6, program=losing_at(FOR_GOOD)).stderr.strip()
    run = Run.open(runs / "shapes-001")
    assert said.startswith("limpide: ") and "\n" not in said and said.endswith("[L601]")
    assert "try --lr 0.01 or" in said and "--clip 1" in said and f"{run.path / 'lost-batch.csv'}" in said
    assert f"limpide export {run.path} --epoch 1" in said
    with open(run.path / "lost-batch.csv", newline="") as file:
        batch = list(csv.DictReader(file))
    assert 6 <= len(batch) <= 8
    for row in batch:
        assert (place / "shapes" / row["file"]).is_file() and row["file"].startswith(row["label"] + "/")
    before = events_of(run.path)
    assert len(times_back(run.path)) == MAX_ROLLBACKS and "NaN" not in run.events_file.read_text()
    again = limpide(*command, cwd=place, status=6, program=losing_at(FOR_GOOD)).stderr.strip()
    assert again == said and events_of(run.path) == before
    assert "shapes-001" in limpide("runs", runs, cwd=place).stdout
    limpide("export", run.path, tmp_path / "best.onnx", "--epoch", 1, cwd=place)
    saved = checkpoint.load_checkpoint(run.checkpoints)
    assert saved is not None and saved.numbers["best_epoch"] == 0
    kept = load_file(next(file for step, file in run.kept().items() if step == 7))
    assert all(kept[name].equal(saved.tensors[f"best.{name}"]) for name in kept), "51 images in 7 steps"
    assert tuple(Predictor(tmp_path / "best.onnx").classes) == ("bars", "disc", "square")
    limpide(*command[:-1], 0.01, cwd=place, program=QUICKLY)
    assert info_of(runs / "shapes-002")["status"] == "finished", "another rate is another run"


PRETRAINED = Recipe(model="efficientnet_lite0", device="cpu", image_size=32, epochs=1, batch=8, view="whole")


def losing(monkeypatch: pytest.MonkeyPatch, when: Any) -> None:
    """Call each loss lost where the state is such."""
    real = loop.is_lost
    monkeypatch.setattr(loop, "is_lost", lambda loss, state: when(state) or real(loss, state))


def finished(data: Path, runs: Path, recipe: Recipe, judge: bool = True) -> tuple[Run, list[str]]:
    run, dataset, _ = prepare(str(data), recipe, runs)
    with quick_judge():
        events: list[Event] = list(train(run, dataset, images=False, judge=judge))
    assert run.info().status == "finished" and run.model_file.exists()
    return run, [str(event.message) for event in events if isinstance(event, Note)]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photographs") / "shapes", per_class=8, size=(32, 32))


@pytest.mark.soak
def test_a_pretrained_network_falls_back_on_its_first_model(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, lambda state: state.steps < 10**9 and state.step == 1)
    run, notes = finished(photographs, tmp_path, PRETRAINED.but(test=0.2, validation=0.2), judge=False)
    assert sum("half the learning rate" in says for says in notes) == MAX_ROLLBACKS
    (end,) = [says for says in notes if says.startswith("fine-tuning ends at step 2: the loss is not a finite number")]
    assert "lost-batch.csv" in end
    final = run.info().final
    assert final is not None and final.kind == "frozen"


@pytest.mark.parametrize("where", ["fold", pytest.param("all", marks=pytest.mark.soak)])
def test_folds_fall_back_on_the_first_model(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A fold that is lost, or the training on all images after folds that were not."""
    place = {"fold": (1, 0), "all": (2, 1)}[where]  # (steps in all, done): 24 images in batches of 22, or 17 in one
    monkeypatch.setattr(fold_tuning, "choose_tuned", Preferring([True, True, True], is_better=True))
    losing(monkeypatch, lambda state: (state.steps, state.step) == place)
    run, notes = finished(photographs, tmp_path, PRETRAINED.but(folds=3, flip="yes", batch=22), judge=False)
    wanted = "no fine-tuning: without fold 0, the loss" if where == "fold" else "fine-tuning ends at step 2"
    assert any(says.startswith(wanted) for says in notes), "\n".join(notes)
    final = run.info().final
    assert final is not None and final.kind == "frozen" and (run.info().steps == 0) == (where == "fold")
    assert not list(run.snapshots.glob("fold-*")), "networks that judge nothing"


def test_too_little_memory_is_told_and_changes_no_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same network as with --accumulate 2, to the bit."""
    recipe = Recipe.of(model="cnn", epochs=2, batch=8, image_size=16, device="cpu", precision="fp32")
    data = noise(tmp_path / "data", a=24, b=24)
    asked, _ = finished(data, tmp_path / "asked", recipe.but(batch=4, accumulate=2))
    real = losses.loss_function

    def narrow(recipe: Recipe) -> losses.LossFn:
        def loss_fn(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            if len(batch[0]) > 4:
                raise MemoryError
            return real(recipe)(model, batch)

        return loss_fn

    monkeypatch.setattr(loop, "loss_function", narrow)
    run, notes = finished(data, tmp_path / "runs", recipe)
    assert sum("the memory does not suffice for" in says for says in notes) == 1
    assert "the memory does not suffice" in html_of(run)
    weights = [one.snapshots / "best.safetensors" for one in (asked, run)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_no_memory_for_two_images_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = noise(tmp_path / "data", a=24, b=24)
    run, dataset, _ = prepare(str(data), Recipe.of(model="cnn", epochs=2, batch=8, image_size=16), tmp_path / "runs")

    def none(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        raise MemoryError

    monkeypatch.setattr(loop, "loss_function", lambda recipe: none)
    with pytest.raises(TrainingError, match="L602"):
        list(train(run, dataset))
    assert not run.working()
