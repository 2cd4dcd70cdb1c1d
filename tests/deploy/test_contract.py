"""What a sealed file says of itself: of both versions, of one to come, and damaged in every way we could think of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from PIL import Image

from limpide.core.errors import ModelError
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.contract import CONTRACT, KEY, MAX_BYTES, SELF_TEST, TRAIN_STATS
from limpide.deploy.export import export
from limpide.deploy.predictor import Predictor
from limpide.deploy.train_stats import Looked, TrainStats, make_train_stats
from limpide.models import build
from limpide.text.language import use_language

OLD = Path(__file__).parent / "contract_1.onnx"  # written by the code of version 1: 3 classes, grey squares of 8 pixels
CLASSES = ("a", "b", "c")


def looked(n: int, classes: int, width: int | None, seed: int = 0) -> Looked:
    random = np.random.default_rng(seed)
    features = None if width is None else random.normal(3, 2, (n, width)).astype(np.float32)
    probabilities = random.dirichlet(np.ones(classes), n).astype(np.float32)
    return Looked(probabilities, features, random.random((n, 3)), random.integers(8, 900, (n, 2)))


def stats(classes: int = 3, width: int = 64) -> TrainStats:
    return make_train_stats(np.full(classes, 20), looked(60, classes, width), looked(12, classes, width, 1))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("sealed") / "model.onnx"
    p = Preprocessing(8, 1, "squash", "bilinear", (127.0,), (128.0,), 16)
    model = build("linear", 3, 1, 8).eval()
    export(model, p, CLASSES, file, temperature=1.25, name="linear", judged="held-out", train_stats=stats())
    return file


def told(file: Path) -> dict[str, Any]:
    return {prop.key: json.loads(prop.value) for prop in onnx.load(file).metadata_props}


def rewritten(sealed: Path, target: Path, texts: dict[str, str | None]) -> Path:
    """The file with other metadata; None: taken out."""
    model = onnx.load(sealed)
    kept = {prop.key: prop.value for prop in model.metadata_props} | texts
    del model.metadata_props[:]
    helper.set_model_props(model, {key: text for key, text in kept.items() if text is not None})
    onnx.save(model, target)
    return target


def refused(file: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Predictor(file)
    assert "\n" not in str(caught.value) and str(file) in str(caught.value) and len(str(caught.value)) < 600
    return caught.value


def test_version_2_says_what_it_is(sealed: Path) -> None:
    predictor = Predictor(sealed)
    assert (predictor.contract, predictor.judged, predictor.train_stats) == (CONTRACT, "held-out", stats())
    assert CONTRACT == 2 and told(sealed)[KEY]["features"] == 64
    outputs = {output.name: output.shape for output in predictor.session.get_outputs()}
    assert outputs == {"logits": ["batch", 3], "probabilities": ["batch", 3], "features": ["batch", 64]}
    assert list(outputs) == ["logits", "probabilities", "features"]
    result = predictor.self_test()
    assert result is not None and result.agrees and result.n == 8 and result.difference <= 2e-6
    assert "same answers as when it was sealed" in str(result)


def test_version_1_opens_and_answers_as_before() -> None:
    predictor = Predictor(OLD)
    image = Image.new("RGB", (20, 12), (200, 30, 90))
    assert predictor.classes == CLASSES and predictor.temperature == 1.25 and predictor.model == "linear"
    before = [0.9999806880950928, 1.931808947119862e-05, 3.731958075903208e-10]  # by the code that wrote it
    assert predictor.probabilities([image])[0] == pytest.approx(before, abs=1e-6)
    assert (predictor.contract, predictor.judged, predictor.train_stats) == (1, None, None)
    assert predictor.self_test() is None
    with pytest.raises(ModelError, match="L430"):
        predictor.features([image])


def test_a_newer_version_is_refused_with_what_to_do(sealed: Path, tmp_path: Path) -> None:
    contract = told(sealed)[KEY]
    newer = {**contract, "contract": 3, "preprocessing": {**contract["preprocessing"], "of": "tomorrow"}}
    error = refused(rewritten(sealed, tmp_path / "new.onnx", {KEY: json.dumps(newer)}))
    assert error.code == "L429" and "pip install --upgrade limpide" in str(error) and "version 3" in str(error)
    use_language("fr")
    assert "version 3" in str(error) and "follows" not in str(error)


CONTRACTS: dict[str, dict[str, Any]] = {
    "no version": {"contract": "2"},
    "version 0": {"contract": 0},
    "version true": {"contract": True},
    "version of many digits": {"contract": 10**30},
    "no classes": {"classes": []},
    "classes are numbers": {"classes": [1, 2, 3]},
    "one class less": {"classes": ["a", "b"]},
    "temperature nan": {"temperature": float("nan")},
    "temperature 0": {"temperature": 0},
    "temperature without end": {"temperature": float("inf")},
    "another width": {"features": 63},
    "a width below": {"features": -1},
    "judged by nobody": {"judged": "by my uncle"},
    "no network": {"model": None},
    "no preprocessing": {"preprocessing": None},
}
PREPROCESSING: dict[str, Any] = {
    "size": [0, 10**9, 8.5, "8"],
    "channels": [2, -1],
    "fit": ["wish"],
    "filter": ["lanczos"],
    "mean": [[], [1, 2], [float("nan")], "x"],
    "std": [[0.0], [1, 2]],
    "jpeg_side": [-1],
    "centre": [0, 1025],
    "value_range": [[5, 5], [float("nan"), 1], [1]],
}


@pytest.mark.parametrize("damage", CONTRACTS)
def test_a_damaged_contract_is_one_line(sealed: Path, tmp_path: Path, damage: str) -> None:
    text = json.dumps({**told(sealed)[KEY], **CONTRACTS[damage]})
    assert refused(rewritten(sealed, tmp_path / "model.onnx", {KEY: text})).code == "L405"


@pytest.mark.parametrize("field", PREPROCESSING)
def test_an_absurd_preprocessing_is_one_line(sealed: Path, tmp_path: Path, field: str) -> None:
    contract = told(sealed)[KEY]
    for value in PREPROCESSING[field]:
        text = json.dumps({**contract, "preprocessing": {**contract["preprocessing"], field: value}})
        error = refused(rewritten(sealed, tmp_path / "model.onnx", {KEY: text}))
        assert error.code == "L405" and f"preprocessing.{field}" in str(error)


@pytest.mark.parametrize("key", [KEY, SELF_TEST, TRAIN_STATS])
@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000, "{}", "large", "deep"])
def test_texts_that_are_not_ours_are_one_line(sealed: Path, tmp_path: Path, key: str, text: str) -> None:
    if text == "large":
        text = json.dumps({**told(sealed)[key], "more": "x" * MAX_BYTES[key]})
    if text == "deep":
        text = '{"a":' * 50_000 + "1" + "}" * 50_000
    assert refused(rewritten(sealed, tmp_path / "model.onnx", {key: text})).code == "L405"


SELF_TESTS: dict[str, dict[str, Any]] = {
    "of another recipe": {"recipe": "x"},
    "huge images": {"images": [[k, 10**8, 10**8] for k in range(8)]},
    "no images": {"images": [[k, 0, 5] for k in range(8)]},
    "too many images": {"images": [[1, 3, 3]] * 17, "places": [[0]] * 17, "probabilities": [[0.5]] * 17},
    "one image less": {"images": [[0, 1, 1]]},
    "classes that are not": {"places": [[7, 8, 9]] * 8},
    "classes below": {"places": [[-1, 0, 1]] * 8},
    "fewer answers": {"probabilities": [[0.1]] * 8},
    "nan": {"probabilities": [[float("nan"), 0.1, 0.1]] * 8},
    "beyond one": {"probabilities": [[1.5, 0.1, 0.1]] * 8},
    "anything agrees": {"tolerance": 1e9},
}


@pytest.mark.parametrize("damage", SELF_TESTS)
def test_a_damaged_self_test_is_one_line(sealed: Path, tmp_path: Path, damage: str) -> None:
    text = json.dumps({**told(sealed)[SELF_TEST], **SELF_TESTS[damage]})
    assert refused(rewritten(sealed, tmp_path / "model.onnx", {SELF_TEST: text})).code == "L405"


def absurd(found: dict[str, Any], damage: str) -> dict[str, Any]:
    space, train = found["subspace"], found["train"]
    changes: dict[str, dict[str, Any]] = {
        "levels backwards": {"levels": found["levels"][::-1]},
        "counts of other classes": {"counts": [1, 2]},
        "counts below": {"counts": [-1, 41, 20]},
        "nan": {"train": {**train, "best": [float("nan")] * 7}},
        "quantiles that fall": {"train": {**train, "best": train["best"][::-1]}},
        "of no image": {"train": {**train, "n": 0}},
        "no base64": {"subspace": {**space, "mean": {**space["mean"], "float16": "é!"}}},
        "half a number": {"subspace": {**space, "mean": {**space["mean"], "float16": "AA=="}}},
        "another shape": {"subspace": {**space, "mean": {**space["mean"], "shape": [63]}}},
        "a shape below": {"subspace": {**space, "mean": {**space["mean"], "shape": [-1]}}},
        "a shape beyond": {"subspace": {**space, "mean": {**space["mean"], "shape": [2**62, 2**62]}}},
        "no unit": {"subspace": {**space, "scale": {**space["scale"], "unit": 0.0}}},
        "a unit beyond": {"subspace": {**space, "scale": {**space["scale"], "unit": 1e300}}},
        "scale below": {"subspace": {**space, "scale": {**space["scale"], "unit": -1.0}}},
        "not finite": {"subspace": {**space, "mean": {**space["mean"], "float16": "AHwA" * 42 + "AHw="}}},
        "of other classes": {"probabilities": {**found["probabilities"], "shape": [7, 3]}},
        "too much of the variance": {"subspace": {**space, "share": 2.0}},
    }
    return {**found, **changes[damage]}


@pytest.mark.parametrize(
    "damage",
    """levels backwards|counts of other classes|counts below|nan|quantiles that fall|of no image|no base64|half a number
    |another shape|a shape below|a shape beyond|no unit|a unit beyond|scale below|not finite|of other classes
    |too much of the variance""".replace("\n    ", "").split("|"),
)
def test_absurd_statistics_are_one_line(sealed: Path, tmp_path: Path, damage: str) -> None:
    text = json.dumps(absurd(told(sealed)[TRAIN_STATS], damage))
    assert refused(rewritten(sealed, tmp_path / "model.onnx", {TRAIN_STATS: text})).code == "L405"


def test_without_statistics_it_opens_and_without_a_self_test_not(sealed: Path, tmp_path: Path) -> None:
    assert Predictor(rewritten(sealed, tmp_path / "model.onnx", {TRAIN_STATS: None})).train_stats is None
    assert SELF_TEST in str(refused(rewritten(sealed, tmp_path / "model.onnx", {SELF_TEST: None})))


def test_a_network_that_was_changed_fails_its_self_test(sealed: Path, tmp_path: Path) -> None:
    model = onnx.load(sealed)
    (temperature,) = [one for one in model.graph.initializer if one.name == "temperature"]
    temperature.CopyFrom(helper.make_tensor("temperature", onnx.TensorProto.FLOAT, [], [0.9]))
    onnx.save(model, tmp_path / "model.onnx")
    result = Predictor(tmp_path / "model.onnx").self_test()
    assert result is not None and not result.agrees and "other answers" in str(result)


def test_it_is_hardly_larger_than_version_1(tmp_path: Path) -> None:
    """The limits themselves, where they bind: a thousand classes, features as wide as a photograph's."""
    classes = tuple(f"class {k}" for k in range(1000))
    model, p = build("linear", 1000, 3, 20).eval(), Preprocessing(20, 3)
    export(model, p, classes, tmp_path / "a.onnx", train_stats=stats(1000, 1200))
    told_here = told(tmp_path / "a.onnx")
    sizes = {key: len(json.dumps(told_here[key])) for key in told_here}
    assert sizes[SELF_TEST] <= 30_000 and sizes[TRAIN_STATS] <= 64_000
    bare = rewritten(tmp_path / "a.onnx", tmp_path / "b.onnx", {SELF_TEST: None, TRAIN_STATS: None})
    assert (tmp_path / "a.onnx").stat().st_size - bare.stat().st_size <= 96_000, "the output of features is a name"
    assert Predictor(tmp_path / "a.onnx").train_stats == stats(1000, 1200)
