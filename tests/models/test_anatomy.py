"""Layer by layer: every formula, evaluated, gives the number that is shown and that torch gives; receptive fields as published."""

from __future__ import annotations

import math
import re

import pytest
import torch

from limpide.models import MODELS, build, multiply_adds, parameters
from limpide.models.anatomy import layers, receptive_field

FREE = {"vit_tiny": 192 + 197 * 192, "rbf": 200 * 784 + 200}  # parameters in no layer: the class token and positions; centres and widths
CHOSEN = ("linear", "mlp", "rbf", "cnn", "lstm", "gru", "rnn", "alexnet", "vgg11", "resnet20", "resnet50", "inception_v3", "efficientnet_b1", "vit_tiny")


@pytest.mark.parametrize("name", CHOSEN)
def test_every_formula_is_true(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = build(name, entry.classes, entry.channels, entry.size)
        found = layers(model, entry.channels, entry.size)
        assert sum(layer.parameters for layer in found) + FREE.get(name, 0) == parameters(model)
        assert sum(layer.multiply_adds for layer in found) <= multiply_adds(model, entry.channels, entry.size)
    for layer in found:
        if layer.count:
            assert eval(layer.count.replace("·", "*")) == layer.parameters
        if layer.side:
            way = math.floor if "⌊" in layer.side else math.ceil
            formula, shown = layer.side.split(" = ")
            numbers = [int(v) for v in re.findall(r"\d+", formula)]
            assert way((numbers[0] + numbers[1] * numbers[2] - numbers[3]) / numbers[4]) + 1 == int(shown) == layer.shape[-1]


@pytest.mark.parametrize(("name", "pixels"), [("alexnet", 195), ("vgg16", 212), ("inception_v3", 1311), ("cnn", 22), ("linear", None), ("vit_tiny", None)])
def test_receptive_fields_are_those_that_were_published(name: str, pixels: int | None) -> None:
    """Araujo, Norris & Sim 2019, table 2."""
    entry = MODELS[name]
    with torch.device("meta"):
        assert receptive_field(build(name, 10, entry.channels, entry.size), entry.channels, entry.size) == pixels


@pytest.mark.parametrize("name", ["cnn", "resnet20"])
def test_a_pixel_outside_the_receptive_field_changes_nothing(name: str) -> None:
    size = 128
    model = build(name, 2, 1, size).eval()
    field = receptive_field(model, 1, size)
    assert field is not None and field < size
    seen: list[torch.Tensor] = []
    last = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)][-1]
    last.register_forward_hook(lambda *call: seen.append(call[2]))
    image = torch.randn(1, 1, size, size, requires_grad=True)
    model(image)
    middle = seen[0].shape[-1] // 2
    seen[0][0, :, middle, middle].sum().backward()
    touched = image.grad.abs().sum((0, 1, 2)).nonzero()  # type: ignore[union-attr]
    assert 0 < touched.max() - touched.min() + 1 <= field
