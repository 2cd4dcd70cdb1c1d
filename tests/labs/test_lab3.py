"""Lab 3: descent on a bowl, schedules, the gallery of mistakes, initial weights."""

from __future__ import annotations

import re

import numpy as np
import pytest

from limpide.core.run import Run
from limpide.ladder.optimizers import SGD, Momentum, Nesterov
from tests.labs.lab import LAB, NETWORKS, Train, history, statistics

H = np.array([[2.6, 1.4347], [1.4347, 2.6]])  # its largest eigenvalue is that of the lab, 4.0347
LOWEST = np.array([1.7586, -2.8966])


@pytest.mark.parametrize(("rate", "falls"), [(0.49, True), (0.5, False)])
def test_h23_descent_is_stable_below_two_over_the_largest_curvature(rate: float, falls: bool) -> None:
    assert np.linalg.eigvalsh(H)[-1] == pytest.approx(4.0347) and 0.49 < 2 / 4.0347 < 0.5
    w, rule = np.zeros(2), SGD(rate)
    for _ in range(500):
        w = rule.step(w, H @ (w - LOWEST))
    assert (np.abs(w - LOWEST).max() < 0.2) == falls


def test_h23_momentum_and_nesterov_reach_it_too() -> None:
    for rule in (Momentum(0.1, 0.7), Nesterov(0.1, 0.7)):
        w = np.zeros(2)
        for _ in range(200):
            w = rule.step(w, H @ (w - LOWEST))
        assert w == pytest.approx(LOWEST, abs=1e-6)


def test_h25_the_rates_of_the_history_are_those_of_the_formula(mnistnet: tuple[Run, str]) -> None:
    rates = history(mnistnet[0])["learning_rate"]
    assert rates == pytest.approx([0.1 * 0.8**k for k in range(10)], rel=1e-12)
    assert 0.1 * rates[-1] == pytest.approx(0.00134, abs=5e-6), "the lab begins at 0.01"


def test_h27_the_gallery_shows_the_surest_mistakes_and_the_hardest_class(mnistnet: tuple[Run, str]) -> None:
    run, _ = mnistnet
    with np.load(run.predictions / "test.npz") as found:
        probabilities, truth, files = found["probabilities"], found["truth"], found["files"].astype(str)
    named, sure = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(named != truth)
    gallery, hardest = run.finding("mistakes"), run.finding("classes")
    assert gallery is not None and hardest is not None and len(wrong) > 2
    shown = [picture.probability for picture in gallery.pictures]
    assert shown == pytest.approx(np.sort(sure[wrong])[::-1][: len(shown)], abs=1e-6)
    assert {picture.file for picture in gallery.pictures} <= set(files[wrong].tolist())
    recall = [float((named == truth)[truth == k].mean()) for k in range(10)]
    assert re.search(rf"{100 * min(recall):.1f}", str(hardest)), "easiest and hardest are rows of its table, too"
    cells = run.finding("confusion")
    assert cells is not None and any(picture.label == picture.predicted for picture in cells.pictures)


@pytest.mark.parametrize(("network", "kept"), [("deep_tanh", "xavier"), ("deep_relu", "kaiming")])
def test_h28_initial_weights_decide_whether_the_gradients_reach_the_first_layers(
    train: Train, network: str, kept: str
) -> None:
    found = {}
    for init in (kept, "normal"):
        words = ("--epochs", "1", "--lr", "0.01", "--batch", "64", "--init", init)
        run, _ = train("digits", "--model", f"{NETWORKS}:{network}", *words, *LAB)
        found[init] = [one["gradient"] for one in statistics(run, 1).values()]
    assert max(found[kept][1:-1]) < 10 * min(found[kept][1:-1]), (
        "Glorot & Bengio 2010 for tanh, He et al. 2015 for ReLU"
    )
    assert max(found["normal"][1:-1]) < 1e-6 * min(found[kept][1:-1]), "0.01 is far too small for ten layers"
