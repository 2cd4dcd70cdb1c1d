"""A network that sees the quarters of the picture, too: what it hands on, and that its file says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from limpide import models
from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.training.batches import as_tensor
from limpide.training.build import build_network
from limpide.training.weights import save_weights

NAME = "efficientnet_lite0+quarters"


@pytest.mark.parametrize("size", [64, 96, 224])  # maps of even and of odd sides
def test_the_features_are_the_mean_and_the_quarters_that_torch_pools(size: int) -> None:
    network = models.build(NAME, 3, 3, size).eval()
    images, maps = torch.rand(2, 3, size, size), {}
    for k in (10, 14):
        network.blocks[k].register_forward_hook(lambda _m, _i, out, k=k: maps.update({k: out}))  # type: ignore[index,union-attr,misc]
    with torch.no_grad():
        features = network.features(images)  # type: ignore[operator]
        plain = models.build("efficientnet_lite0", 3, 3, size).eval()
        plain.load_state_dict({k: v for k, v in network.state_dict().items() if "head" not in k}, strict=False)
        assert torch.allclose(features[:, :1280], plain.features(images)), "the first are those of the plain network"  # type: ignore[operator]
    start = 1280
    assert network.feature_groups == (1280, 4 * 112, 4 * 192)
    for k in (10, 14):
        pooled = F.adaptive_avg_pool2d(maps[k], 2)  # (batch, channels, 2, 2)
        expected = pooled.permute(0, 2, 3, 1).flatten(1)
        assert torch.allclose(features[:, start : start + expected.shape[1]], expected, atol=1e-5)
        start += expected.shape[1]
    assert start == features.shape[1] == network.head.in_features  # type: ignore[union-attr]


def test_the_file_says_what_the_network_says(tmp_path: Path) -> None:
    """Maps of 7 × 7 have quarters that share their middle: the exporter once cut them otherwise."""
    recipe = Recipe(model="efficientnet_lite0")
    network = build_network(recipe, 3, 3, 224, NAME).eval()
    torch.nn.init.normal_(network.head.weight, std=0.05, generator=torch.Generator().manual_seed(0))  # type: ignore[union-attr,arg-type]
    p = Preprocessing(224, 3, "squash", "bicubic", (127.0,), (128.0,))
    export(network, p, ("a", "b", "c"), tmp_path / "model.onnx", name=NAME)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8))
    with torch.inference_mode():
        logits = network(as_tensor(p.pixels(picture)[None], p))[0].numpy()
    assert Predictor(tmp_path / "model.onnx").logits([picture])[0] == pytest.approx(logits, abs=1e-3)


def test_weights_of_the_plain_network_start_it(tmp_path: Path) -> None:
    """`--weights FILE` of a network without quarters, whose last layer is narrower: it begins afresh."""
    plain = build_network(Recipe(model="efficientnet_lite0"), 5, 3, 224)
    with torch.no_grad():
        plain.stem[0].weight.add_(1.0)  # type: ignore[index,union-attr]
    save_weights(plain, tmp_path / "mine.safetensors")
    recipe = Recipe(model="efficientnet_lite0", weights=str(tmp_path / "mine.safetensors"))
    wide = build_network(recipe, 3, 3, 224, NAME)
    assert torch.equal(wide.stem[0].weight, plain.stem[0].weight)  # type: ignore[index,union-attr]
    assert wide.head.weight.shape == (3, 2496) and not wide.head.weight.any()  # type: ignore[union-attr,operator]
