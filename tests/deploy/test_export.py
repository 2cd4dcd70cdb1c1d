"""The sealed file: what is in it, that it says what the network says, and that it needs nobody but ONNX Runtime."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image, ImageCms
from torch import nn

import limpide
from limpide.core.errors import ModelError
from limpide.data.preprocessing import Preprocessing
from limpide.deploy.export import _once, export
from limpide.deploy.predictor import Predictor
from limpide.deploy.preprocessing_graph import OPSET
from limpide.deploy.self_test import SIZES, draw
from limpide.deploy.train_stats import Looked, make_train_stats
from limpide.models import build
from limpide.models.cnn import SmallCNN
from tests.make_images import photo, profile

CLASSES = ("été", "b<script>", "c", "d", "e")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exported-model.md"


def trained(name: str, channels: int, size: int) -> nn.Module:
    """Random weights, and running means that batch normalisation has seen: folding them in must not be the identity."""
    torch.manual_seed(0)
    model = build(name, len(CLASSES), channels, size)
    nn.init.normal_(model.head.weight, std=0.05)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, channels, size, size) * 2 + 0.5)
    return model.eval()


@pytest.fixture(scope="module", params=["cnn grey", "cnn", "efficientnet_lite0"])
def sealed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, Preprocessing, Path]:
    name = request.param.split()[0]
    channels, size = (1 if "grey" in request.param else 3), (24 if name == "cnn" else 64)
    p = Preprocessing(size, channels, "squash", "bicubic" if name != "cnn" else "bilinear", (127.0,), (128.0,), 336)
    model, file = trained(name, channels, size), tmp_path_factory.mktemp("sealed") / "model.onnx"
    export(model, p, CLASSES, file, temperature=1.7, name=name)
    return model, p, file


def session(file: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def pixels(n: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def by_torch(model: nn.Module, p: Preprocessing, images: np.ndarray) -> np.ndarray:
    squares = np.stack([p.pixels(Image.fromarray(image)) for image in images]).astype(np.float32)
    x = torch.from_numpy((squares - np.float32(p.mean[0])) / np.float32(p.std[0])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return model(x).numpy()


@pytest.mark.parametrize(("n", "width", "height"), [(1, 64, 48), (7, 30, 200), (2, 24, 24), (3, 64, 64)])
def test_says_what_the_network_says(
    sealed: tuple[nn.Module, Preprocessing, Path], n: int, width: int, height: int
) -> None:
    model, p, file = sealed
    images = pixels(n, width, height)
    logits, probabilities = session(file).run(["logits", "probabilities"], {"image": images})
    expected = by_torch(model, p, images)
    assert logits.shape == probabilities.shape == (n, len(CLASSES)), "any batch, any size"
    assert np.abs(logits - expected).max() <= 1e-4
    assert np.abs(probabilities - torch.from_numpy(expected / 1.7).softmax(1).numpy()).max() <= 1e-5, (
        "the temperature is applied"
    )


def test_contract(sealed: tuple[nn.Module, Preprocessing, Path]) -> None:
    _, p, file = sealed
    opened = session(file)
    contract = json.loads(opened.get_modelmeta().custom_metadata_map["limpide"])
    told = {
        "classes",
        "preprocessing",
        "temperature",
        "model",
        "limpide",
        "contract",
        "features",
        "judged",
        "priors",
        "mirrored",
        "detection",
    }
    assert set(contract) == told
    assert (
        tuple(contract["classes"]) == CLASSES
        and contract["temperature"] == 1.7
        and contract["limpide"] == limpide.__version__
    )
    assert Preprocessing.from_json(contract["preprocessing"]) == p
    (image,) = opened.get_inputs()
    assert (image.name, image.type) == ("image", "tensor(uint8)") and image.shape[3] == 3
    assert not any(isinstance(side, int) for side in image.shape[:3]), "batch, height and width are free"
    assert {o.name: o.type for o in opened.get_outputs()} == dict.fromkeys(
        ("logits", "probabilities", "features"), "tensor(float)"
    )


def test_only_standard_operators_and_no_path_of_ours(sealed: tuple[nn.Module, Preprocessing, Path]) -> None:
    model = onnx.load(sealed[2])
    onnx.checker.check_model(model, full_check=True)
    assert [entry.domain for entry in model.opset_import] == [""]
    if not isinstance(sealed[0], SmallCNN):  # whose maximum stands between the two
        assert "BatchNormalization" not in {node.op_type for node in model.graph.node}, "folded into the convolutions"
    assert str(Path.home()).encode() not in sealed[2].read_bytes() and b"site-packages" not in sealed[2].read_bytes()


def test_the_network_is_as_it_was_and_the_file_is_the_same_again(
    sealed: tuple[nn.Module, Preprocessing, Path], tmp_path: Path
) -> None:
    model, p, file = sealed
    before = {k: v.clone() for k, v in model.state_dict().items()}
    export(model, p, CLASSES, tmp_path / "again.onnx", temperature=1.7, name=file.parent.name and Predictor(file).model)
    assert (tmp_path / "again.onnx").read_bytes() == file.read_bytes()
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items()) and not model.training


def test_a_failed_export_leaves_the_old_file(sealed: tuple[nn.Module, Preprocessing, Path], tmp_path: Path) -> None:
    model, p, file = sealed
    old = tmp_path / "model.onnx"
    old.write_bytes(file.read_bytes())
    wrong = Preprocessing(p.size, 4 - p.channels, p.fit, p.filter, p.mean, p.std)
    with pytest.raises(ModelError, match="L426"):
        export(model, wrong, CLASSES, old)
    assert old.read_bytes() == file.read_bytes() and list(tmp_path.iterdir()) == [old]


def programs() -> list[str]:
    """Those of docs/reference/exported-model.md, in order."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def twenty_lines(model: Path, image: Path) -> str:
    """The program that names an image, with these two paths."""
    first, rest = programs()[0].split("\n", 1)
    assert re.fullmatch(r'MODEL, IMAGE = ".*", ".*"', first), "the two names stand at the top"
    return f"MODEL, IMAGE = {str(model)!r}, {str(image)!r}\n{rest}"


