"""Two images a class: a model, and no share of no images anywhere."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import pytest

from limpide.audit.diagnosis import TrainingRecord, diagnose
from limpide.core.events import Epoch, Note
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.report.html.run_data import history
from limpide.report.terminal.progress import Screen
from tests.quick_judge import quick_judge
from tests.workflows.train.test_parts import noise, trained


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """The run, and all that a terminal shows of it."""
    data = noise(tmp_path_factory.mktemp("few") / "data", a=2, b=2)
    run, _ = trained(data)
    screen, shown = Screen(), io.StringIO()
    screen.console.file = shown
    for event in run.events():
        screen._show(event, bar=_Bar(), run=run)
    screen.report(run)
    return run, shown.getvalue()


class _Bar:
    tasks: list[object] = []

    def add_task(self, *_: object, **__: object) -> None: ...


def test_nothing_is_said_of_the_share_of_no_images(few: tuple[Run, str]) -> None:
    run, shown = few
    epochs = [event for event in run.events() if isinstance(event, Epoch)]
    assert epochs and not any(epoch.validated for epoch in epochs)
    for words in ("validation accuracy", "0 images gave", "0 images are too few", "% of 0"):
        assert words not in " ".join(shown.split()), words
        assert words not in run.report_file.read_text()
    assert history(run.events()).validation_accuracy == []
    assert any(
        "no image to fit a temperature on" in str(event.message) for event in run.events() if isinstance(event, Note)
    )


def test_one_pass_without_validation_is_no_success() -> None:
    epoch = Epoch(0, 10, 0.7, 0.7, 0.0, True, 1.0)
    assert diagnose(TrainingRecord([0.7] * 4, [epoch], kept="trained"))[0].verdict == "unknown"
    assert Epoch(0, 10, 0.7, 0.7, 0.5, True, 1.0).validated and Epoch(0, 10, 0.7, 0.8, 0.0, True, 1.0).validated


def test_the_small_class_is_named(tmp_path: Path) -> None:
    data = noise(tmp_path / "data", a=20, b=2)
    with quick_judge():
        _, notes = trained(data)
    assert any("b" in note and "2" in note and "uncertain" in note for note in map(str, notes)), notes


def test_as_many_classes_as_images_to_learn_from(tmp_path: Path) -> None:
    """Two images a class: one to learn from, one to test on. No library warns, and nothing is learned that nobody could
    judge.
    """
    data = noise(tmp_path / "data", **{f"class{k}": 2 for k in range(10)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run, notes = trained(data, recipe=Recipe(model="efficientnet_lite0", image_size=32, batch=8, epochs=3))
    said = " ".join(map(str, notes))
    assert (
        "no fine-tuning, though epochs were asked for (3): there is no validation image to judge it by, so the "
        "first model is kept"
    ) in said
    assert (
        "concern fine-tuning and played no part in it" in run.report_file.read_text()
        and "not kept" not in run.report_file.read_text()
    )
    assert "mirror" not in said and "fewer epochs than the usual" not in said
    assert "0.0 %" not in said and "Nothing was learned" not in said
    assert "10 of 10 classes have fewer than 10 usable images; class0 has the fewest, only 2" in said
    info = run.info()
    assert (
        info.steps == 0
        and info.final is not None
        and info.final.kind == "frozen"
        and "fine-tuning" not in info.left_out
    )
    assert "no validation image to choose by" in str(run.finding("training"))
