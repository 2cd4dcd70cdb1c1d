"""Lab 4: penalties, early stopping, dropout."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from limpide.audit.early_stopping import EarlyStop, stop_early
from limpide.core.events import Epoch
from limpide.deploy.predictor import Predictor
from limpide.workflows.export import export
from tests.labs.lab import LAB, NETWORKS, Train, by_heart, epochs_of, history, statistics
from tests.make_images import photo_folder


@pytest.mark.parametrize("penalty", [("--weight-decay", "0.02"), ("--l1", "0.001")])
def test_h29_h30_penalties_make_weights_smaller(train: Train, penalty: tuple[str, str]) -> None:
    words = ("--model", "mlp", "--epochs", "8", "--lr", "0.1", "--batch", "32", "--schedule", "constant", *LAB)
    found = []
    for more in ((), penalty):
        run, said = train("digits", *words, *more)
        found.append(statistics(run, list(run.lines(run.stats_file))[-1]["step"])["hidden.0.weight"])
    (without, penalized), n = found, sum(found[0]["counts"])
    assert penalized["norm"] ** 2 / n < 0.8 * without["norm"] ** 2 / n, "the variance of the weights, about 0"
    assert max(-penalized["low"], penalized["high"]) < max(-without["low"], without["high"])
    assert ("L1 penalty" in said) == (penalty[0] == "--l1")


def of(*scores: tuple[float, float]) -> list[Epoch]:
    """(accuracy, loss) on validation of each epoch."""
    return [Epoch(k, k, 0.0, loss, accuracy, False, 0.0) for k, (accuracy, loss) in enumerate(scores)]


def test_h31_what_any_patience_would_have_kept_of_a_recorded_history() -> None:
    epochs = of((0.5, 2), (0.6, 1), (0.5, 1), (0.6, 0.9), (0.4, 1), (0.4, 1), (0.4, 1), (0.7, 1))
    kept = {p: stop_early(epochs, p) for p in (1, 2, 3, 4, 5, 10)}
    assert kept[1] == EarlyStop(1, 3, 2, 0.6, 1, stopped=True)
    assert kept[2] == EarlyStop(2, 6, 4, 0.6, 0.9, stopped=True), "equal accuracy, lower loss"
    assert kept[3] == EarlyStop(3, 7, 4, 0.6, 0.9, stopped=True)
    assert [kept[p] for p in (4, 5, 10)] == [EarlyStop(p, 8, 8, 0.7, 1, stopped=False) for p in (4, 5, 10)]
    with pytest.raises(ValueError, match="patience"):
        stop_early(epochs, 0)
    with pytest.raises(ValueError, match="epoch"):
        stop_early([], 1)


def test_h31_h32_a_training_with_patience_stops_where_the_history_says(train: Train, noise: Path) -> None:
    whole, _ = by_heart(train, noise, "--patience", "15")
    stopped, _ = by_heart(train, noise, "--patience", "3")
    epochs, until = epochs_of(whole), epochs_of(stopped)
    expected = stop_early(epochs, 3)
    assert expected.stopped and len(until) == expected.epochs < len(epochs)
    assert max(event.n for event in until if event.best) + 1 == expected.kept
    final = stopped.info().final
    assert final is not None and final.validation == expected.accuracy


def test_h33_training_accuracy_is_measured_without_dropout(train: Train, place: Path) -> None:
    photos = photo_folder(place / "photos", per_class=30, size=(16, 16))
    words = ("--model", f"{NETWORKS}:mlp_100", "--image-size", "16", "--epochs", "3", "--batch", "16", "--lr", "0.05")
    run, said = train(photos, *words, "--dropout", "0.6", "--keep", "all", "--folds", "0", *LAB)
    assert "dropout: 60.0" in said
    with open(run.split_file, newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["part"] == "train"]
    predictor = Predictor(export(str(run.path), place, epoch=3))
    opened = [predictor.preprocessing.opened((photos / row["file"]).read_bytes())[0] for row in rows]
    named = predictor.probabilities(opened).argmax(1)
    right = np.mean([predictor.classes[k] == row["label"] for k, row in zip(named, rows, strict=True)])
    assert len(rows) < 500 and history(run)["training_accuracy"][2] == pytest.approx(right)
