"""The memory that is quoted before a training is about what it will hold, whichever step of it holds the most."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from limpide.models import activations, build
from tests.runner import environment

LINUX = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="own memory, without the pages of files, is known on Linux only"
)

# In a process of its own, as on the command line: what other tests left in the memory would count.
TRAINS = """
import json, sys
from pathlib import Path
from limpide.system import machine
machine.keep_memory()
from limpide.core.recipe import Recipe
from limpide.workflows.train.training import prepare, train
run, dataset, _ = prepare(sys.argv[1], Recipe(model=sys.argv[3], epochs=1), Path(sys.argv[2]))
for event in train(run, dataset, images=False):
    pass
cost = run.findings()["cost"]
print(json.dumps([cost.number("estimated memory").value, cost.number("peak memory").value]))
"""


@LINUX
@pytest.mark.parametrize("model", ["efficientnet_lite0", "cnn"])
def test_what_is_quoted_is_what_is_held(model: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for label, color in (("red", 0), ("blue", 2)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for k in range(10):
            pixels = random.integers(0, 120, (375, 500, 3), dtype=np.uint8)
            pixels[..., color] += 100
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{k}.jpg")
    arguments = [str(tmp_path / "photos"), str(tmp_path / "runs"), model]
    found = subprocess.run(
        [sys.executable, "-c", TRAINS, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    quoted, held = json.loads(found.stdout.splitlines()[-1])
    assert quoted == pytest.approx(held, rel=0.2)


def test_activations_are_those_of_every_layer() -> None:
    """By hand: 3·8·8 in; 4·6·6 from the convolution, again from the ReLU; 2 from the linear layer."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    found = activations(network, 3, 8)
    assert found.all == 4 * (144 + 144 + 144 + 2) and found.largest == 4 * (192 + 144)
    assert network.training, "left as it was"


def test_activations_grow_with_the_image() -> None:
    network = build("cnn", 3, 3, 32)
    small, large = activations(network, 3, 32), activations(build("cnn", 3, 3, 64), 3, 64)
    assert large.all == pytest.approx(4 * small.all, rel=0.1) and large.largest == 4 * small.largest
    assert not any(p.grad is not None for p in network.parameters()) and not torch.is_inference(
        next(network.parameters())
    )
