"""Layer by layer: every formula, evaluated, gives the number that is shown and that torch gives; receptive fields as
published.
"""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import nn

from limpide.models import MODELS, build, multiply_adds, parameters
from limpide.models.summary import OUTSIDE, layers, receptive_field

# parameters in no layer: class token and positions; centres and widths
FREE = {"vit_tiny": 192 + 197 * 192, "rbf": 200 * 784 + 200}
CHOSEN = (
    "linear",
    "mlp",
    "rbf",
    "cnn",
    "small_color",
    "lstm",
    "gru",
    "rnn",
    "alexnet",
    "vgg11",
    "resnet20",
    "resnet50",
    "inception_v3",
    "efficientnet_b1",
    "vit_tiny",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_formula_is_true(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = build(name, entry.classes, entry.channels, entry.size)
        found = layers(model, entry.channels, entry.size)
        assert sum(layer.parameters for layer in found) == parameters(model)
        assert sum(layer.multiply_adds for layer in found) == multiply_adds(model, entry.channels, entry.size)
        assert (found[-1].parameters if found[-1].kind == OUTSIDE else 0) == FREE.get(name, 0)
    for layer in found:
        if layer.count:
            assert eval(layer.count.replace("·", "*")) == layer.parameters
        if layer.side:
            way = math.floor if "⌊" in layer.side else math.ceil
            formula, shown = layer.side.split(" = ")
            numbers = [int(v) for v in re.findall(r"\d+", formula)]
            assert (
                way((numbers[0] + numbers[1] * numbers[2] - numbers[3]) / numbers[4]) + 1
                == int(shown)
                == layer.shape[-1]
            )


@pytest.mark.parametrize(
    ("name", "pixels"),
    [("alexnet", 195), ("vgg16", 212), ("inception_v3", 1311), ("cnn", 22), ("linear", None), ("vit_tiny", None)],
)
def test_receptive_fields(name: str, pixels: int | None) -> None:
    """Of the three large ones as published: Araujo, Norris & Sim 2019, table 2."""
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


class Odd(nn.Module):
    """What a stranger's network may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.dilated = nn.Conv2d(3, 4, 3, dilation=4)
        self.same = nn.Conv2d(4, 4, 3, padding="same")
        self.pool = nn.AvgPool2d(2, ceil_mode=True)
        self.lstm = nn.LSTM(4, 8, num_layers=2, bidirectional=True, batch_first=True)
        self.scale = nn.Parameter(torch.ones(5))
        self.last = nn.Conv2d(4, 2, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(input=self.same(self.dilated(x)))
        self.lstm(x.mean(2).transpose(1, 2))
        return self.last(x)[:, :, 0, 0] * self.scale.sum()


def test_a_strangers_layers_are_not_given_wrong_formulas() -> None:
    model = Odd().train()
    found = {layer.name: layer for layer in layers(model, 3, 25)}
    assert found["dilated"].side == "⌊(25 + 2·0 − 9)/1⌋ + 1 = 17" and found["same"].side == ""
    assert found["lstm"].count == "" and found["lstm"].parameters == sum(p.numel() for p in model.lstm.parameters())
    assert found[""].parameters == 5 and sum(layer.parameters for layer in found.values()) == parameters(model)
    assert receptive_field(model, 3, 25) == 1 + 8 + 2 + 1 + 8 * 2, "the last map has one place, and has seen this much"
    assert model.training
