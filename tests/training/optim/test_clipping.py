"""Clipping limits the norm of all gradients together, and leaves smaller ones as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limpide.training.optim.clipping import clip_norm


def with_gradients(scale: float) -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape) * scale
    return model


def gradients(model: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_a_large_gradient_keeps_its_direction_and_gets_the_norm() -> None:
    model = with_gradients(100.0)
    before = gradients(model)
    clip_norm(0.5)(model)
    after = gradients(model)
    assert after.norm() == pytest.approx(0.5, rel=1e-3)
    assert torch.allclose(after / after.norm(), before / before.norm(), atol=1e-5)


def test_a_small_gradient_stays() -> None:
    model = with_gradients(1e-3)
    before = gradients(model)
    clip_norm(0.5)(model)
    assert torch.equal(gradients(model), before)


def test_a_network_without_gradients_is_no_matter() -> None:
    clip_norm(1.0)(nn.Linear(2, 2))
