"""What the tests of the labs share: their networks, their recipe, and how a run is read."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from limpide.core.events import Epoch
from limpide.core.run import Run

ROOT = Path(__file__).parents[2]
NETWORKS = "experiments.lab_networks"
LAB = ("--optimizer", "sgd", "--augment", "none", "--label-smoothing", "0", "--device", "cpu")
Train = Callable[..., tuple[Run, str]]  # limpide train … → its run, and what it printed


def by_heart(train: Train, noise: Path, *words: str) -> tuple[Run, str]:
    fixed = ("--model", "mlp", "--folds", "0", "--image-size", "8", "--epochs", "15", "--batch", "16", "--lr", "0.003")
    return train(noise, *fixed, "--optimizer", "adam", "--schedule", "constant", "--augment", "none", *words)


def history(run: Run) -> dict[str, list[float]]:
    with open(run.path / "history.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def epochs_of(run: Run) -> list[Epoch]:
    return [event for event in run.events() if isinstance(event, Epoch)]


def statistics(run: Run, step: int) -> dict[str, dict[str, Any]]:
    """Of the weights of each layer, but not of the biases."""
    (line,) = [line for line in run.lines(run.stats_file) if line["step"] == step]
    return {name: one for name, one in line["parameters"].items() if name.endswith("weight")}
