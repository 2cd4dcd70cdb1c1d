"""The simpler models of a whole training: the images they get, what stays of their answers, and numbers that are the
same everywhere.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.baselines import baseline, compare, fitting, majority
from limpide.baselines.baseline import Budget, Sizes
from limpide.baselines.pretrained_features import FrozenFeatures
from limpide.baselines.pretrained_head import FEATURES_WORK, WIDTH
from limpide.baselines.registry import BASELINES, baselines_of
from limpide.core import typed_json
from limpide.core.events import Progress
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.data.split_file import read_split
from limpide.system.energy import JOULES_PER_WH
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder

MODELS = ["majority", "logistic", "forest", "nearest", "frozen"]
NAMES = {one.key: one.name for one in BASELINES} | {majority.KEY: majority.NAME}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos") / "shapes", per_class=20, size=(16, 16))


def trained(folder: Path, runs: Path, **choices: Any) -> Run:
    run, dataset, _ = prepare(str(folder), Recipe(model="cnn", image_size=16, batch=8, epochs=1, **choices), runs)
    for _event in train(run, dataset, images=False):
        pass
    return run


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(folder, tmp_path_factory.mktemp("runs"))


def answers(run: Run) -> dict[str, np.ndarray]:
    with np.load(run.predictions / "rivals.npz", allow_pickle=False) as kept:
        return dict(kept)


def table(run: Run) -> list[list[Any]]:
    finding = run.finding("simpler")
    assert finding and finding.table
    return [list(row) for row in finding.table.rows]


def test_the_answers_of_every_rival_are_kept_beside_those_of_the_network(run: Run) -> None:
    kept = answers(run)
    with np.load(run.predictions / "test.npz", allow_pickle=False) as test:
        assert kept["right"].shape == (5, len(test["truth"])) and kept["right"].dtype == np.int8
        network = float((test["probabilities"].argmax(1) == test["truth"]).mean())
    assert kept["models"].tolist() == MODELS
    assert table(run)[0][1] == network == run.findings()["accuracy"].number("accuracy").value
    said = {str(row[0]): row for row in table(run)[1:]}
    for key, right, n_train in zip(kept["models"], kept["right"], kept["n_train"], strict=True):
        row = said[NAMES[str(key)]]
        assert row[1] == (right == 1).sum() / (right >= 0).sum() and (row[4], row[5]) == ((right >= 0).sum(), n_train)


def test_every_cheap_rival_learns_from_all_training_images(run: Run) -> None:
    with open(run.split_file, encoding="utf-8") as stream:
        trained_on = sum(",train," in line for line in stream)
    assert answers(run)["n_train"].tolist() == [trained_on] * 5
    finding = run.finding("simpler")
    assert finding and f"Every simpler model learned from all {trained_on} training images." in [
        str(detail) for detail in finding.details
    ]


def test_a_slow_clock_changes_nothing(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**9, 1000))
    # a thousand seconds between two looks, everywhere
    monkeypatch.setattr(fitting.time, "perf_counter", lambda: float(next(now)))
    again = answers(trained(folder, tmp_path))
    for name, values in answers(run).items():
        assert (again[name] == values).all(), name


def test_with_a_time_what_was_decided_is_done_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted among the simpler models, continued on a machine that is infinitely fast: those that were done get no
    more images.
    """
    for module in (baseline, fitting):
        monkeypatch.setattr(module, "MIN_IMAGES", 8)
    recipe = Recipe(model="cnn", image_size=16, batch=8, epochs=1, time=600)
    run, dataset, _ = prepare(str(folder), recipe, tmp_path)
    within = fitting.fit_in_time
    monkeypatch.setattr(
        fitting, "fit_in_time", lambda budget, labels, fit, seed, most: within(budget, labels, fit, seed, 16)
    )
    steps = train(run, dataset, images=False)
    for event in steps:
        if isinstance(event, Progress) and "trying simpler models" in str(event.phase) and event.done == 2:
            steps.close()  # type: ignore[attr-defined]
    assert run.info().rivals == {"logistic": 16, "forest": 16}
    monkeypatch.setattr(fitting, "fit_in_time", within)
    run, dataset, continued = prepare(str(folder), recipe, tmp_path)
    assert continued
    for _event in train(run, dataset, images=False):
        pass
    assert dict(zip(MODELS, answers(run)["n_train"].tolist(), strict=True)) == run.info().rivals | {"majority": 42}
    assert run.info().rivals == {"logistic": 16, "forest": 16, "nearest": 42, "frozen": 42}


