"""A look inside a network: gradients, dead units, and layers that have not moved."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from limpide.models.mlp import MLP
from limpide.training.examination import examine_layers


def images(n: int = 16) -> Tensor:
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def network(activation: str = "relu", widths: tuple[int, ...] = (8, 8)) -> MLP:
    torch.manual_seed(0)
    return MLP(classes=3, size=4, widths=widths, activation=activation)


def before_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_the_network_and_the_random_numbers_stay_as_they_are() -> None:
    model = network()
    model.hidden[0].weight.requires_grad = False  # type: ignore[union-attr]
    model.eval()
    kept, state = copy.deepcopy(model), torch.get_rng_state()
    examine_layers(model, before_of(model), images())
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), kept.parameters(), strict=True))
    assert not model.training and not model.hidden[0].weight.requires_grad  # type: ignore[union-attr]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(state, torch.get_rng_state())


def test_gradients_are_those_of_torch() -> None:
    model = network("tanh")
    signs, vary = examine_layers(model, before_of(model), images())
    outputs = model(images())
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0))
    for layer in signs:
        parameter = model.get_parameter(layer.name)
        (gradient,) = torch.autograd.grad((outputs * weights).mean(), parameter, retain_graph=True)
        assert layer.gradient == pytest.approx(float(gradient.square().mean().sqrt()), rel=1e-5)
        assert layer.gradient_before == layer.gradient and layer.moved == 0
    assert [layer.name for layer in signs] == ["hidden.0.weight", "hidden.2.weight", "head.weight"] and vary


def test_the_change_of_a_layer_is_a_share_of_its_size() -> None:
    model = network()
    before = before_of(model)
    with torch.no_grad():
        model.head.weight *= 1.5
    signs, _ = examine_layers(model, before, images())
    assert [layer.moved for layer in signs] == [0, 0, pytest.approx(0.5)]


def test_units_behind_a_closed_relu_are_dead() -> None:
    model = network()
    before = before_of(model)
    with torch.no_grad():
        model.hidden[2].bias[:6] -= 100  # type: ignore[union-attr,index,operator]
    signs, vary = examine_layers(model, before, images())
    assert signs[1].dead >= 0.75 > signs[1].dead_before and signs[2].dead == 0 and vary
    with torch.no_grad():
        model.hidden[2].bias -= 100  # type: ignore[union-attr,operator]
    signs, vary = examine_layers(model, before_of(model), images())
    assert signs[0].dead == signs[1].dead == 1 and not vary


def test_a_layer_that_is_cut_off_has_no_gradient_and_the_outputs_vary() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(16, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.first(x.flatten(1)).relu().detach())  # type: ignore[no-any-return]

    model = Cut()
    (first, head), vary = examine_layers(model, before_of(model), images())
    assert first.dead == first.dead_before == 1 and first.gradient == 0 and head.gradient > 0 and vary


def test_sigmoids_make_gradients_smaller_layer_by_layer() -> None:
    model = network("sigmoid", (32,) * 6)
    signs, _ = examine_layers(model, before_of(model), images())
    sizes = [layer.gradient_before for layer in signs]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] / 1000


def test_a_network_without_a_gradient_has_signs_all_the_same() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x.flatten(1)).detach()  # type: ignore[no-any-return]

    ((head,), _) = examine_layers(Constant(), before_of(Constant()), images())
    assert head.dead == 1 and head.gradient == 0 and math.isfinite(head.moved)


@pytest.mark.parametrize("dropout", [nn.Dropout(0.5), nn.Dropout2d(0.5), nn.AlphaDropout(0.5)])
def test_dropout_closes_no_unit(dropout: nn.Module) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.Tanh(), dropout, nn.Flatten(), nn.Linear(64, 3))
    signs, _ = examine_layers(model, before_of(model), images(2))
    again, _ = examine_layers(model, before_of(model), images(2))
    assert signs == again and all(layer.dead == 0 for layer in signs)
