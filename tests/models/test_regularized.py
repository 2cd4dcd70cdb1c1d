"""Dropout, batch normalization and initial weights, changed in any network that has them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limpide import models
from limpide.core.errors import UsageError
from limpide.core.recipe import Recipe
from limpide.data.read_images import ImageSample
from limpide.models.regularized import initialize, set_dropout
from limpide.training.build import build_network
from limpide.training.defaults import check_recipe, decide_recipe
from limpide.training.start import start_state

GREY = ImageSample(28, True)


def count(model: nn.Module, *kinds: type[nn.Module]) -> int:
    return sum(isinstance(module, kinds) for module in model.modules())


@pytest.mark.parametrize("name", ["cnn", "resnet20", "efficientnet_b0", "inception_v3"])
def test_plain_networks_have_no_batch_normalization_and_every_convolution_a_bias(name: str) -> None:
    entry = models.find(name)
    size = entry.fitting(75)
    plain = models.build(f"{name}+plain", 10, 3, size)
    assert count(plain, nn.BatchNorm2d) == 0 < count(models.build(name, 10, 3, size), nn.BatchNorm2d)
    assert all(layer.bias is not None for layer in plain.modules() if isinstance(layer, nn.Conv2d))
    assert plain(torch.randn(2, 3, size, size)).shape == (2, 10)


@pytest.mark.parametrize(("name", "norms"), [("vgg11", 10), ("mlp", 1), ("alexnet", 7)])
def test_batch_normalization_follows_every_layer_but_the_last(name: str, norms: int) -> None:
    size = models.find(name).fitting(64)
    model = models.build(f"{name}+batch", 10, 3, size)
    assert count(model, nn.BatchNorm1d, nn.BatchNorm2d) == norms and type(model.head) is nn.Linear
    x = torch.randn(8, 3, size, size)
    seen: list[Tensor] = []
    norm = next(module for module in model.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)))
    norm.register_forward_hook(lambda _module, _inputs, output: seen.append(output.detach().clone()))
    assert model(x).shape == (8, 10)
    axes = [0, *range(2, seen[0].ndim)]
    assert torch.allclose(seen[0].mean(axes), torch.zeros(seen[0].shape[1]), atol=1e-4)


def test_weights_of_a_changed_network_are_loaded_by_its_name() -> None:
    for name in ("cnn+plain", "mlp+batch"):
        state = models.build(name, 4, 1, 16).state_dict()
        models.build(name, 4, 1, 16).load_state_dict(state)


def test_a_network_with_batch_normalization_stays_as_it_is() -> None:
    changed, plain = models.build("cnn+batch", 4, 3, 32), models.build("cnn", 4, 3, 32)
    assert changed.state_dict().keys() == plain.state_dict().keys()
    assert (
        decide_recipe(Recipe(model="cnn+plain", normalization="batch", device="cpu"), GREY, 100)[0].model == "cnn+batch"
    )


def test_recurrent_weights_are_drawn_too() -> None:
    models_ = [build_network(Recipe(model="gru", init=init), 4, 1, 16) for init in ("default", "xavier")]
    first, second = (dict(model.named_parameters())["cell.weight_hh_l0"] for model in models_)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("knob", [dict(model="cnn", dropout=0.3), dict(model="mlp", normalization="none")])
def test_what_a_network_lacks_is_refused_before_anything_is_read(knob: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="L179"):
        check_recipe(Recipe.of(**knob))


@pytest.mark.parametrize("name", ["linear+plain", "linear+batch", "vgg11+plain", "vit_tiny_patch4+batch", "gru+batch"])
def test_what_a_network_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="normalization applies to nothing.*L179"):
        models.build(name, 4, 3, 32)


def test_dropout_is_set_where_there_is_some() -> None:
    model = models.build("alexnet", 4, 3, 64)
    set_dropout(model, 0.2)
    assert {m.p for m in model.modules() if isinstance(m, nn.Dropout)} == {0.2}
    mlp = build_network(Recipe(model="mlp", dropout=0.4), 4, 1, 16)
    assert [m.p for m in mlp.modules() if isinstance(m, nn.Dropout)] == [0.4]
    mlp.train()
    hidden = mlp.features(torch.ones(400, 1, 16, 16))
    alive = (hidden > 0).any(0)
    assert float((hidden[:, alive] == 0).float().mean()) == pytest.approx(0.4, abs=0.03)
    models.build("mlp", 4, 1, 16).load_state_dict(mlp.state_dict())  # its layers keep their names
    with pytest.raises(UsageError, match="dropout applies to nothing.*L179"):
        build_network(Recipe(model="cnn", dropout=0.4), 4, 1, 16)


def test_initial_weights_have_the_spread_that_their_papers_give() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(16, 64, 3), nn.Linear(400, 300))
    spreads = {
        "xavier": ((2 / (16 * 9 + 64 * 9)) ** 0.5, (2 / 700) ** 0.5),
        "kaiming": ((2 / (16 * 9)) ** 0.5, (2 / 400) ** 0.5),
        "normal": (0.01, 0.01),
    }
    for name, expected in spreads.items():
        initialize(model, name)
        for layer, spread in zip(model, expected, strict=True):
            assert float(layer.weight.detach().std()) == pytest.approx(spread, rel=0.03)
            assert not layer.bias.any()


def test_they_are_the_seeds_and_only_where_nothing_is_loaded() -> None:
    recipe = Recipe(model="cnn", init="kaiming")
    one, same, other = (build_network(recipe.but(seed=seed), 4, 1, 16) for seed in (1, 1, 2))
    weights = [next(model.parameters()).detach() for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    default = next(build_network(recipe.but(seed=1, init="default"), 4, 1, 16).parameters())
    assert not torch.equal(weights[0], default)


def test_averaged_weights_start_with_the_training() -> None:
    recipe = Recipe(model="cnn", average="ema", lr=0.1, weight_decay=0.0, device="cpu")
    for steps, decay in ((1, 0.0), (20, 0.0), (400, 0.95)):
        averaged = start_state(build_network(recipe, 4, 1, 16), recipe, steps).averaged
        assert averaged is not None and averaged.decay == pytest.approx(decay)
    assert start_state(build_network(recipe, 4, 1, 16), recipe.but(average="none"), 400).averaged is None
