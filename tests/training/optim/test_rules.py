"""Every optimizer, written out, against torch's own; what it remembers is enough to go on; what it says it changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from limpide.core.recipe_field import OPTIMIZERS as NAMES
from limpide.training.optim import DEFAULTS, OPTIMIZERS
from limpide.training.optim.base import GroupOptimizer
from limpide.training.optim.groups import ParameterGroup
from tests.training.optim.test_adamw import parameters

SETTINGS = [(1.0, 0.02), (0.3, 0.0), (0.1, 0.5), (2.0, 0.1)]  # rate scale, weight decay
SHAPES = ((7, 5), (5,), (3, 2, 2), (4,))
TORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda groups, **more: torch.optim.SGD(groups, momentum=0.9, **more),
    "nesterov": lambda groups, **more: torch.optim.SGD(groups, momentum=0.9, nesterov=True, **more),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def groups_of(values: list[nn.Parameter]) -> list[ParameterGroup]:
    return [ParameterGroup([p], *setting) for p, setting in zip(values, SETTINGS, strict=True)]


def gradients(values: list[nn.Parameter], step: int) -> None:
    """Of very different sizes; a parameter without one now and then."""
    generator = torch.Generator().manual_seed(step)
    for k, parameter in enumerate(values):
        gradient = torch.randn(parameter.shape, dtype=torch.float64, generator=generator) * 10.0 ** (step % 5 - 2)
        parameter.grad = None if (step + k) % 11 == 0 else gradient


def test_the_option_lists_what_is_there() -> None:
    assert set(NAMES) == set(OPTIMIZERS) == set(DEFAULTS) == set(TORCH)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_torch_over_a_hundred_steps(name: str) -> None:
    ours, theirs = parameters(*SHAPES), parameters(*SHAPES)
    own = OPTIMIZERS[name](groups_of(ours))
    other = TORCH[name](
        [{"params": [p], "weight_decay": d} for p, (_, d) in zip(theirs, SETTINGS, strict=True)], lr=1.0
    )
    if name.startswith("adam"):  # torch counts the steps of each parameter, ours are one training: all get gradients
        give = lambda values, step: gradients(values, 11 * step + 1)  # noqa: E731
    else:
        give = gradients
    for step in range(100):
        rate = 0.002 * (1 + step % 7)
        give(ours, step)
        give(theirs, step)
        for group, (scale, _) in zip(other.param_groups, SETTINGS, strict=True):
            group["lr"] = rate * scale
        own.step(rate)
        other.step()
    for mine, yours in zip(ours, theirs, strict=True):
        assert (mine - yours).abs().max() <= 1e-10 * max(1.0, float(yours.detach().abs().max()))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("stop", [1, 7])
def test_goes_on_to_the_same_bits_from_what_it_remembers(name: str, stop: int) -> None:
    whole = parameters(*SHAPES)
    first = OPTIMIZERS[name](groups_of(whole))
    for step in range(stop):
        gradients(whole, step)
        first.step(0.01)
    other = parameters(*SHAPES, seed=9)
    for mine, yours in zip(other, whole, strict=True):
        mine.data.copy_(yours)
    second = OPTIMIZERS[name](groups_of(other))
    assert second.identity() == first.identity() and second.identity()["name"] == name
    kept: dict[str, Any] = json.loads(json.dumps(first.numbers()))
    second.load({key: tensor.clone() for key, tensor in first.state().items()}, kept)
    for step in range(stop, 12):
        for optimizer, values in ((first, whole), (second, other)):
            gradients(values, step)
            optimizer.step(0.01)
    assert all(torch.equal(mine, yours) for mine, yours in zip(other, whole, strict=True))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_says_what_the_last_step_changed(name: str) -> None:
    values = parameters(*SHAPES)
    optimizer = OPTIMIZERS[name](groups_of(values))
    assert isinstance(optimizer, GroupOptimizer) and optimizer.last_update(values[0]) is None
    for step in range(1, 6):
        gradients(values, 11 * step + 1)
        before = [value.detach().clone() for value in values]
        optimizer.step(0.003)
        for value, old, (_, decay) in zip(values, before, SETTINGS, strict=True):
            last = optimizer.last_update(value)
            # decoupled decay is told from the weights as they are after the step
            slack = 1e-12 + (0.003 * 2.0 * decay * 0.1 if optimizer.decoupled else 0.0)
            assert last is not None
            assert (old - value - last).abs().max() <= slack
    assert optimizer.last_update(nn.Parameter(torch.zeros(2))) is None


def test_weight_decay_is_an_l2_penalty_but_for_adamw() -> None:
    """Without a slope of their own, an L2 penalty moves weights by the rule; decoupled, they shrink by a share."""
    for name in OPTIMIZERS:
        (weight,) = parameters((3, 3))
        before = weight.detach().clone()
        optimizer = OPTIMIZERS[name]([ParameterGroup([weight], weight_decay=0.1)])
        weight.grad = torch.zeros_like(weight)
        optimizer.step(0.01)
        share = (weight / before).detach()
        if name in ("sgd", "momentum", "adamw"):
            assert torch.allclose(share, torch.full_like(share, 1 - 0.001), atol=1e-12)
        elif name in ("adagrad", "adam"):  # the first step of these has the size of the rate, whatever the slope
            assert torch.allclose((before - weight).abs(), torch.full_like(share, 0.01), atol=1e-4)
