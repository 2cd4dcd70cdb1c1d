"""--time ends with a judged model and a report however slow the machine is; the clock is the test's, so nothing here
waits.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from limpide.baselines.baseline import Scores
from limpide.baselines.saved import load_scores, save_scores
from limpide.core.events import Epoch, Event, Note, Progress, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.training import checkpoint
from limpide.training.checkpoint import load_checkpoint
from limpide.workflows.train import control, deadline, estimate, fit
from limpide.workflows.train.deadline import FINE_TUNING, TIME, Plan, plans_of
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder
from tests.runner import events_of

TINY = Recipe(model="cnn", image_size=16, batch=8, precision="fp32")


class Slow:
    """A machine on which each training step takes so many seconds; everything else takes none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: float, stalls: int = 0) -> None:
        """stalls: the step at which it stands still for an hour."""
        self.seconds, self.step, self.stalls, self._fit = 0.0, step, stalls, fit.fit
        monkeypatch.setattr(deadline, "now", lambda: self.seconds)
        monkeypatch.setattr(fit, "fit", self._slowly)
        monkeypatch.setattr(estimate.timing, "time_steps", lambda *_: estimate.timing.StepTime(0.01, 0.001))
        monkeypatch.setattr(estimate, "_score_seconds", lambda *_: 6.0)
        monkeypatch.setattr(estimate, "seconds_of", lambda _: {"simpler": 3.0, "inside": 1.0, "shortcut": 1.0})

    def _slowly(self, *arguments: object, **options: object) -> Iterator[Step | Epoch]:
        events = self._fit(*arguments, **options)  # type: ignore[arg-type]
        try:
            for event in events:
                if isinstance(event, Step):
                    self.seconds += 3600 if event.n == self.stalls else self.step
                yield event
        finally:
            events.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("time") / "shapes", per_class=24, size=(16, 16))


def notes(run: Run) -> list[str]:
    return [str(event.message) for event in run.events() if isinstance(event, Note)]


def steps_of(run: Run) -> int:
    return max(event.n for event in run.events() if isinstance(event, Step))


def test_a_slow_machine_trains_less_and_judges(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, step=2.0)
    run, dataset, _ = prepare(str(shapes), TINY.but(time=60, epochs=40), tmp_path)
    for _event in train(run, dataset):
        pass
    info = run.info()
    assert info.status == "finished" and run.report_file.exists() and run.finding("accuracy") is not None
    assert info.steps > 100 and 15 <= steps_of(run) <= 30, "as many as two seconds each have room for"
    assert slow.seconds <= 60
    last = plans_of(info)[-1]
    assert last.why == TIME and last.steps == steps_of(run) and any("at this pace" in text for text in notes(run))
    lrs = [event.lr for event in run.events() if isinstance(event, Step)]
    assert lrs[-1] < max(lrs) / 3, "the rate comes down before the end: fewer steps were planned in time"
    training = run.finding("training")
    assert training is not None and "its time was up" in str(training.message)


def test_when_no_time_is_left_the_network_is_judged_after_one_step(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch, step=1000.0)
    run, dataset, _ = prepare(str(shapes), TINY.but(time=30, epochs=4), tmp_path)
    for _event in train(run, dataset):
        pass
    assert steps_of(run) == 1 and slow.seconds == 1000 and run.info().status == "finished"
    assert [event.step for event in run.events() if isinstance(event, Epoch)] == [1], (
        "scored on validation as it stands"
    )
    assert {"simpler models", "a look inside", "search for a small area that decides"} <= set(run.info().left_out)
    left_out = run.finding("left_out")
    assert left_out is not None and "simpler models" in str(left_out.message) and "30" in str(left_out.message)
    assert run.finding("simpler") is None and run.finding("shortcut") is None and run.finding("accuracy") is not None
    assert "Left out for lack of time" in run.report_file.read_text()


def test_however_little_is_left_a_network_from_scratch_learns_for_a_fifth_of_the_time(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch, step=1.0)
    monkeypatch.setattr(estimate, "_score_seconds", lambda *_: 100.0)
    run, dataset, _ = prepare(str(shapes), TINY.but(time=40), tmp_path)
    for _event in train(run, dataset, judge=False):
        pass
    assert 7 <= steps_of(run) <= 9 and slow.seconds <= 9


