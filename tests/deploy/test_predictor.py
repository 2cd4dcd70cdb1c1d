"""A Predictor reads files as training did, answers in order, and says in one line what is wrong with a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image

from limpide.core.errors import DataError, ModelError
from limpide.data.decoding.decode import decode
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import export
from limpide.deploy.predictor import BATCH, Prediction, Predictor
from limpide.models import build
from tests.make_images import photo, photo_folder

CLASSES = ("disc", "square", "bars")


@pytest.fixture(scope="module", params=[1, 3], ids=["grey", "colour"])
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("sealed") / "model.onnx"
    p = Preprocessing(32, request.param, "squash", "bicubic", (127.0,), (60.0,), 64)
    export(build("cnn", 3, request.param, 32).eval(), p, CLASSES, file, temperature=0.7, name="cnn")
    return file


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several formats, sizes and modes, more than one batch of them."""
    folder = photo_folder(tmp_path_factory.mktemp("inbox"), per_class=BATCH // 2, size=(50, 37))
    photo(folder / "large.jpg", size=(700, 500))
    photo(folder / "small.png", size=(32, 32))
    Image.open(photo(folder / "x.png")).convert("L").save(folder / "grey.png")
    Image.open(folder / "x.png").convert("P").save(folder / "palette.gif")
    return folder


def raw(predictor: Predictor, file: Path) -> np.ndarray:
    """The way of a stranger's program: decode to RGB, give the file the whole array."""
    image = np.asarray(decode(file.read_bytes(), predictor.preprocessing.jpeg_side))
    return np.asarray(predictor.session.run(["probabilities"], {"image": image[None]})[0][0])


def test_files_and_raw_arrays_give_equal_probabilities(sealed: Path, inbox: Path) -> None:
    predictor = Predictor(sealed)
    files = sorted(p for p in inbox.rglob("*") if p.is_file())
    found = list(predictor.predict(files, top=3))
    assert [item.file for item in found] == [str(file) for file in files] and len(files) > BATCH
    for file, item in zip(files, found, strict=True):
        assert isinstance(item, Prediction)
        expected = raw(predictor, file)
        got = np.array([dict(item.top)[name] for name in CLASSES])
        assert np.abs(got - expected).max() <= 1e-5
        assert item.label == CLASSES[int(expected.argmax())] == item.top[0][0] and item.probability == item.top[0][1]


def test_pixel_tensors_are_equal(sealed: Path, inbox: Path) -> None:
    """What enters the network: the declared pixels, bit for bit, whichever way the image came."""
    predictor = Predictor(sealed)
    model = onnx.load(sealed)
    model.graph.output.append(helper.make_tensor_value_info("pixels", TensorProto.FLOAT, None))
    opened = __import__("onnxruntime").InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    p = predictor.preprocessing
    for name in ("large.jpg", "small.png", "grey.png", "palette.gif", "x.png"):
        image = decode((inbox / name).read_bytes(), p.jpeg_side)
        square = p.pixels(image)
        whole = opened.run(["pixels"], {"image": np.asarray(image)[None]})[0]
        passed = opened.run(["pixels"], {"image": np.repeat(square, 3 // p.channels, axis=-1)[None]})[0]
        declared = ((square.astype(np.float32) - np.float32(127.0)) / np.float32(60.0)).transpose(2, 0, 1)[None]
        assert np.array_equal(whole, passed) and np.array_equal(whole, declared)


def test_probabilities_are_softmax_of_cooled_logits(sealed: Path, inbox: Path) -> None:
    predictor = Predictor(sealed)
    images = [Image.open(inbox / "x.png").convert("RGB")]
    logits = torch.from_numpy(predictor.logits(images)) / predictor.temperature
    assert np.allclose(
        predictor.probabilities(images), logits.softmax(1).numpy(), atol=1e-6
    ) and predictor.temperature == pytest.approx(0.7)


def test_bad_files_are_told_in_their_place(sealed: Path, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "cut.png").write_bytes((inbox / "small.png").read_bytes()[:200])
    files = [
        inbox / "x.png",
        tmp_path / "empty.jpg",
        tmp_path / "page.jpg",
        tmp_path / "cut.png",
        tmp_path / "gone.jpg",
        tmp_path,
        inbox / "grey.png",
    ]
    found = list(Predictor(sealed).predict(files))
    assert [type(item).__name__ for item in found] == ["Prediction"] + ["DataError"] * 5 + ["Prediction"]
    assert [item.code for item in found if isinstance(item, DataError)] == ["L207", "L207", "L207", "L208", "L208"]
    for item, file in zip(found, files, strict=True):
        assert str(file) in str(item) and "\n" not in str(item)


def test_nothing_but_bad_files_and_nothing_at_all(sealed: Path, tmp_path: Path) -> None:
    assert [type(item) for item in Predictor(sealed).predict([tmp_path / "a", tmp_path / "b"])] == [
        DataError,
        DataError,
    ]
    assert list(Predictor(sealed).predict([])) == []


@pytest.mark.parametrize(("top", "count"), [(0, 1), (1, 1), (2, 2), (3, 3), (99, 3)])
def test_top(sealed: Path, inbox: Path, top: int, count: int) -> None:
    (item,) = Predictor(sealed).predict([inbox / "x.png"], top)
    assert isinstance(item, Prediction) and len(item.top) == count
    assert [p for _, p in item.top] == sorted((p for _, p in item.top), reverse=True)
    assert set(item.to_json()) == {"file", "label", "probability", "abstained", "top", "clipped"} and not item.abstained
    json.dumps(item.to_json())


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        Predictor(tmp_path / "model.onnx")
    assert caught.value.code == "L403"


def test_somebody_elses(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["a"], ["b"])],
        "g",
        [value("a", TensorProto.FLOAT, [1])],
        [value("b", TensorProto.FLOAT, [1])],
    )
    file = tmp_path / "theirs.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), file)
    with pytest.raises(ModelError) as caught:
        Predictor(file)
    assert caught.value.code == "L404" and str(file) in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "flipped"])
