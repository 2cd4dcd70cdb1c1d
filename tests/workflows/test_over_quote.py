"""A training that takes far longer than quoted stops with a checkpoint, and the same command goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest
from make_images import photo_folder

from limpide.errors import TrainingError
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
        with pytest.raises(TrainingError) as stopped:
            list(train(run, dataset))
    assert stopped.value.code == "L602" and run.info()["status"] == "stopped"
    saved = load_checkpoint(run.checkpoints)
    assert saved is not None and 1 <= saved.numbers["step"] < run.info()["steps"]
    again, dataset, continued = prepare(str(folder), recipe, tmp_path / "runs")
    assert continued and again.path == run.path
    list(train(again, dataset))
    assert again.info()["status"] == "finished" and again.report_file.exists()
