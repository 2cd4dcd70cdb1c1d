"""Clipping limits the norm of all gradients together; the L1 penalty adds its slope; the recipe says which are done."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from limpide.core.recipe import Recipe
from limpide.training.optim.gradients import clip_norm, gradient_changes, penalize


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


def test_the_penalty_has_the_slope_that_autograd_finds() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight[0, 0] = 0.0
    (model(torch.ones(1, 4)).sum() + 0.3 * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)).backward()
    expected = gradients(model)
    model.zero_grad()
    model(torch.ones(1, 4)).sum().backward()
    penalize(0.3)(model)
    assert torch.allclose(gradients(model), expected)


def test_the_penalty_comes_before_clipping_and_nothing_is_done_unasked() -> None:
    assert gradient_changes(Recipe()) == []
    model, by_hand = with_gradients(1.0), with_gradients(1.0)
    by_hand.load_state_dict(model.state_dict())
    for change in gradient_changes(Recipe(l1=0.5, clip=0.2)):
        change(model)
    penalize(0.5)(by_hand)
    clip_norm(0.2)(by_hand)
    assert torch.equal(gradients(model), gradients(by_hand)) and gradients(model).norm() <= 0.2001
