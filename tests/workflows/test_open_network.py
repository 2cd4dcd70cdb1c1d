"""Any network without a training: its arithmetic, its classes, and what cannot be opened."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from limpide import models
from limpide.core.errors import LimpideError
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session
from limpide.workflows.open_network import open_network
from tests.runner import started

STRANGE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 5, stride=2), nn.Linear(8, 4)
        with torch.no_grad():
            self.conv.weight.fill_(0.01)

    def forward(self, x):
        return self.last(torch.relu(self.conv(x)).mean((2, 3)))

class Grey(Net):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)

def told(classes):
    torch.manual_seed(0)
    net = Net()
    net.last = nn.Linear(8, classes)
    return net
"""


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "strangers_networks.py").write_text(STRANGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "strangers_networks", raising=False)
    dice = np.random.default_rng(0)
    for label in ("cat", "dog", "owl"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for k in range(3):
            Image.fromarray(dice.integers(0, 255, (40, 50, 3), np.uint8)).save(
                tmp_path / "pictures" / label / f"{k}.png"
            )
    (tmp_path / "pictures" / "cat" / "broken.png").write_bytes(b"no image")
    return tmp_path / "pictures"


def test_a_strangers_network_is_opened_unit_by_unit(pictures: Path, tmp_path: Path) -> None:
    run = open_network("strangers_networks:Net", str(pictures), tmp_path / "runs", image_size=48)
    assert run.info().learning.probes == len(np.load(run.probes_file)["truth"]) == 9, "one of ten is broken"
    assert run.info().classes == ("0", "1", "2", "3") and run.info().final.preprocessing["size"] == 48
    session = Session()
    found = QUESTIONS["unit"].answer(
        session, path=str(run.path), snapshot="best", image=ImageReference(probe=0), key="conv", channel=2, y=3, x=4
    )[0]
    assert (
        found["agrees"] and found["terms"] == 75 and all(weight == pytest.approx(0.01) for weight in found["weights"])
    )
    answer = QUESTIONS["prediction"].answer(session, path=str(run.path), snapshot="best", image=ImageReference(row=1))[
        0
    ]
    assert answer["truth"] is None and answer["file"] == "cat/1.png" and not answer["calibrated"], (
        "cat is none of its classes"
    )
    assert len(QUESTIONS["embedding"].answer(session, path=str(run.path), snapshot="best")[0]["rows"]) == 9
    assert (
        QUESTIONS["neighbors"].answer(session, path=str(run.path), snapshot="best", image=ImageReference(row=0))[0][
            "compared"
        ]
        == 9
    )


def test_classes_are_the_folders_where_their_number_is_right(pictures: Path, tmp_path: Path) -> None:
    run = open_network("strangers_networks:told", str(pictures), tmp_path / "runs", image_size=32)
    assert run.info().classes == ("cat", "dog", "owl")
    answer = QUESTIONS["prediction"].answer(
        Session(), path=str(run.path), snapshot="best", image=ImageReference(row=5)
    )[0]
    assert answer["truth"] == "dog" and answer["file"] == "dog/1.png"
    grey = open_network("strangers_networks:Grey", str(pictures), tmp_path / "runs", image_size=32)
    assert grey.info().final.preprocessing["channels"] == 1


def test_weights_of_all_layers_are_put_in(pictures: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    other = models.build("cnn", 5, 3, 28)
    save_file(other.state_dict(), tmp_path / "w.safetensors")
    run = open_network("cnn", str(pictures), tmp_path / "runs", weights=str(tmp_path / "w.safetensors"), image_size=28)
    loaded = Session().load_network(str(run.path), "best")
    network = loaded.network
    assert len(loaded.classes) == 5 and loaded.preprocessing.channels == 3
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize(
    ("model", "more", "code"),
    [
        ("nothing", {}, "L106"),
        ("strangers_networks:Nat", {}, "L414"),
        ("strangers_networks:Net", {"images": "nowhere"}, "L208"),
        ("strangers_networks:Net", {"weights": "nowhere.safetensors"}, "L418"),
        ("strangers_networks:Net", {"weights": "pictures/cat/broken.png"}, "L421"),
        ("strangers_networks:Net", {"weights": "other.safetensors"}, "L428"),
        ("strangers_networks:Net", {"image_size": 3}, "L416"),
    ],
)
def test_what_cannot_be_opened_is_one_line(pictures: Path, tmp_path: Path, model: str, more: dict, code: str) -> None:  # type: ignore[type-arg]
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(LimpideError) as caught:
        open_network(model, more.pop("images", str(pictures)), tmp_path / "runs", **more)
    assert caught.value.code == code and "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert not list((tmp_path / "runs").glob("*"))


def test_the_command_opens_it_and_leaves_nothing_behind(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    command = ("studio", "--no-browser", "--model", "strangers_networks:Net", "--images", "pictures")
    with started(command, tmp_path, TMPDIR=str(tmp_path / "temporary")) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "#page=anatomy&run=strangers_networks-Net-001" in line
        assert list((tmp_path / "temporary").glob("limpide-*"))
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert not list((tmp_path / "temporary").glob("limpide-*"))
