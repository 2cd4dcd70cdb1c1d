"""Distances to kept patches: against scikit-learn's neighbours, and what the sealed file says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from limpide.data.preprocessing import Preprocessing
from limpide.deploy.detection import Detection
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.models.good_parts import STEEPNESS, GoodParts, score_of, strangeness
from limpide.training.batches import as_tensor
from limpide.training.good_parts import keep_patches
from tests.make_parts import plate

SEEN = Preprocessing(96, 3, "squash", "bicubic", (127.0,), (128.0,), 144)


@pytest.fixture(scope="module")
def squares() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.stack([SEEN.pixels(plate("", random, side=96)) for _ in range(4)])


@pytest.fixture(scope="module")
def model(squares: np.ndarray) -> GoodParts:
    made = GoodParts(patches=64)
    made.load_imagenet()
    with torch.inference_mode():
        patches = made.patches(as_tensor(squares[:3], SEEN)).flatten(2).transpose(1, 2).flatten(0, 1)
    keep_patches(made, patches, seed=0)
    made.threshold.fill_(2.0)
    return made


def test_the_distances_are_those_of_scikit_learn(model: GoodParts, squares: np.ndarray) -> None:
    with torch.inference_mode():
        patches = model.patches(as_tensor(squares, SEEN))
        found = model.nearest(patches).flatten(1).numpy()
    points = patches.flatten(2).transpose(1, 2).numpy().astype(np.float64)
    neighbors = NearestNeighbors(n_neighbors=1).fit((model.bank + model.mean).numpy().astype(np.float64))
    expected = np.stack([neighbors.kneighbors(one)[0][:, 0] for one in points])
    far = expected > 1e-2 * expected.max()  # of a patch that is kept itself, rounding is all there is
    assert far.mean() > 0.5
    assert np.abs(found[far] / expected[far] - 1).max() < 1e-4
    assert np.abs(found - expected).max() < 2e-2 * expected.max()


def test_a_part_is_as_strange_as_its_farthest_patches() -> None:
    distances = torch.arange(80.0).reshape(1, 80).flip(1)
    assert strangeness(distances).tolist() == [78.5]  # a fortieth of 80: the mean of 79 and 78


def test_the_logits_are_equal_at_the_threshold(model: GoodParts) -> None:
    at = model.head(torch.ones(1, 144))[0].tolist()
    beyond = model.head(torch.full((1, 144), 1.2))[0].tolist()
    assert at == [0.0, 0.0] and score_of(at) == 1.0
    assert beyond[1] - beyond[0] == pytest.approx(0.2 * STEEPNESS, rel=1e-5)


def test_it_learns_nothing_by_slopes(model: GoodParts) -> None:
    assert not any(value.requires_grad for value in model.parameters()) and not model.training


def test_the_sealed_file_says_the_same_and_where(model: GoodParts, squares: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    detection = Detection(STEEPNESS, 0.25, (0.5, 0.8, 1.0))
    export(model, SEEN, ("good", "defect"), file, name="good_parts", detection=detection)
    predictor = Predictor(file)
    images = [Image.fromarray(square) for square in squares]
    with torch.inference_mode():
        logits, distances = model(as_tensor(squares, SEEN)), model.features(as_tensor(squares, SEEN))
    assert np.abs(predictor.logits(images) - logits.numpy()).max() < 1e-3
    assert np.abs(predictor.features(images) - distances.numpy()).max() < 0.05  # of kept patches, which are at 0
    assert predictor.detection == detection
    found = predictor.strangeness(images)
    scores = [score_of(row) for row in logits.tolist()]
    assert [one.score for one in found] == pytest.approx(scores, abs=1e-4)
    assert [one.p_value for one in found] == [(1 + sum(s >= score for s in detection.scores)) / 4 for score in scores]
    assert file.stat().st_size < 15_000_000
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    one_at_a_time = session.run(["logits"], {"image": squares[:1]})[0]
    assert np.abs(one_at_a_time - logits[:1].numpy()).max() < 1e-3


def test_a_classifier_does_not_say_how_strange_an_image_is(tmp_path: Path) -> None:
    from limpide.core.errors import ModelError
    from limpide.models import build

    export(build("linear", 2, 3, 32), Preprocessing(32, 3), ("a", "b"), tmp_path / "model.onnx")
    with pytest.raises(ModelError) as raised:
        Predictor(tmp_path / "model.onnx").strangeness([Image.new("RGB", (32, 32))])
    assert raised.value.code == "L431"
