"""Averaged weights are the mean that their docstring says, and the network has them only while it is judged."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limpide.training.optim.averaged import Averaged


def test_the_mean_of_what_the_weights_were() -> None:
    model = nn.Linear(1, 1, bias=False)
    expected, averaged = 0.0, None
    for k, value in enumerate((2.0, 4.0, -1.0)):
        nn.init.constant_(model.weight, value)
        if averaged is None:
            averaged, expected = Averaged.of(model, 0.9), value
        else:
            averaged.update(model)
            expected = 0.9 * expected + 0.1 * value
        assert float(averaged.weights["weight"]) == pytest.approx(expected), k


def test_counts_are_taken_over_and_statistics_of_batches_averaged() -> None:
    model = nn.BatchNorm1d(2)
    averaged = Averaged.of(model, 0.5)
    model(torch.randn(8, 2) + 4)
    averaged.update(model)
    assert averaged.weights["num_batches_tracked"] == 1
    assert torch.allclose(averaged.weights["running_mean"], model.running_mean / 2)


def test_the_network_gets_its_own_weights_back_whatever_happens() -> None:
    model = nn.Linear(2, 2)
    averaged = Averaged.of(model, 0.5)
    own = model.weight.detach().clone() + 1
    with torch.no_grad():
        model.weight.copy_(own)
    with pytest.raises(KeyboardInterrupt), averaged.placed_in(model):
        assert torch.equal(model.weight, averaged.weights["weight"]) and not torch.equal(model.weight, own)
        raise KeyboardInterrupt
    assert torch.equal(model.weight, own)