def test_damaged(sealed: Path, tmp_path: Path, damage: str) -> None:
    data = sealed.read_bytes()
    flipped = bytes([data[0] ^ 0xFF]) + data[1:]
    file = tmp_path / "model.onnx"
    file.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"hello", "flipped": flipped}[damage])
    with pytest.raises(ModelError) as caught:
        Predictor(file)
    assert caught.value.code in ("L404", "L405") and "\n" not in str(caught.value)


def test_a_contract_that_is_no_json(sealed: Path, tmp_path: Path) -> None:
    model = onnx.load(sealed)
    helper.set_model_props(model, {"limpide": "{"})
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError) as caught:
        Predictor(tmp_path / "model.onnx")
    assert caught.value.code == "L405"


@pytest.mark.parametrize(
    "contract", ["{}", "[]", '{"classes": ["a"], "preprocessing": {}, "temperature": 1, "model": "x"}']
)
def test_a_contract_that_lacks_something(sealed: Path, tmp_path: Path, contract: str) -> None:
    model = onnx.load(sealed)
    helper.set_model_props(model, {"limpide": contract})
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError) as caught:
        Predictor(tmp_path / "model.onnx")
    assert caught.value.code in ("L404", "L405")


def test_predict_does_not_import_torch(sealed: Path, inbox: Path) -> None:
    program = (
        "import sys; from limpide.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {name.split('.')[0] for name in sys.modules} & {'torch', 'sklearn', 'scipy', 'onnx', 'safetensors'}\n"
        "assert not heavy, heavy\n"
    )
    for format in ("--json", "--csv", "--top=2"):
        command = [
            sys.executable,
            "-c",
            program,
            "predict",
            str(sealed),
            str(inbox / "x.png"),
            str(inbox / "large.jpg"),
            format,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env={**os.environ, "LIMPIDE_LANG": "en"}
        )
        assert done.returncode == 0, done.stderr
