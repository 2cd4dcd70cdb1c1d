"""One suite for every network in MODELS: a newcomer's network is checked by the same lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.interpret.why import why
from limpide.models import MADE_FOR, MODELS, PRETRAINED, multiply_adds, parameters
from limpide.predictor import Predictor
from limpide.training.optimiser import AdamW, groups_of

CLASSES, SIZE = 5, 32
COUNTS = {"cnn": (lambda: MODELS["cnn"](10, 1, 28), 33_658), "efficientnet_lite0": (lambda: MODELS["efficientnet_lite0"](1000, 3, 224), 4_652_008)}
every = pytest.mark.parametrize("name", MODELS)


def network(name: str, channels: int = 3, size: int = SIZE) -> nn.Module:
    torch.manual_seed(0)
    return MODELS[name](CLASSES, channels, size)


def images(n: int = 8, channels: int = 3, size: int = SIZE) -> torch.Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(1))


@every
@pytest.mark.parametrize("size", [32, 64])
def test_shape(name: str, size: int) -> None:
    model = network(name, size=size).eval()
    x = images(3, size=size)
    assert model(x).shape == (3, CLASSES)
    assert model.features(x).shape == (3, model.head.in_features) and model.head.out_features == CLASSES


@every
def test_number_of_parameters(name: str) -> None:
    make, count = COUNTS[name]
    assert parameters(make()) == count


def test_it_is_said_what_each_was_made_for() -> None:
    assert list(MADE_FOR) == list(MODELS)


@every
def test_gradient_reaches_every_parameter(name: str) -> None:
    model = network(name).train()
    if name in PRETRAINED:
        nn.init.normal_(model.head.weight, std=0.1)  # a head of zeros passes nothing on, by intention
    nn.functional.cross_entropy(model(images()), torch.arange(8) % CLASSES).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


@every
def test_overfits_one_batch(name: str) -> None:
    model = network(name).train()
    if name in PRETRAINED:
        PRETRAINED[name](model)
    optimiser, x, y = AdamW(groups_of(model, 0.0)), images(), torch.arange(8) % CLASSES
    for _ in range(25):
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step(3e-3)
        optimiser.zero_grad()
    assert loss.item() < 0.2 and (model(x).argmax(1) == y).float().mean() >= 7 / 8


@every
def test_in_evaluation_images_do_not_meet(name: str) -> None:
    model, x = network(name).eval(), images()
    with torch.no_grad():
        assert torch.allclose(model(x)[2:3], model(x[2:3]), atol=1e-4)


@every
def test_exports(name: str, tmp_path: Path) -> None:
    model = network(name).eval()
    nn.init.normal_(model.head.weight, std=0.1)
    p = Preprocessing(SIZE, 3, mean=(127.0,), std=(128.0,))
    export(model, p, tuple("abcde"), tmp_path / "model.onnx", name=name)
    raw = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    got = Predictor(tmp_path / "model.onnx").session.run(["logits"], {"image": raw})[0]
    with torch.no_grad():
        expected = model(((torch.from_numpy(raw).float() - 127.0) / 128.0).permute(0, 3, 1, 2)).numpy()
    assert np.abs(got - expected).max() <= 1e-4


@every
def test_can_be_looked_into(name: str) -> None:
    model, x = network(name).eval(), images(1)
    nn.init.normal_(model.head.weight, std=0.1)
    first = next(n for n, m in model.named_modules() if isinstance(m, nn.Conv2d))
    for unit in (why(model, x, first, 3, 2, 5), why(model, x, first, 0, 0, 0), why(model, x, "head", CLASSES - 1)):
        assert unit.agrees, f"{unit.layer}: {unit.residual}"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 9, 28, 33, 64])
def test_the_small_network_takes_any_size(channels: int, size: int) -> None:
    assert network("cnn", channels, size)(images(2, channels, size)).shape == (2, CLASSES)


@pytest.mark.parametrize(("name", "channels", "size"), [("cnn", 1, 28), ("cnn", 3, 41), ("efficientnet_lite0", 3, 224)])
def test_multiply_adds_are_those_that_torch_counts(name: str, channels: int, size: int) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    model = MODELS[name](7, channels, size).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, channels, size, size))
    assert 2 * multiply_adds(model, channels, size) == counter.get_total_flops()
