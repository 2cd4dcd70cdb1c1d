"""Lab 2: gradients through ten layers."""

from __future__ import annotations

import pytest

from limpide.core.events import Step
from tests.labs.lab import LAB, NETWORKS, Train, statistics


@pytest.mark.parametrize("network", ["deep_tanh", "deep_relu"])
def test_h20_h28_gradients_of_each_of_ten_layers_before_training_and_after(train: Train, network: str) -> None:
    run, _ = train("digits", "--model", f"{NETWORKS}:{network}", "--epochs", "2", "--lr", "0.1", "--batch", "64", *LAB)
    (steps,) = [int(line["step"]) for line in list(run.lines(run.stats_file))[-1:]]
    for step in (1, steps):  # the gradients of the first step are those of the initial weights
        layers = statistics(run, step)
        assert len(layers) == 11
        zeros = [one["gradients"]["zeros"] / sum(one["gradients"]["counts"]) for one in list(layers.values())[1:]]
        assert (max(zeros) == 0) == (network == "deep_tanh"), "ReLU silences units, tanh does not"
        for one in layers.values():
            assert one["gradients"]["low"] < 0 < one["gradients"]["high"] and one["low"] < 0 < one["high"]


def test_h21_two_loss_curves_of_tanh_and_relu(train: Train) -> None:
    curves = []
    for network in ("deep_tanh", "deep_relu"):
        words = ("--epochs", "2", "--lr", "0.1", "--batch", "64", *LAB)
        run, _ = train("digits", "--model", f"{NETWORKS}:{network}", *words)
        curves.append([event.loss for event in run.events() if isinstance(event, Step)])
    assert len(curves[0]) == len(curves[1]) > 20 and curves[0] != curves[1]
