"""Equal weights in our networks and in timm's or torchvision's give equal logits: a count of parameters proves no
wiring.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from limpide.models import MODELS, build

PEERS: dict[str, tuple[str, Callable[[Any], nn.Module]]] = {
    "alexnet": ("torchvision.models", lambda tv: tv.alexnet()),
    "vgg11": ("torchvision.models", lambda tv: tv.vgg11()),
    "resnet18": ("torchvision.models", lambda tv: tv.resnet18()),
    "resnet50": ("torchvision.models", lambda tv: tv.resnet50()),
    "inception_v3": ("torchvision.models", lambda tv: tv.inception_v3(aux_logits=False, init_weights=False)),
    "efficientnet_b0": ("timm", lambda timm: timm.create_model("tf_efficientnet_b0")),
    "efficientnet_b2": ("timm", lambda timm: timm.create_model("tf_efficientnet_b2")),
    "efficientnet_lite0": ("timm", lambda timm: timm.create_model("tf_efficientnet_lite0")),
    "efficientnet_lite3": ("timm", lambda timm: timm.create_model("tf_efficientnet_lite3")),
    "vit_tiny": ("timm", lambda timm: timm.create_model("vit_tiny_patch16_224")),
}


@pytest.mark.parametrize("name", PEERS)
def test_equal_weights_give_equal_logits(name: str) -> None:
    module, make = PEERS[name]
    try:
        peer = importlib.import_module(module)
    except Exception as error:  # torchvision's compiled part does not fit every torch
        pytest.skip(f"{module} does not import here: {error}")
    torch.manual_seed(0)
    theirs, ours = make(peer).eval(), build(name, 1000, 3, MODELS[name].size).eval()
    for value in theirs.state_dict().values():
        if value.is_floating_point():  # also what begins at zero or one: statistics, biases, an empty head
            value.add_(0.01 * torch.randn_like(value))
    mine, other = ours.state_dict(), list(theirs.state_dict().values())
    assert [v.shape for v in mine.values()] == [v.shape for v in other], "the same layers in the same order"
    ours.load_state_dict(dict(zip(mine, other, strict=True)))
    x = torch.randn(2, 3, MODELS[name].size, MODELS[name].size)
    with torch.no_grad():
        a, b = ours(x), theirs(x)
    assert (a - b).abs().max() <= 1e-4 * max(1.0, float(b.abs().max()))