def run_alone(program: str, folder: Path) -> list[str]:
    """What it prints, where neither limpide nor torch is at hand."""
    program += (
        "\nimport sys\nassert not {name.split('.')[0] for name in sys.modules} & {'torch', 'limpide', 'sklearn', "
        "'onnx'}, 'it needs no more'"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("suffix", ["png", "jpg", "srgb.jpg", "p3.jpg", "p3.png"])
def test_twenty_lines_without_limpide_or_torch(
    sealed: tuple[nn.Module, Preprocessing, Path], tmp_path: Path, suffix: str
) -> None:
    _, _, file = sealed
    image = photo(tmp_path / f"new.{suffix}", size=(1500, 1100) if suffix == "jpg" else (90, 70))
    if "." in suffix:  # as telephones write them: turned, and with a profile
        exif = Image.Exif()
        exif[0x0112] = 6
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        Image.open(image).save(image, exif=exif, icc_profile=profile() if suffix.startswith("p3") else srgb)
    program = twenty_lines(file, image)
    assert len([line for line in program.splitlines() if line.strip()]) <= 21
    said = [line.rsplit(": ", 1) for line in run_alone(program, tmp_path)]
    (ours,) = Predictor(file).predict([image], top=3)
    assert [name for name, _ in said] == [name for name, _ in ours.top]
    assert [float(p) for _, p in said] == pytest.approx([p for _, p in ours.top], abs=1e-4)


def test_the_second_program_reads_all_that_the_file_says(
    sealed: tuple[nn.Module, Preprocessing, Path], tmp_path: Path
) -> None:
    model, p, file = sealed
    first, rest = programs()[1].split("\n", 1)
    assert first == 'MODEL = "model.onnx"'
    contract, test = run_alone(f"MODEL = {str(file)!r}\n{rest}", tmp_path)
    assert (contract, test) == ("contract 2, 5 classes, judged: None", "self test: passed")
    width = onnx.load(file).graph.output[2].type.tensor_type.shape.dim[1].dim_value
    features = np.random.default_rng(0).random((40, width), np.float32)
    looked = Looked(np.full((40, 5), 0.2, np.float32), features, np.full((40, 3), 0.5), None)
    stats = make_train_stats(np.full(5, 8), looked, None)
    export(model, p, CLASSES, tmp_path / "model.onnx", judged="cross-fitted", train_stats=stats)
    *_, judged, test, distance = run_alone("\n".join([first, rest]), tmp_path)
    assert judged.endswith("cross-fitted") and test == "self test: passed"
    last = draw(7, *SIZES[7])
    own = Predictor(tmp_path / "model.onnx").features([Image.fromarray(last)])
    assert stats.subspace is not None and stats.train.distance is not None
    assert float(distance.split()[1].rstrip(",")) == pytest.approx(stats.subspace.distances(own)[0], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "channels", "size"), [("linear", 1, 28), ("lstm", 1, 28), ("resnet20", 3, 32), ("vit_tiny_patch4", 3, 32)]
)
def test_each_operator_set_is_named_once(name: str, channels: int, size: int, tmp_path: Path) -> None:
    p = Preprocessing(size, channels, "squash", "bilinear", (127.0,), (128.0,), 2 * size)
    export(build(name, 5, channels, size).eval(), p, CLASSES, tmp_path / "model.onnx", name=name)
    whole = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(whole, full_check=True)
    sets = [(one.domain or "ai.onnx", one.version) for one in whole.opset_import]
    assert sets == [("ai.onnx", OPSET)] and {node.domain for node in whole.graph.node} <= {"", "ai.onnx"}


def test_two_versions_of_one_operator_set_are_a_mistake_that_is_noticed() -> None:
    made = onnx.helper.make_opsetid
    imported = onnx.ModelProto().opset_import
    imported.extend([made("", 18), made("ai.onnx", 18), made("ai.onnx.ml", 3), made("", 18)])
    _once(imported)
    assert [(one.domain, one.version) for one in imported] == [("", 18), ("ai.onnx.ml", 3)]
    imported.extend([made("ai.onnx", 17)])
    with pytest.raises(ValueError, match="two versions"):
        _once(imported)
