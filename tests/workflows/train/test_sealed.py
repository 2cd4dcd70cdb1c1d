"""What a training seals: statistics of what it trained on, a self test that passes, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.deploy.predictor import Predictor
from limpide.deploy.self_test import SelfTestResult
from limpide.workflows.train import seal
from limpide.workflows.train.train_stats import MAX_IMAGES, MIN_IMAGES, sample_size
from tests.make_images import photo_folder
from tests.quick_judge import quick_judge
from tests.workflows.train.test_parts import noise, trained

SEALED = Recipe.of(model="cnn", epochs=2, image_size=16, label_smoothing=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = photo_folder(tmp_path_factory.mktemp("sealed") / "photos", per_class=30, size=(40, 30))
    with quick_judge():
        return trained(folder, recipe=SEALED)[0]


def test_the_statistics_are_of_the_training_part(run: Run) -> None:
    predictor = Predictor(run.model_file)
    stats, rows = predictor.train_stats, list(read_split(run.split_file, "label", "part"))
    used = [row["label"] for row in rows if row["part"] == "train"]
    assert stats is not None and stats.images == stats.train.n == len(used) and predictor.judged == "held-out"
    assert stats.counts == tuple(used.count(name) for name in predictor.classes)
    held = sum(row["part"] == "validation" for row in rows)
    assert stats.validation is not None and 0 < stats.validation.n <= held
    assert set(stats.train.width or ()) == {40.0} and set(stats.train.height or ()) == {30.0}
    assert stats.subspace is not None and stats.subspace.n == len(used)
    result = predictor.self_test()
    assert result is not None and result.agrees and result.n == 8


def test_sealing_again_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    """The same images trained twice, to the last byte of the file."""
    before = run.model_file.read_bytes()
    with quick_judge():
        again, _ = trained(Path(run.info().location), recipe=SEALED)
    assert again.path != run.path and again.model_file.read_bytes() == before


@pytest.mark.parametrize("judge", [True, False])
def test_two_images_a_class(tmp_path: Path, judge: bool) -> None:
    data = noise(tmp_path / "data", a=2, b=2)
    with quick_judge():
        run, _ = trained(data, judge=judge)
    predictor = Predictor(run.model_file)
    stats, result = predictor.train_stats, predictor.self_test()
    assert stats is not None and 1 <= stats.train.n == stats.images <= 4 and result is not None and result.agrees
    tested = any(row["part"] == "test" for row in read_split(run.split_file, "part"))
    assert predictor.judged == ("held-out" if judge and tested else None)


def test_a_file_that_fails_its_self_test_is_not_to_be_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal.Predictor, "self_test", lambda _: SelfTestResult(8, 0.25, 1e-3))
    with quick_judge():
        run, _ = trained(noise(tmp_path / "data", a=12, b=12))
    finding = run.finding("export")
    assert finding is not None and finding.verdict == "bad" and "do not ship it" in str(finding)


def test_the_sample_goes_by_work_and_not_by_the_clock() -> None:
    assert sample_size(None, 1000) == MAX_IMAGES and sample_size(None, 10**12) == MIN_IMAGES
    assert MIN_IMAGES < sample_size(None, 400_000_000) < MAX_IMAGES
    assert sample_size(30, 400_000_000) < sample_size(None, 400_000_000)
