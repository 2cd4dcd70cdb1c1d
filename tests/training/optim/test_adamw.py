"""The moments of AdamW, and which parameters get which rate."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limpide.models import build
from limpide.training.linear_head import discriminative_scales
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import ParameterGroup, parameter_groups


def parameters(*shapes: tuple[int, ...], seed: int = 0) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, dtype=torch.float64, generator=generator)) for shape in shapes]


def test_moments_equal_torch() -> None:
    (mine,), (yours,) = parameters((6, 4)), parameters((6, 4))
    own, other = AdamW([ParameterGroup([mine])]), torch.optim.AdamW([yours], lr=0.01, weight_decay=0.0)
    for _ in range(5):
        mine.grad = mine.detach() * 2
        yours.grad = yours.detach() * 2
        own.step(0.01)
        other.step()
    state = other.state[yours]
    assert torch.allclose(own.memory[0][0][0], state["exp_avg"], atol=1e-12)
    assert torch.allclose(own.memory[0][0][1], state["exp_avg_sq"], atol=1e-12)


def test_a_parameter_without_gradient_stays_with_its_moments() -> None:
    still, moved = parameters((3, 3), (3, 3))
    optimizer = AdamW([ParameterGroup([still, moved], weight_decay=0.5)])
    before = still.detach().clone()
    moved.grad = torch.ones_like(moved)
    optimizer.step(0.1)
    assert torch.equal(still, before) and optimizer.memory[0][0][0].abs().sum() == 0
    assert optimizer.memory[0][1][0].abs().sum() > 0


def test_zero_grad_forgets() -> None:
    (only,) = parameters((2,))
    only.grad = torch.ones_like(only)
    optimizer = AdamW([ParameterGroup([only])])
    optimizer.zero_grad()
    assert only.grad is None


def test_groups_decay_matrices_only_and_hold_each_parameter_once() -> None:
    model = build("cnn", 3, 1, 16)
    groups = parameter_groups(model, 0.02)
    assert sorted((g.scale, g.weight_decay) for g in groups) == [(1.0, 0.0), (1.0, 0.02)]
    for group in groups:
        assert all((p.ndim > 1) == (group.weight_decay > 0) for p in group.parameters)
    held = [id(p) for group in groups for p in group.parameters]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_frozen_parameters_have_no_group() -> None:
    model = build("cnn", 3, 1, 16)
    model.blocks.requires_grad_(False)
    assert sum(len(group.parameters) for group in parameter_groups(model, 0.0)) == 2


def test_the_first_matching_prefix_decides_the_scale() -> None:
    model = nn.Sequential()
    model.add_module("blocks", nn.ModuleList([nn.Linear(2, 2, bias=False) for _ in range(12)]))
    groups = parameter_groups(model, 0.0, [("blocks.1.", 0.1), ("blocks.1", 0.5), ("blocks.", 0.9)])
    # blocks.1 · blocks.10, blocks.11 · the rest
    assert {g.scale: len(g.parameters) for g in groups} == {0.1: 1, 0.5: 2, 0.9: 9}


def test_discriminative_scales_cover_the_network_and_grow_with_depth() -> None:
    model = build("efficientnet_lite0", 5, 3, 32)
    scales = discriminative_scales(model)
    names = [name for name, _ in model.named_parameters()]
    found = [next((s for prefix, s in scales if name.startswith(prefix)), None) for name in names]
    assert None not in found
    assert found == sorted(found), "later layers learn no slower than earlier ones"
    assert found[0] == pytest.approx(0.1) and found[-1] == 1.0
    assert sum(len(g.parameters) for g in parameter_groups(model, 0.02, scales)) == len(names)
