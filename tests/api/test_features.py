"""Features: frozen networks as scikit-learn transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from limpide import Features, ImageClassifier, LimpideError
from limpide.data.read_images import Pixels
from limpide.training.build import published_network
from limpide.training.device import choose_device, has_fast_bf16
from limpide.training.linear_head import frozen_features, load_features
from tests.make_images import photo_folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    files = sorted(
        photo_folder(
            tmp_path_factory.mktemp("features") / "photos", per_class=8, size=(64, 64), classes=("disc", "square")
        ).rglob("*.png")
    )
    return files, [file.parent.name for file in files]


def test_they_are_what_the_network_says_before_its_last_layer(photos: tuple[list[Path], list[str]]) -> None:
    files, _ = photos
    found = Features("efficientnet_lite0").transform(files[:3])
    assert found.shape == (3, 1280) and found.dtype == np.float32
    model, p = published_network("efficientnet_lite0")
    square = (p.pixels(Image.open(files[1]).convert("RGB")).astype(np.float32) - 127) / 128
    with torch.no_grad():
        logits = model(torch.from_numpy(square.transpose(2, 0, 1)[None]))[0].numpy()
    head = model.head
    again = found[1] @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    if has_fast_bf16(torch.device("cpu")):  # features of two digits
        assert np.corrcoef(again, logits)[0, 1] > 0.98
    else:
        assert np.abs(again - logits).max() < 1e-3
    arrays = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files[:3]])
    assert np.allclose(Features().transform(arrays), found, atol=1e-5)


def test_they_are_those_of_a_training(photos: tuple[list[Path], list[str]], tmp_path: Path) -> None:
    """The same pass over the frozen network, so the same numbers."""
    files, _ = photos
    model, p = published_network("efficientnet_lite0")
    squares = np.stack([p.pixels(Image.open(file).convert("RGB")) for file in files])
    pixels, rows = Pixels(p, np.arange(len(files)), squares), np.arange(len(files))
    list(frozen_features(model, pixels, rows, tmp_path, choose_device("auto")))
    assert np.abs(Features().transform(files) - load_features(pixels, rows, tmp_path)).max() < 1e-3


def test_scikit_learn_eats_them_and_two_networks_join(photos: tuple[list[Path], list[str]], tmp_path: Path) -> None:
    files, labels = photos
    pipeline = make_pipeline(Features(), LogisticRegression(max_iter=500)).fit(files[::2], labels[::2])
    assert pipeline.score(files[1::2], labels[1::2]) == 1.0
    small = ImageClassifier(model="cnn", epochs=1, runs=str(tmp_path), judge=False, quiet=True)
    run = small.fit(str(files[0].parents[1])).run_
    both = make_union(Features(), Features(str(run)))
    joined = both.fit_transform(files[:4])
    assert joined.shape == (4, 1280 + Features(str(run)).transform(files[:1]).shape[1])
    assert clone(both).transformer_list[0][1].network == "efficientnet_lite0"


@pytest.mark.parametrize(
    ("network", "code"),
    [("efficientnet-lite0", "L122.*|.*efficientnet_lite0"), ("resnet50", "L122"), ("nowhere", "L122")],
)
def test_a_network_without_published_weights(network: str, code: str) -> None:
    with pytest.raises(LimpideError, match=code):
        Features(network).transform(np.zeros((1, 8, 8), np.uint8))


def test_floats_are_scaled_as_the_run_was_trained(tmp_path: Path) -> None:
    digits = load_digits()
    clf = ImageClassifier(model="linear", epochs=1, runs=str(tmp_path), quiet=True, judge=False).fit(
        digits.images, digits.target
    )
    features = Features(clf.run_)
    dim = np.minimum(digits.images[:1], 1.0)
    alone, beside = features.transform(dim), features.transform(np.concatenate([dim, digits.images[1:3]]))
    assert np.array_equal(alone[0], beside[0]), "the features of an image do not depend on its neighbours"
    assert features.transform(digits.images[:5]).shape == (5, 64) and len(features.get_feature_names_out()) == 64


def test_rows_of_numbers_are_refused_and_nothing_gives_nothing() -> None:
    with pytest.raises(LimpideError, match="L222"):
        Features().transform(np.zeros((3, 64)))
    assert Features().transform([]).shape == (0, 1280)


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"nothing")
    for name, code in (("x.jpg", "L207"), ("gone.jpg", "L208")):
        with pytest.raises(LimpideError, match=code):
            Features().transform([tmp_path / name])
