"""Losses by hand against torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limpide.core.errors import ModelError
from limpide.ladder.losses import cross_entropy, hinge, softmax, squared_error

TORCH: dict[Callable, Callable] = {
    squared_error: lambda s, t: 0.5 * ((F.one_hot(t, s.shape[1]) - s) ** 2).sum() / len(s),
    hinge: lambda s, t: F.multi_margin_loss(s, t),
    cross_entropy: lambda s, t: F.cross_entropy(s, t),
}


@pytest.mark.parametrize("loss", TORCH)
@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_equal_to_torch(loss: Callable, scale: float) -> None:
    random = np.random.default_rng(0)
    scores, targets = scale * random.normal(size=(20, 7)), random.integers(0, 7, 20)
    s = torch.tensor(scores, requires_grad=True)
    expected = TORCH[loss](s, torch.tensor(targets))
    expected.backward()
    value, slope = loss(scores, targets)
    assert value == pytest.approx(expected.item(), rel=1e-10, abs=1e-12) and np.abs(slope - s.grad.numpy()).max() < 1e-7  # type: ignore[union-attr]


def test_softmax_of_the_course() -> None:
    assert softmax(np.array([[0.8, 0.5, -2.2]]))[0] == pytest.approx([0.558, 0.414, 0.028], abs=5e-4)
    assert softmax(np.array([[1000.0, 1000.0]]))[0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("loss", TORCH)
@pytest.mark.parametrize("target", [-1, 3])
def test_targets_that_are_no_class(loss: Callable, target: int) -> None:
    with pytest.raises(ModelError, match=r"from 0 to 2.*L409"):
        loss(np.zeros((2, 3)), np.array([0, target]))
