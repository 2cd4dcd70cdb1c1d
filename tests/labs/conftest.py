"""Trainings that several tests of the labs look at."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.run import Run
from tests.labs.lab import LAB, NETWORKS, ROOT, Train
from tests.runner import QUICKLY, limpide


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labs")


@pytest.fixture(scope="package")
def train(place: Path) -> Train:
    """limpide train … → (its run, what it printed); the same words train once."""
    done: dict[tuple[object, ...], tuple[Run, str]] = {}

    def trained(*words: object, status: int = 0) -> tuple[Run, str]:
        if words not in done:
            runs = f"runs-{len(done)}"
            said = limpide(
                "train", *words, "--runs", runs, cwd=place, program=QUICKLY, status=status, PYTHONPATH=str(ROOT)
            )
            done[words] = Run.all_in(place / runs)[-1], said.stdout + said.stderr
        return done[words]

    return trained


@pytest.fixture(scope="package")
def mnistnet(train: Train) -> tuple[Run, str]:
    """The net and the recipe of lab 1 on small digits, with the schedule of lab 3."""
    words = (
        "--epochs",
        "10",
        "--patience",
        "10",
        "--lr",
        "0.1",
        "--batch",
        "16",
        "--schedule",
        "exponential:0.8",
        "--keep",
        "all",
    )
    return train("digits", "--model", f"{NETWORKS}:mnistnet", *words, *LAB)


@pytest.fixture(scope="package")
def noise(place: Path) -> Path:
    """A table of images whose labels mean nothing: all that can be learned is by heart."""
    random, table = np.random.default_rng(0), place / "noise.csv"
    (place / "noise").mkdir()
    with open(table, "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "label"))
        for k in range(120):
            Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(place / "noise" / f"{k}.png")
            rows.writerow((f"noise/{k}.png", "ab"[k % 2]))
    return table
