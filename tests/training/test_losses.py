"""A loss takes class numbers and shares of all classes alike."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.core.recipe import Recipe
from limpide.training.losses import LOSSES, loss_function

RECIPE = Recipe(precision="fp32", label_smoothing=0.1)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 4, generator=generator), torch.tensor([0, 1, 2, 2, 1, 0])


def test_label_smoothing_is_the_recipes(batch: tuple[Tensor, Tensor]) -> None:
    model = nn.Linear(4, 3)
    for share in (0.1, 0.0):
        loss = loss_function(RECIPE.but(label_smoothing=share))(model, batch)
        assert torch.equal(loss, F.cross_entropy(model(batch[0]), batch[1], label_smoothing=share))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shares_of_one_class_are_that_class(batch: tuple[Tensor, Tensor], smoothing: float) -> None:
    model, loss_fn = nn.Linear(4, 3), loss_function(RECIPE.but(label_smoothing=smoothing))
    images, labels = batch
    soft = loss_fn(model, (images, F.one_hot(labels, 3).float()))
    assert soft.item() == pytest.approx(loss_fn(model, batch).item())


def test_a_mixture_costs_as_much_as_its_parts() -> None:
    """Mixup (Zhang et al. 2018, arXiv 1710.09412): cross-entropy is linear in the targets."""
    torch.manual_seed(0)
    model, images, first, second = nn.Linear(4, 3), torch.randn(5, 4), torch.arange(5) % 3, (torch.arange(5) + 1) % 3
    mixed = 0.3 * F.one_hot(first, 3) + 0.7 * F.one_hot(second, 3)
    loss_fn = loss_function(RECIPE)
    parts = 0.3 * loss_fn(model, (images, first)) + 0.7 * loss_fn(model, (images, second))
    assert loss_fn(model, (images, mixed)).item() == pytest.approx(parts.item(), rel=1e-5)


def test_the_arithmetic_is_the_recipes(batch: tuple[Tensor, Tensor]) -> None:
    seen: list[torch.dtype] = []

    class Watched(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            found = super().forward(x)
            seen.append(found.dtype)
            return found

    for precision in ("fp32", "bf16"):
        assert LOSSES["cross-entropy"](RECIPE.but(precision=precision))(Watched(4, 3), batch).dtype == torch.float32
    assert seen == [torch.float32, torch.bfloat16]


def test_the_option_lists_what_is_there() -> None:
    (field,) = (field for field in dataclasses.fields(Recipe) if field.name == "loss")
    assert set(field.metadata["choices"]) == set(LOSSES)


def test_the_hinge_is_torchs_and_the_squared_error_is_by_hand(batch: tuple[Tensor, Tensor]) -> None:
    model, (images, labels) = nn.Linear(4, 3), batch
    hinge = loss_function(Recipe(precision="fp32", loss="hinge"))(model, batch)
    assert torch.equal(hinge, F.multi_margin_loss(model(images), labels))
    for smoothing in (0.0, 0.3):
        loss = loss_function(Recipe(precision="fp32", loss="squared", label_smoothing=smoothing))(model, batch)
        targets = torch.full((6, 3), smoothing / 3)
        targets[torch.arange(6), labels] += 1 - smoothing
        assert loss.item() == pytest.approx(float(((model(images).detach() - targets) ** 2).sum() / 6), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_takes_shares_and_falls_when_it_is_followed(loss: str, batch: tuple[Tensor, Tensor]) -> None:
    loss_fn = loss_function(Recipe(precision="fp32", loss=loss))
    model, (images, labels) = nn.Linear(4, 3), batch
    soft = loss_fn(model, (images, F.one_hot(labels, 3).float()))
    assert soft.item() == pytest.approx(loss_fn(model, batch).item(), rel=1e-5)
    optimizer, first = torch.optim.SGD(model.parameters(), lr=0.1), soft.item()
    for _ in range(50):
        optimizer.zero_grad()
        loss_fn(model, batch).backward()
        optimizer.step()
    assert loss_fn(model, batch).item() < 0.7 * first


def test_the_hinge_of_a_mixture_is_the_mean_of_its_hinges() -> None:
    torch.manual_seed(0)
    model, images, first, second = nn.Linear(4, 3), torch.randn(5, 4), torch.arange(5) % 3, (torch.arange(5) + 1) % 3
    loss_fn = loss_function(Recipe(precision="fp32", loss="hinge"))
    parts = 0.3 * loss_fn(model, (images, first)) + 0.7 * loss_fn(model, (images, second))
    mixed = loss_fn(model, (images, 0.3 * F.one_hot(first, 3) + 0.7 * F.one_hot(second, 3)))
    assert mixed.item() == pytest.approx(parts.item(), rel=1e-5)
