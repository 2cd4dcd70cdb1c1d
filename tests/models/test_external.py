"""Networks that are not ours: a user's own, by name, from training to report; and what is said of names that lead
nowhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from limpide.core.errors import ModelError
from limpide.models import build, find
from limpide.system.files import cache_folder
from tests.make_images import photo_folder
from tests.runner import limpide

NETS = """
from torch import nn


class Small(nn.Module):
    def __init__(self, num_classes, in_chans=3):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_chans, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, num_classes))

    def forward(self, x):
        return self.body(x)


def wide(classes, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, classes))


class Torn(nn.Module):
    # Its second convolution expects three maps and gets a hundred.
    def __init__(self, classes):
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 100, 5), nn.Conv2d(3, 50, 3), nn.Linear(50, classes)

    def forward(self, x):
        return self.last(self.second(self.first(x).relu()).relu().mean((2, 3)))


def normed(classes):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.LazyLinear(classes))


def pooled(classes):
    return nn.Sequential(nn.MaxPool2d(40), nn.Flatten(), nn.Linear(3, classes))


def fixed(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, classes))


def of_seven(classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(7))


def no_network(classes):
    return classes


def without_classes():
    raise SystemExit("never called")


LIST = [1]


class NothingToLearn(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, x):
        return x.flatten(1)[:, : self.classes]


class NotInOnnx(nn.Module):
    def __init__(self, classes, channels):
        super().__init__()
        self.pool, self.last = nn.AdaptiveMaxPool2d(7), nn.Linear(49 * channels, classes)

    def forward(self, x):
        return self.last(self.pool(x).flatten(1))
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "strangers_nets.py").write_text(NETS)
    for name, text in (("syntax", "def ("), ("run", "1 / 0"), ("exit", "raise SystemExit(3)")):
        (tmp_path / f"broken_{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "strangers_nets", raising=False)
    return tmp_path


def test_a_class_and_a_function_are_given_what_they_ask_for(nets: Path) -> None:
    assert type(build("strangers_nets:Small", 4, 1, 20)).__name__ == "Small"
    assert build("strangers_nets:wide", 4, 3, 20)[1].in_features == 1200  # type: ignore[index]
    assert build("strangers_nets:wide", 4, 3, 20).training


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("strangers_nets:Smal", "L414", "Smal"),
        ("strangers_net:Small", "L414", "strangers_net"),
        ("strangers_nets:", "L414", "package.module:factory"),
        (":Small", "L414", "package.module:factory"),
        ("strangers_nets:LIST", "L415", "torch.nn.Module"),
        ("strangers_nets:without_classes", "L415", "torch.nn.Module"),
        ("os:system", "L415", "torch.nn.Module"),
        ("builtins:eval", "L415", "torch.nn.Module"),
        (
            "strangers_nets:fixed",
            "L464",
            (
                "expects 192 numbers per image and gets 1,200 numbers per image, for images of 3 channels and 20 px — "
                "strangers_nets:fixed: 1 (Linear)"
            ),
        ),
        (
            "strangers_nets:Torn",
            "L464",
            (
                "this layer expects 3 maps and gets 100 maps, for images of 3 channels and 20 px — "
                "strangers_nets:Torn: second (Conv2d)"
            ),
        ),
        (
            "strangers_nets:normed",
            "L464",
            (
                "expects 5 maps and gets 4 maps, for images of 3 channels and 20 px — strangers_nets:normed: 1 "
                "(BatchNorm2d)"
            ),
        ),
        ("strangers_nets:pooled", "L416", "strangers_nets:pooled: 0 (MaxPool2d)"),
        ("strangers_nets:no_network", "L416", "eval"),
        ("strangers_nets:of_seven", "L417", "(2, 7)"),
        ("strangers_nets:NothingToLearn", "L425", "no parameters"),
        ("broken_syntax:Net", "L414", "SyntaxError"),
        ("broken_run:Net", "L414", "ZeroDivisionError"),
        ("broken_exit:Net", "L414", "SystemExit"),
        (".:x", "L414", "package.module:factory"),
    ],
)
def test_what_is_said_of_others(nets: Path, name: str, code: str, says: str) -> None:
    with pytest.raises(ModelError, match=code) as raised:
        build(name, 4, 3, 20)
    assert says in str(raised.value) and len(str(raised.value).splitlines()) == 1


def test_train_predict_and_report_by_name(nets: Path) -> None:
    photos = photo_folder(nets / "shapes", per_class=14, size=(40, 40), classes=("disc", "square"))
    done = limpide("train", photos, "--model", "strangers_nets:Small", "--epochs", 2, "--json", cwd=nets)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["run"]
    assert (nets / run / "report.html").stat().st_size > 10_000
    named = limpide("predict", run, photos / "disc" / "0000.png", cwd=nets)
    assert named.returncode == 0 and ("disc" in named.stdout or "square" in named.stdout)
    opened = limpide("explain", run, photos / "disc" / "0000.png", cwd=nets)
    assert opened.returncode == 0 and "body.0" in opened.stdout
    listed = limpide("models", "strangers_nets:Small", cwd=nets)
    assert listed.returncode == 0 and "body.4 Linear" in listed.stdout


def test_timm_is_an_optional_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match="L412"):
        build("timm:resnet18", 3, 3, 32)

    def create_model(name: str, num_classes: int, in_chans: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(in_chans, num_classes, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    monkeypatch.setitem(
        sys.modules, "timm", SimpleNamespace(list_models=lambda: ["resnet18"], create_model=create_model)
    )
    assert find("timm:resnet18").build("timm:resnet18", 3, 3, 32)(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    with pytest.raises(ModelError, match=r"did you mean resnet18.*L413"):
        build("timm:resnet81", 3, 3, 32)


def test_a_network_that_cannot_be_shipped_is_refused_before_it_learns(nets: Path) -> None:
    photos = photo_folder(nets / "shapes", per_class=14, size=(40, 40), classes=("disc", "square"))
    refused = limpide("train", photos, "--model", "strangers_nets:NotInOnnx", "--image-size", 32, cwd=nets, status=4)
    assert "L426" in refused.stderr and "graph(" not in refused.stdout and "epoch 1" not in refused.stdout
    assert "interrupted" not in limpide("runs", cwd=nets).stdout


AT_ONCE = """
from limpide.cli import main
from limpide.deploy.predictor import Predictor
Predictor.milliseconds = lambda *_: 1.0
main()
"""


def test_an_edited_network_is_measured_anew(nets: Path) -> None:
    program = ("-c", AT_ONCE)  # how fast it is does not matter
    first = json.loads(limpide("models", "strangers_nets:Small", "--json", cwd=nets, program=program).stdout)
    (nets / "strangers_nets.py").write_text(
        NETS.replace("in_chans, 8, 3, 2", "in_chans, 16, 3, 2").replace("nn.Linear(8, num", "nn.Linear(16, num")
    )
    second = json.loads(limpide("models", "strangers_nets:Small", "--json", cwd=nets, program=program).stdout)
    assert second["parameters"] > first["parameters"] and not list((cache_folder() / "speed").glob("*strangers*")), (
        "nothing of it is remembered"
    )
