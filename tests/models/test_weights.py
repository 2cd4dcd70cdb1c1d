"""Weights from a file, a run, the hub: every layer but the last, or one line that says why not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from limpide.core.errors import ModelError
from limpide.models import build
from limpide.models.weights import load_into, weights_file
from tests.make_images import photo_folder
from tests.runner import QUICKLY, limpide


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    save_file(build("cnn", 10, 1, 28).state_dict(), tmp_path / "cnn.safetensors")
    return tmp_path / "cnn.safetensors"


def test_all_layers_but_the_last(saved: Path) -> None:
    torch.manual_seed(7)
    source = build("cnn", 10, 1, 28).state_dict()
    model = build("cnn", 3, 1, 28)  # other classes
    head = model.head.weight.clone()
    load_into(model, str(saved))
    for name, value in model.state_dict().items():
        assert (
            torch.equal(value, head)
            if name == "head.weight"
            else name == "head.bias" or torch.equal(value, source[name])
        ), name


@pytest.mark.parametrize(
    ("name", "channels", "code", "says"),
    [("mlp", 1, "L419", "blocks.0.0.weight"), ("cnn", 3, "L420", "(16, 1, 3, 3)")],
)
def test_weights_of_another_network(saved: Path, name: str, channels: int, code: str, says: str) -> None:
    model = build(name, 10, channels, 28)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ModelError, match=code) as raised:
        load_into(model, str(saved))
    assert says in str(raised.value) or code == "L419"
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items()), "nothing was changed"


def test_what_is_no_safetensors(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(ModelError, match="L421"):
        load_into(build("cnn", 2, 1, 28), str(tmp_path / "x.pth"))
    with pytest.raises(ModelError, match="L418"):
        weights_file(str(tmp_path / "gone.safetensors"))
    with pytest.raises(ModelError, match="L418"):
        weights_file(str(tmp_path))


def test_the_hub_is_asked_only_when_it_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelError, match="L422"):
        weights_file("hf:owner/name/model.safetensors")
    asked = []

    def hf_hub_download(repo: str, file: str) -> str:
        asked.append((repo, file))
        if repo != "owner/name":
            raise ConnectionError(repo)
        return str(saved)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=hf_hub_download))
    assert weights_file("hf:owner/name/sub/model.safetensors") == saved and asked == [
        ("owner/name", "sub/model.safetensors")
    ]
    for source, code in (
        ("hf:owner/name/model.pth", "L423"),
        ("hf:owner", "L423"),
        ("hf:nobody/name/m.safetensors", "L424"),
    ):
        with pytest.raises(ModelError, match=code):
            weights_file(source)


def test_training_starts_from_them(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "shapes", per_class=14, size=(32, 32), classes=("disc", "square"))
    command = ("train", photos, "--model", "resnet20", "--epochs", 1)
    first = json.loads(limpide(*command, "--json", cwd=tmp_path, program=QUICKLY).stdout)["run"]
    again = limpide(*command, "--weights", first, "--lr", "1e-8", cwd=tmp_path, program=QUICKLY)
    assert "starts from the weights of" in " ".join(
        again.stdout.split()
    ) and "the last layer starts from scratch" in " ".join(again.stdout.split())
    from safetensors.torch import load_file

    before, after = (
        load_file(tmp_path / "runs" / name / "snapshots" / "best.safetensors") for name in ("shapes-001", "shapes-002")
    )
    assert torch.allclose(before["stem.0.0.weight"], after["stem.0.0.weight"], atol=1e-4) and not torch.equal(
        before["head.weight"], after["head.weight"]
    )
    assert "L418" in limpide("train", photos, "--weights", "nothing.safetensors", cwd=tmp_path, status=4).stderr
    assert len(list((tmp_path / "runs").iterdir())) == 2, (
        "a source that is not there is found before anything is written"
    )


def test_lite0_from_scratch_when_asked(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "shapes", per_class=12, size=(40, 40), classes=("disc", "square"))
    done = limpide(
        "train",
        photos,
        "--model",
        "efficientnet_lite0",
        "--weights",
        "none",
        "--epochs",
        1,
        "--image-size",
        32,
        "--batch",
        8,
        cwd=tmp_path,
        program=QUICKLY,
    )
    assert "a first model is ready" not in done.stdout
