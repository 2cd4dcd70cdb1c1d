"""Uneven classes where a part is kept for the test: the file is balanced and says so; one option leaves it as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from limpide.training.weights import trained_network
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder
from tests.quick_judge import quick_judge

CNN = Recipe(model="cnn", image_size=16, batch=16, epochs=1, precision="fp32", device="cpu")


def trained(data: Path, runs: Path, recipe: Recipe) -> tuple[Run, list[str]]:
    run, dataset, _ = prepare(str(data), recipe, runs)
    with quick_judge():
        said = [str(getattr(event, "message", "")) for event in train(run, dataset, images=False)]
    return run, said


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 discs and 4 bars."""
    data = photo_folder(tmp_path_factory.mktemp("uneven") / "photos", per_class=40, size=(20, 20))
    for file in [*sorted((data / "bars").iterdir())[4:], *(data / "square").iterdir()]:
        file.unlink()
    (data / "square").rmdir()
    return data


def test_the_bias_of_the_file_is_without_the_shares(photos: Path, tmp_path: Path) -> None:
    run, said = trained(photos, tmp_path / "yes", CNN)
    plain, _ = trained(photos, tmp_path / "no", CNN.but(balance="no"))
    assert any("times as many images as the smallest" in line for line in said)
    assert run.info().recipe["balance"] == "yes" and plain.info().recipe["balance"] == "no"
    shares = Predictor(run.model_file).priors
    assert shares is not None and Predictor(plain.model_file).priors is None and sum(shares) == pytest.approx(1)
    (balanced, _), (as_is, _) = trained_network(run), trained_network(plain)
    with torch.no_grad():
        images = torch.rand(3, 3, 16, 16)
        moved = (as_is(images) - balanced(images)).numpy()
    assert moved == pytest.approx(np.tile(np.log(shares), (3, 1)), abs=1e-5), "nothing else is different"
    assert run.findings()["export"].verdict == "ok", "file and network say the same"
    assert run.findings()["accuracy"].data["lead"] == "balanced accuracy"
    assert plain.findings()["accuracy"].data["lead"] == "accuracy"


def test_even_classes_are_left_alone_unless_it_is_asked_for(photos: Path, tmp_path: Path) -> None:
    for file in sorted((photos / "disc").iterdir())[12:]:
        file.unlink()
    run, said = trained(photos, tmp_path / "auto", CNN)
    assert run.info().recipe["balance"] == "no" and not any("rare class" in line for line in said)
    asked, _ = trained(photos, tmp_path / "yes", CNN.but(balance="yes"))
    assert Predictor(asked.model_file).priors is not None
