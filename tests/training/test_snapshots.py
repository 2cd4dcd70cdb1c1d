"""What is written down of each parameter, against what happened to it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limpide.core.events import Epoch
from limpide.training.loop import fit
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups
from limpide.training.snapshots import statistics
from limpide.training.state import TrainState
from tests.training.test_loop import RECIPE, fresh, images


def learning(decay: float = 0.0) -> TrainState:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    model[0].bias.requires_grad_(False)  # type: ignore[union-attr]
    return TrainState(model, AdamW(parameter_groups(model, decay)), 0.1, 10, torch.Generator())


def step(state: TrainState, lr: float) -> None:
    state.model(torch.randn(5, 4)).square().mean().backward()
    state.optimizer.step(lr)


def test_before_the_first_step_nothing_has_changed() -> None:
    found: dict[str, Any] = statistics(learning())["parameters"]
    assert found.keys() == {"0.weight", "1.weight", "1.bias"}, "what does not learn is left out"
    for one in found.values():
        assert one["gradient"] is None and one["gradients"] is None and one["update"] is None and one["norm"] > 0


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_an_update_is_what_the_weights_did(decay: float) -> None:
    state = learning(decay)
    for lr in (0.01, 0.02, 0.005):
        before = {name: p.detach().clone() for name, p in state.model.named_parameters()}
        step(state, lr)
        for name, one in statistics(state)["parameters"].items():
            now = state.model.get_parameter(name).detach()
            assert one["norm"] == pytest.approx(float(now.norm()))
            assert one["update"] == pytest.approx(float((now - before[name]).norm() / now.norm()), rel=1e-3)
            assert sum(one["counts"]) == now.numel()


def test_the_gradient_is_that_of_the_last_step() -> None:
    state = learning()
    for lr in (0.01, 0.02):
        state.optimizer.zero_grad()
        step(state, lr)
    for name, one in statistics(state)["parameters"].items():
        gradient = state.model.get_parameter(name).grad
        assert gradient is not None and one["gradient"] == pytest.approx(float(gradient.norm()), rel=1e-6)
        low, high, counts = (one["gradients"][field] for field in ("low", "high", "counts"))
        assert (low, high) == (float(gradient.min()), float(gradient.max()))
        expected, _ = np.histogram(gradient.double().numpy(), len(counts), (low, high))
        assert np.abs(np.cumsum(counts) - np.cumsum(expected)).max() <= 1, "but for values on an edge"
        assert sum(counts) == gradient.numel() and one["gradients"]["zeros"] == 0


def test_units_that_learn_nothing_are_counted() -> None:
    state = learning()
    state.model(torch.randn(5, 4))[:, 0].square().mean().backward()
    state.optimizer.step(0.01)
    found = statistics(state)["parameters"]
    assert [found[name]["gradients"]["zeros"] for name in ("0.weight", "1.weight", "1.bias")] == [0, 3, 1]


def test_a_watcher_sees_the_gradients_of_the_last_step() -> None:
    state, seen = fresh(10), []
    head = state.model.head.weight  # type: ignore[union-attr]
    for event in fit(state, images(30), images(9, 1), RECIPE):
        assert isinstance(head, nn.Parameter) and head.grad is not None
        seen.append((type(event), head.grad.clone()))
    for (_, before), (kind, now) in pairwise(seen):
        assert torch.equal(before, now) == (kind is Epoch), "an epoch ends with the gradients of its last step"


def test_a_rule_that_keeps_no_change_says_so() -> None:
    state = learning()
    state.optimizer.last_update = lambda parameter: None  # type: ignore[method-assign]
    step(state, 0.01)
    assert all(one["update"] is None for one in statistics(state)["parameters"].values())
