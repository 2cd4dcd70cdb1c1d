"""Lab 1: the first trainings, curves, rates, overfitting, checkpoints."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from tests.labs.lab import LAB, NETWORKS, Train, by_heart, history
from tests.runner import limpide


def test_h10_h12_h14_curves_a_test_score_and_the_memory_it_takes(mnistnet: tuple[Run, str]) -> None:
    run, said = mnistnet
    of = history(run)
    assert of["epoch"] == list(range(1, 11)) and of["training_loss"][-1] < 0.5 * of["training_loss"][0]
    assert of["training_accuracy"][-1] > 0.9 and of["validation_accuracy"][-1] > 0.8
    accuracy = run.finding("accuracy")
    assert accuracy is not None and accuracy.number("accuracy").value > 0.8
    assert "learning rate of at most 0.1" in said and re.search(r"\d.MB of memory", said)


def test_h11_a_training_on_a_card_that_is_not_there_is_one_line(train: Train, place: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one: limpide ablate digits device=cpu,cuda prints both times")
    said = limpide("train", "digits", "--device", "cuda", cwd=place, status=None)
    assert said.returncode == 2 and "L105" in said.stderr


def test_h13_overfitting_is_named_with_the_epoch_where_it_turned(train: Train, noise: Path) -> None:
    run, said = by_heart(train, noise, "--keep", "last")
    losses, own = history(run)["validation_loss"], history(run)["training_loss"]
    assert own[-1] < 0.5 * own[0] and losses[-1] > losses[int(np.argmin(losses))]
    turned = int(np.argmin(losses)) + 2
    finding = run.finding("diagnosis")
    assert finding is not None and finding.verdict == "warn"
    assert f"it overfits from epoch {turned} on" in str(finding) and f"overfits from epoch {turned} on" in said


def test_h15_a_rate_that_is_far_too_high_is_named(train: Train) -> None:
    words = ("--model", f"{NETWORKS}:mnistnet", "--epochs", "2", "--lr", "10", "--batch", "64")
    run, said = train("digits", *words, "--schedule", "constant", *LAB)
    assert "with half the learning rate" in said and "The loss ran away" in said
    finding = run.finding("diagnosis")
    assert finding is not None and {"divergence", "large rate"} & set(finding.data["faults"])


def test_h17_the_log_is_a_table_and_epochs_4_and_5_come_back(mnistnet: tuple[Run, str], place: Path) -> None:
    run, _ = mnistnet
    wanted = (
        "epoch steps seconds learning_rate training_loss training_accuracy validation_loss validation_accuracy best"
    )
    assert list(history(run)) == wanted.split()
    files = []
    for epoch in (4, 5):
        file = place / f"epoch-{epoch}.onnx"
        limpide("export", run.path, file, "--epoch", epoch, cwd=place)
        files.append(file)
    assert files[0].read_bytes() != files[1].read_bytes()
    assert Predictor(files[0]).classes == Predictor(run.model_file).classes
    assert sum(history(run)["best"]) >= 1 and (run.snapshots / "best.safetensors").is_file()
