"""The output `features`: what enters the last linear layer, of our networks and of others, at no cost to who does not
ask.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from limpide.core.errors import ModelError
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.contract import KEY
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.interpret.embedding import features_of
from limpide.models import build
from limpide.models.features import features_width
from limpide.training.batches import as_tensor


class Outside(nn.Module):
    """Its last linear layer has another before it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 24, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.middle, self.end = nn.Linear(24, 10), nn.Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.middle(self.body(x)).relu())  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """Its last linear layer sees rows of numbers for each image."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.row(x.mean(1)).mean(1)  # type: ignore[no-any-return]


class Unused(nn.Module):
    """Its last linear layer takes no part."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.spare = nn.Conv2d(3, 5, 24), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).flatten(1)  # type: ignore[no-any-return]


class Mixed(nn.Module):
    """What enters its last layer is not sorted by image."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x.mean(1).transpose(0, 1)).mean(0)  # type: ignore[no-any-return]


def made(name: str, channels: int, size: int) -> nn.Module:
    torch.manual_seed(0)
    if name == "conv":
        return nn.Sequential(nn.Conv2d(channels, 5, size), nn.Flatten())
    outside = {"outside": Outside, "tokens": Tokens, "unused": Unused, "mixed": Mixed}
    model = outside[name]() if name in outside else build(name, 5, channels, size)
    if name not in outside:
        nn.init.normal_(model.head.weight, std=0.05)
    return model


NETWORKS = [("cnn", 1, 28), ("cnn", 3, 32), ("mlp", 1, 28), ("linear", 3, 20), ("efficientnet_lite0", 3, 64)]
OTHERS = [("resnet20", 3, 32), ("vit_tiny_patch4", 3, 32), ("lstm", 1, 28), ("outside", 3, 24), ("tokens", 3, 24)]


@pytest.mark.parametrize(("name", "channels", "size"), NETWORKS + OTHERS)
def test_they_are_what_torch_says(name: str, channels: int, size: int, tmp_path: Path) -> None:
    model, p = made(name, channels, size).eval(), Preprocessing(size, channels, "squash", "bilinear", (127.0,), (64.0,))
    export(model, p, tuple("abcde"), tmp_path / "model.onnx", temperature=1.5, name=name)
    predictor = Predictor(tmp_path / "model.onnx")
    random = np.random.default_rng(0)
    images = [Image.fromarray(random.integers(0, 256, (h, w, 3), np.uint8)) for h, w in ((40, 31), (9, 64), (50, 50))]
    features, logits = features_of(model, as_tensor(np.stack([p.pixels(image) for image in images]), p))
    found = predictor.features(images)
    assert found.dtype == np.float32 and found.shape == tuple(features.shape)
    assert found == pytest.approx(features.numpy(), rel=1e-3, abs=1e-4)
    assert predictor.logits(images) == pytest.approx(logits.numpy(), rel=1e-3, abs=1e-4)
    assert predictor.session.get_outputs()[2].shape == ["batch", features.shape[1]]


@pytest.mark.parametrize("name", ["conv", "unused", "mixed"])
def test_a_network_that_has_none_says_so(name: str, tmp_path: Path) -> None:
    model = made(name, 3, 24).eval()
    export(model, Preprocessing(24, 3), tuple("abcde"), tmp_path / "model.onnx", name=name)
    predictor = Predictor(tmp_path / "model.onnx")
    assert [output.name for output in predictor.session.get_outputs()] == ["logits", "probabilities"]
    assert json.loads(predictor.session.get_modelmeta().custom_metadata_map[KEY])["features"] is None
    result = predictor.self_test()
    assert result is not None and result.agrees
    with pytest.raises(ModelError, match="L430"):
        predictor.features([Image.new("RGB", (24, 24))])


def test_who_asks_for_probabilities_alone_runs_the_same_operations(tmp_path: Path) -> None:
    """The features lie on the way to the probabilities: nothing is computed for them alone."""
    model, p = made("cnn", 3, 32).eval(), Preprocessing(32, 3)
    export(model, p, tuple("abcde"), tmp_path / "model.onnx")
    ran = []
    for names in (["probabilities"], ["logits", "probabilities", "features"]):
        options = onnxruntime.SessionOptions()
        options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx", options, providers=["CPUExecutionProvider"])
        session.run(names, {"image": np.zeros((1, 32, 32, 3), np.uint8)})
        events = json.loads(Path(session.end_profiling()).read_text())
        ran.append(sorted(e["name"] for e in events if e["cat"] == "Node" and e["name"].endswith("_kernel_time")))
    assert ran[0] == ran[1] and len(ran[0]) > 5
    network_only = [name for name in ran[0] if "features" in name.lower()]
    assert len(network_only) <= 1, "at most the flattening, which moves nothing"


def test_the_network_stays_in_its_mode_and_wide_ones_have_features_too() -> None:
    model = made("cnn", 3, 32).eval()
    width = features_width(model, 3, 32)
    assert not model.training and width == model.head.in_features  # type: ignore[union-attr]
    assert features_width(nn.Sequential(nn.Flatten(), nn.Linear(3 * 90 * 90, 2)).eval(), 3, 90) == 24300
