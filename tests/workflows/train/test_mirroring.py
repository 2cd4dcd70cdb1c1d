"""The answer is averaged over the image and its mirror image: where that is safe and no worse, in every place alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from limpide.core.errors import UsageError
from limpide.core.events import Note
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.deploy.load import load_network
from limpide.deploy.predictor import Predictor
from limpide.explanation.explain_image import probabilities
from limpide.explanation.inputs import open_for_explanation
from limpide.interpret.trace import trace
from limpide.models.mirrored import MirroredMean
from limpide.system.files import sha256_of_file
from limpide.training.batches import as_tensor
from limpide.workflows.export import export
from limpide.workflows.train import mirroring
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder

BASE: dict[str, Any] = dict(
    model="small_color", epochs=5, batch=8, device="cpu", precision="fp32", patience=9, flip="yes", keep="all"
)


def worked(photos: Path, runs: Path, *, judge: bool = False, **wishes: Any) -> tuple[Run, list[str]]:
    run, dataset, _ = prepare(str(photos), Recipe.of(**(BASE | wishes)), runs)
    return run, [str(e.message) for e in train(run, dataset, judge=judge) if isinstance(e, Note)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("mirroring") / "photos", per_class=40, size=(16, 16))


@pytest.fixture(scope="module")
def both(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    return worked(photos, tmp_path_factory.mktemp("yes"), judge=True, average_mirrored="yes")


@pytest.fixture(scope="module")
def plain(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    return worked(photos, tmp_path_factory.mktemp("no"), average_mirrored="no")


def answers(run: Run, photos: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(of the file, of the network averaged over both, of the network alone): probabilities (n, classes)."""
    images = [Image.open(file).convert("RGB") for file in sorted(photos.rglob("*.png"))[::7]]
    model, p = load_network(str(run.path))
    squares, temperature = np.stack([p.pixels(image) for image in images]), run.info().temperature
    assert temperature is not None
    with torch.no_grad():
        own = [net(as_tensor(squares, p)) / temperature.value for net in (MirroredMean(model), model)]
    return Predictor(run.model_file).probabilities(images), *(one.softmax(1).numpy() for one in own)


def test_the_file_answers_with_the_mean(both: tuple[Run, list[str]], photos: Path) -> None:
    run, notes = both
    sealed, averaged, alone = answers(run, photos)
    assert np.abs(sealed - averaged).max() <= 1e-4 < np.abs(averaged - alone).max()
    predictor = Predictor(run.model_file)
    assert predictor.mirrored and predictor.self_test().agrees  # type: ignore[union-attr]
    finding = run.finding("export")
    assert finding is not None and finding.verdict == "ok"
    assert any("mean of those about the image and its mirror image" in note for note in notes)


def test_the_weights_are_those_of_the_plain_answer(both: tuple[Run, list[str]], plain: tuple[Run, list[str]]) -> None:
    files = [run.snapshots / "best.safetensors" for run, _ in (both, plain)]
    assert len(set(map(sha256_of_file, files))) == 1
    assert both[0].model_file.stat().st_size < 1.1 * plain[0].model_file.stat().st_size


def test_without_it_the_file_answers_about_the_image_alone(plain: tuple[Run, list[str]], photos: Path) -> None:
    run, notes = plain
    sealed, averaged, alone = answers(run, photos)
    assert np.abs(sealed - alone).max() <= 1e-4 < np.abs(averaged - alone).max()
    assert not Predictor(run.model_file).mirrored and not any("mirror image" in note for note in notes)


def test_what_is_shown_is_what_is_sealed(both: tuple[Run, list[str]], photos: Path) -> None:
    run, _ = both
    info, cost, found = run.info(), run.finding("cost"), run.finding("mirroring")
    assert info.averages_mirrored and info.recipe["average_mirrored"] == "yes"
    assert info.final is not None and info.final.mirroring is not None and found is not None and cost is not None
    assert info.final.validation == info.final.mirroring.averaged
    assert [number.value for number in found.numbers[:2]] == [info.final.mirroring.plain, info.final.mirroring.averaged]
    assert all(number.value > 0 for number in found.numbers[2:])
    alone = Predictor(run.model_file).probabilities([Image.open(file := photos / "disc" / "0003.png")])[0]
    opened = open_for_explanation(str(run.path))
    assert opened.preprocessing is not None
    square = opened.preprocessing.pixels(Image.open(file).convert("RGB"))
    seen = trace(opened.network, as_tensor(square[None], opened.preprocessing))
    assert np.abs(probabilities(opened, seen) - alone).max() <= 1e-4
    assert "mirror image" in run.report_file.read_text()


def test_an_exported_epoch_answers_as_the_sealed_model_does(both: tuple[Run, list[str]], tmp_path: Path) -> None:
    assert Predictor(export(str(both[0].path), tmp_path, epoch=2)).mirrored


@pytest.mark.parametrize(
    ("averaged", "flip", "classes", "used"),
    [
        (0.8, "yes", (), True),
        (0.7, "yes", (), True),
        (0.6, "yes", (), False),
        (0.8, "no", (), None),
        (0.8, "yes", ("left", "right", "bars"), None),
    ],
)
def test_by_itself_it_is_used_where_it_is_safe_and_no_worse(
    averaged: float, flip: str, classes: tuple[str, ...], used: bool | None, tmp_path: Path, monkeypatch: Any
) -> None:
    """0.7 of the validation images are right without it. used: None: not even tried."""

    def evaluate(model: torch.nn.Module, *_: Any) -> tuple[float, float]:
        return 0.0, averaged if isinstance(model, MirroredMean) else 0.7

    monkeypatch.setattr(mirroring, "evaluate", evaluate)
    names = classes or ("disc", "square", "bars")
    photos = photo_folder(tmp_path / "photos", per_class=20, size=(16, 16), classes=names)
    run, _ = worked(photos, tmp_path / "runs", flip=flip, epochs=1, keep="best")
    final = run.info().final
    assert final is not None and (final.mirroring and final.mirroring.is_used) is used
    assert Predictor(run.model_file).mirrored is bool(used)
    assert run.info().recipe["average_mirrored"] == ("yes" if used else "no")


def test_a_pretrained_network_refuses_it(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="L187"):
        prepare(str(photos), Recipe.of(model="efficientnet_lite0", average_mirrored="yes"), tmp_path)
