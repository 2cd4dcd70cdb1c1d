"""A training that takes far longer than quoted stops with a checkpoint, and the same command goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from make_images import photo_folder

from limpide.errors import TrainingError
from limpide.events import Event, Progress
from limpide.recipe import Recipe
from limpide.training import quote
from limpide.training.checkpoint import load_checkpoint
from limpide.workflows.phases import fit
from limpide.workflows.train import prepare, train


def test_it_stops_saves_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photo_folder(tmp_path / "shapes", per_class=8, size=(16, 16))
    recipe = Recipe(model="cnn", image_size=16, batch=8, time=60, epochs=4)
    with monkeypatch.context() as patch:
        patch.setattr(quote, "probe", lambda *_: quote.Speed(1e-9, 1e-9))  # a quote of nothing at all
        patch.setattr(fit, "SLACK", 0.0)
        run, dataset, _ = prepare(str(folder), recipe, tmp_path / "runs")
        before: list[str] = []
        with pytest.raises(TrainingError) as stopped:
            before.extend(told(train(run, dataset)))
    assert stopped.value.code == "L602" and run.info().status == "stopped"
    saved = load_checkpoint(run.checkpoints)
    assert saved is not None and 1 <= saved.numbers["step"] < run.info().steps
    again, dataset, continued = prepare(str(folder), recipe, tmp_path / "runs")
    assert continued and again.path == run.path
    after = list(told(train(again, dataset)))
    assert again.info().status == "finished" and again.report_file.exists()
    assert before == [*BEGINNING, "preparing the training"]
    simpler = [phase for phase in after if phase.startswith("trying simpler models: ")]
    assert len(simpler) == 4 and "trying simpler models: random forest on pixels" in simpler, "each by its name"
    assert [phase for phase in after if phase not in (*simpler, IN_TIME)] == END


def told(events: Iterator[Event]) -> Iterator[str]:
    """The phases that a watcher reads, one after the other."""
    last = ""
    for event in events:
        if isinstance(event, Progress) and str(event.phase) != last:
            yield (last := str(event.phase))


IN_TIME = "scoring a pretrained network with a linear layer"  # where fitting it left any
# What takes more than a moment is said before it begins, all along a training.
BEGINNING = ["looking at some of the images", "reading images", "checking the images", "deciding which image serves for what", "timing a few steps"]
END = [
    "checking the images",
    "preparing the training",
    "looking at the validation images",
    "choosing the best weights",
    "calibrating the probabilities",
    "writing the model file",
    "comparing the model file with the network",
    "opening the model file",
    "looking at the test images",
    "weighing its answers",
    "timing the model file",
    "preparing the images for simpler models",
    "opening one unit",
    "asking whether one small place decides a class",
    "writing the report",
]