def test_a_resume_does_what_was_decided_and_not_what_its_clock_says(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second session has all the time in the world, and still comes to the bits of the first."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    recipe = TINY.but(time=60, epochs=40)
    with monkeypatch.context() as patch:
        Slow(patch, step=2.0, stalls=20)
        whole, dataset, _ = prepare(str(shapes), recipe, tmp_path / "whole")
        for _event in train(whole, dataset, judge=False):
            pass
    assert plans_of(whole.info())[-1] == Plan(20, 20, TIME)
    with monkeypatch.context() as patch:
        slow = Slow(patch, step=2.0, stalls=20)
        cut, dataset, _ = prepare(str(shapes), recipe, tmp_path / "cut")
        events = train(cut, dataset, judge=False)
        # it is written down, and its note is being said
        next(event for event in events if plans_of(cut.info())[-1:] == [Plan(20, 20, TIME)])
        slow.seconds = 0.0
        saved = {file: file.read_bytes() for file in sorted(cut.checkpoints.glob("step-*"))}
        events.close()  # type: ignore[attr-defined]
        for file in cut.checkpoints.glob("step-*"):
            file.unlink()
        min(saved).write_bytes(saved[min(saved)])  # as if it had been killed before
        restored = load_checkpoint(cut.checkpoints)
        assert restored is not None and restored.numbers["step"] < 20
    again, dataset, continued = prepare(str(shapes), recipe, tmp_path / "cut")
    assert continued
    for _event in train(again, dataset, judge=False):
        pass
    assert again.info().plans == whole.info().plans and steps_of(again) == 20
    assert events_of(again.path) == events_of(whole.path)
    weights = [run.snapshots / "best.safetensors" for run in (whole, again)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.parametrize("asked", [60, None])
def test_while_a_watcher_makes_it_wait_no_time_is_used_up(
    asked: float | None, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch, step=0.1)
    run, dataset, _ = prepare(str(shapes), TINY.but(time=asked, epochs=2, patience=9), tmp_path)
    waits = itertools.count(1)

    def an_hour(_: float) -> None:
        slow.seconds += 3600
        if next(waits) == 2:
            run.add_line(run.control_file, {"do": "go"})

    monkeypatch.setattr(control, "time", SimpleNamespace(sleep=an_hour, monotonic=time.monotonic))
    told = []
    for event in train(run, dataset, judge=asked is not None):  # without a time nothing is left out
        told.append(event)
        if isinstance(event, Step) and event.n == 3:
            run.add_line(run.control_file, {"do": "pause"})
    info = run.info()
    assert slow.seconds >= 7200 and info.status == "finished" and not info.plans and not info.left_out
    assert info.fit_seconds == pytest.approx(0.1 * steps_of(run)) and info.seconds is not None and info.seconds < 60
    assert not any("slower" in str(event.message) for event in told if isinstance(event, Note)), (
        "nobody is told that the machine is slow"
    )


def test_without_a_time_a_slow_machine_changes_the_estimate_and_not_the_training(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for step in (0.01, 100.0):
        with monkeypatch.context() as patch:
            Slow(patch, step=step)
            run, dataset, _ = prepare(str(shapes), TINY.but(epochs=3, patience=9), tmp_path / str(step))
            said = [str(event.message) for event in train(run, dataset, judge=False) if isinstance(event, Note)]
        renewed = [text for text in said if text.startswith("slower than when it was timed")]
        assert len(renewed) == (0 if step < 1 else 1), "said once for as long as it holds"
        assert not any("slower" in text for text in notes(run)), "it is of the clock alone, so it is shown and not kept"
        assert not run.info().plans and not run.info().left_out
        found.append((run.snapshots / "best.safetensors").read_bytes())
    assert found[0] == found[1]


def test_a_quote_that_is_made_again_decides_again_and_half_a_checkpoint_goes(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a busier machine had been quoted, and the process ended before that was entered."""
    Slow(monkeypatch, step=0.1)
    run, dataset, _ = prepare(str(shapes), TINY.but(time=60, epochs=1), tmp_path)
    run.update(left_out=[FINE_TUNING])
    half = run.checkpoints / ".step-00000009-000000.safetensors.1.tmp"
    half.write_bytes(b"half")
    for _event in train(run, dataset, judge=False):
        pass
    assert run.info().left_out == () and steps_of(run) > 0 and not half.exists()


def test_fine_tuning_for_which_there_is_no_time_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photo_folder(tmp_path / "shapes", per_class=8, size=(32, 32), classes=("disc", "square"))
    Slow(monkeypatch, step=1e6)
    recipe = Recipe(model="efficientnet_lite0", image_size=32, batch=8, precision="fp32", flip="no", time=1)
    run, dataset, _ = prepare(str(folder), recipe, tmp_path / "runs")
    for _event in train(run, dataset, judge=False):
        pass
    info = run.info()
    assert info.status == "finished" and info.final.kind == "frozen" and info.left_out == (FINE_TUNING,)
    assert not any(isinstance(event, Step) for event in run.events()) and run.model_file.exists()


def test_a_judging_that_is_cut_short_does_not_begin_anew(shapes: Path, tmp_path: Path) -> None:
    run, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    first = told_until(train(run, dataset), "opening one unit")
    assert "classifying the test images" in first and run.info().test_looks == 1 and run.finding("simpler") is not None
    before = essence_of_findings(run, "simpler")
    again, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    second = list(told(train(again, dataset)))
    assert "classifying the test images" not in second and not [
        text for text in second if text.startswith("trying simpler")
    ]
    assert (
        again.info().status == "finished"
        and again.info().test_looks == 1
        and essence_of_findings(again, "simpler") == before
    )
    assert again.finding("left_out") is None, "without --time nothing is left out"


def test_a_comparison_that_is_cut_short_goes_on_with_the_next(shapes: Path, tmp_path: Path) -> None:
    run, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    told_until(train(run, dataset), "trying simpler models: similar-image vote (k-NN on pixels)")
    assert run.finding("simpler") is None
    again, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    second = [phase for phase in told(train(again, dataset)) if phase.startswith("trying simpler")]
    assert len(second) == 2 and not any("logistic" in phase or "forest" in phase for phase in second)
    simpler = again.finding("simpler")
    assert simpler is not None and simpler.table is not None and len(simpler.table.rows) == 6, (
        "the network, the majority, and all four"
    )


@pytest.mark.parametrize(
    "phase",
    ["examining some of the images", "timing a few steps", "writing the model file", "classifying the test images"],
)
def test_the_time_of_a_phase_that_was_stopped_counts(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    """What a continued run says it took, and what is left of the time that was asked for."""
    run, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    late, now = 0.0, deadline.now
    monkeypatch.setattr(deadline, "now", lambda: now() + late)
    steps = train(run, dataset)
    for event in steps:
        if isinstance(event, Progress) and str(event.phase) == phase:
            late = 1000.0
            steps.close()  # type: ignore[attr-defined]
    assert 1000 <= run.info().spent < 1100
    again, dataset, continued = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    list(train(again, dataset))
    assert continued and 1000 <= (again.info().seconds or 0) < 1200


def test_scores_of_a_comparison_that_was_begun_are_told_even_if_no_time_is_left(shapes: Path, tmp_path: Path) -> None:
    recipe = TINY.but(epochs=1, time=120)
    run, dataset, _ = prepare(str(shapes), recipe, tmp_path)
    told_until(train(run, dataset), "trying simpler models: random forest on pixels")
    assert run.info().rivals and run.finding("simpler") is None
    again, dataset, _ = prepare(str(shapes), recipe, tmp_path)
    list(train(again, dataset, started=10_000.0))
    simpler = again.finding("simpler")
    assert simpler is not None and simpler.table is not None and simpler.verdict != "ok"
    assert [str(row[0]) for row in simpler.table.rows[1:]].count("logistic regression on pixels") == 1
    assert any("There was no time for random forest on pixels" in str(line) for line in simpler.details)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive"])
def test_a_kept_model_comes_back_or_is_made_again(tmp_path: Path, damage: bytes) -> None:
    scores = Scores(np.array([True, False, True]), np.array([0, 2, 5]), 60, 0.5, None, 800, None, 40)
    save_scores(tmp_path, "forest", scores)
    back = load_scores(tmp_path, "forest", 6)
    assert back is not None and back.right.dtype == bool and vars(back).keys() == vars(scores).keys()
    assert all(np.array_equal(value, getattr(back, name)) for name, value in vars(scores).items())
    assert load_scores(tmp_path, "forest", 5) is None, "of another test part"
    assert load_scores(tmp_path, "logistic", 6) is None
    (tmp_path / "rival-forest.npz").write_bytes(damage)
    assert load_scores(tmp_path, "forest", 6) is None


def test_what_takes_more_than_a_moment_is_said_before_it_begins(shapes: Path, tmp_path: Path) -> None:
    run, dataset, _ = prepare(str(shapes), TINY.but(epochs=1), tmp_path)
    found = list(told(train(run, dataset)))
    simpler = [phase for phase in found if phase.startswith("trying simpler models: ")]
    assert len(simpler) == 4 and "trying simpler models: random forest on pixels" in simpler, "each by its name"
    assert [phase for phase in found if phase not in (*simpler, *FROZEN, AVERAGING)] == BEGINNING + END


def told_until(events: Iterator[Event], phase: str) -> list[str]:
    found = list(itertools.takewhile(lambda text: text != phase, told(events)))
    events.close()  # type: ignore[attr-defined]
    return found


def essence_of_findings(run: Run, name: str) -> dict[str, object]:
    finding = run.finding(name)
    assert finding is not None
    return finding.to_json()


def told(events: Iterator[Event]) -> Iterator[str]:
    """The phases that a watcher reads, one after the other."""
    last = ""
    for event in events:
        if isinstance(event, Progress) and str(event.phase) != last:
            yield (last := str(event.phase))


AVERAGING = "averaging the answers about images and their mirror images"
FROZEN = ("computing the features of a pretrained network", "scoring a pretrained network with a linear layer")
# What takes more than a moment is said before it begins, all along a training.
BEGINNING = [
    "examining some of the images",
    "reading images",
    "checking the images",
    "splitting the images",
    "timing a few steps",
]
END = [
    "preparing the training",
    "evaluating on the validation images",
    "choosing the best weights",
    "calibrating the probabilities",
    "recording what the training images look like",
    "writing the model file",
    "comparing the model file with the network",
    "opening the model file",
    "classifying the test images",
    "evaluating its answers",
    "timing the model file",
    "preparing the images for simpler models",
    "opening one unit",
    "searching for a small area that decides a class",
    "writing the report",
]
