"""The six optimisers against torch's, and the race that tells them apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from limpide.ladder.optimizers import SGD, Adagrad, Adam, Momentum, Nesterov, Optimizer, RMSprop
from limpide.ladder.race import RACERS, SURFACES, race

TORCH: dict[str, tuple[Optimizer, Callable]] = {
    "SGD": (SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (Momentum(0.1), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "Nesterov": (Nesterov(0.1), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    "Adagrad": (Adagrad(0.1), lambda p: torch.optim.Adagrad(p, 0.1)),
    "RMSprop": (RMSprop(0.1), lambda p: torch.optim.RMSprop(p, 0.1)),
    "Adam": (Adam(0.1), lambda p: torch.optim.Adam(p, 0.1)),
}


@pytest.mark.parametrize("name", TORCH)
def test_equal_to_torch_over_a_hundred_steps(name: str) -> None:
    ours, make = TORCH[name]
    w = np.array([3.0, -2.0, 0.5, 1e-3])
    parameter = torch.tensor(w, requires_grad=True)
    theirs = make([parameter])
    for _ in range(100):
        loss = (torch.tensor([1.0, 30.0, 0.1, 5.0]) * parameter**2).sum() + torch.sin(3 * parameter).sum()
        theirs.zero_grad()
        loss.backward()
        w = ours.step(w, parameter.grad.numpy().copy())  # type: ignore[union-attr]
        theirs.step()
        assert np.abs(w - parameter.detach().numpy()).max() < 1e-10 * max(1, np.abs(w).max())


@pytest.mark.parametrize("surface", SURFACES)
def test_the_slope_is_that_of_the_surface(surface: str) -> None:
    ground, h = SURFACES[surface], 1e-6
    for point in np.random.default_rng(0).normal(size=(20, 2)):
        by_hand = [(ground.f(point + h * e) - ground.f(point - h * e)) / (2 * h) for e in np.eye(2)]
        assert ground.slope(point) == pytest.approx(by_hand, abs=1e-6)


def left_above(surface: str, steps: int) -> dict[str, float]:
    """How far above the lowest point each racer is at the end."""
    return {s.values["optimiser"]: s.loss - SURFACES[surface].least for s in race(surface, steps) if s.n == steps}


def test_the_valley_is_long_for_sgd() -> None:
    height = left_above("valley", 100)
    assert set(height) == set(RACERS) and max(height, key=height.__getitem__) == "SGD"
    assert height["momentum"] < 0.2 * height["SGD"] and height["Adam"] < 0.2 * height["SGD"]


def test_sgd_stays_at_the_saddle() -> None:
    height = left_above("saddle", 100)
    assert height["SGD"] > 0.24, "it has hardly left the ridge (¼ above the lowest)"
    assert all(height[name] < 0.05 for name in ("Adagrad", "RMSprop", "Adam")), height
    assert height["momentum"] < height["SGD"]


def test_everybody_moves_in_turn() -> None:
    steps = list(race("saddle", 3))
    assert [s.n for s in steps] == [1] * 6 + [2] * 6 + [3] * 6 and [s.values["optimiser"] for s in steps[:6]] == list(
        RACERS
    )