def test_the_energy_of_the_report_is_that_of_the_record(run: Run) -> None:
    """One value, read once: run.json, which Runs, Live and Compare show, and the finding that the report shows."""
    energy, cost = typed_json.to_plain_json(run.info().energy), run.findings()["cost"]
    shown = next(number for number in cost.numbers if number.unit == "Wh")
    assert shown.value == energy["joules"] / JOULES_PER_WH and cost.number("total time").value == run.info().seconds
    assert cost.number("training time").value == run.info().training_seconds == table(run)[0][6]
    raw = json.loads((run.path / "run.json").read_text())
    assert raw["energy"] == energy


def images(sizes: Sizes) -> dict[str, int]:
    """Training images that each baseline may have, after a training from scratch, and on features that are there."""
    baselines = [*baselines_of(True, False), *baselines_of(False)]
    return {one.key: compare.images_allowed(one, sizes, Budget()) for one in baselines}


def test_no_images_that_are_decided_from_counts_are_more_than_there_are_or_fewer_than_two_a_class() -> None:
    assert images(Sizes(48_000, 10_000, 10, 784)) == dict.fromkeys(
        ("logistic", "forest", "nearest", "nearest_features"), 48_000
    ) | {"frozen": 5082}
    many = images(Sizes(1_000_000, 50_000, 1000, 3072))
    assert many["logistic"] == 2000 and many["forest"] == 512_000_000 // (4 * 3072)
    for sizes in (Sizes(30, 6, 3, 192), Sizes(1_000_000, 1, 2, 3072)):
        assert all(min(sizes.train, 32) <= n <= sizes.train for n in images(sizes).values())


def test_the_work_that_is_counted_is_the_work_that_is_done(run: Run, folder: Path, tmp_path: Path) -> None:
    _run, dataset, _ = prepare(str(folder), Recipe(model="cnn"), tmp_path)
    features = FrozenFeatures(dataset, Recipe(model="cnn"))
    assert features.multiply_adds == pytest.approx(FEATURES_WORK, rel=0.01)
    assert features.of(np.arange(2)).shape == (2, WIDTH)
    frozen = next(row for row in table(run) if str(row[0]) == NAMES["frozen"])
    assert frozen[-1] == features.multiply_adds, (
        "of the network as published, not of what is left of its layers once they are fused"
    )


def test_no_time_at_all_leaves_out_all_but_the_most_frequent_class() -> None:
    dataset = Dataset.__new__(Dataset)
    object.__setattr__(dataset, "labels", np.array([0, 0, 1, 0, 1]))
    material = compare.BaselineInputs(None, None, Budget(seconds=0.0), Recipe())  # type: ignore[arg-type]
    steps = compare.fit_baselines(
        dataset, np.array([1, 1, 1, 3, 3]), np.array([3, 4]), material, lambda *_: None, lambda _: True
    )
    with pytest.raises(StopIteration) as ended:
        next(steps)
    comparison = ended.value.value
    assert [model.key for model in comparison.models] == ["majority"] and not comparison.late
    assert [one.key for one in comparison.left_out] == ["logistic", "forest", "nearest", "frozen"]


def test_an_image_that_vanished_meanwhile_is_left_out(folder: Path, tmp_path: Path) -> None:
    """While simpler models are fitted: neither learned from nor asked about, and judging goes on."""
    data = tmp_path / "data"
    shutil.copytree(folder, data)
    run, dataset, _ = prepare(str(data), Recipe(model="cnn", image_size=16, batch=8, epochs=1), tmp_path / "runs")
    for event in train(run, dataset, images=False):
        if "computing the features" in str(getattr(event, "phase", "")):
            for row in read_split(run.split_file):
                if row["part"] != "validation" and row["file"].endswith("0.png"):
                    (data / row["file"]).unlink(missing_ok=True)
    assert run.info().status == "finished"
    with np.load(run.predictions / "rivals.npz", allow_pickle=False) as kept:
        right = kept["right"][kept["models"].tolist().index("frozen")]
    assert 0 < (right >= 0).sum() < len(right)
