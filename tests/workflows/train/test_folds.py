"""Folds: each image is judged by a last layer that had not seen it, and the model that is shipped learned from all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.core.errors import RunError, UsageError
from limpide.core.events import Event
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.folds import NO_FOLD
from limpide.data.read_images import ImageSample
from limpide.data.run_images import RunImages
from limpide.data.split_file import read_split
from limpide.deploy.predictor import Predictor
from limpide.inspector.session import Session
from limpide.inspector.test_set import _unbiased
from limpide.judging.fold_heads import FoldHeads
from limpide.judging.run_subject import subject_of_run
from limpide.report.html.page import html_of
from limpide.training.defaults import FEW_IMAGES, decide_recipe
from limpide.training.weights import trained_network
from limpide.workflows.evaluate import evaluate
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder
from tests.quick_judge import quick_judge

FROZEN = Recipe(model="efficientnet_lite0", device="cpu", folds=5, freeze="head")


def trained(data: Path, runs: Path, recipe: Recipe = FROZEN) -> tuple[Run, list[Event]]:
    run, dataset, _ = prepare(str(data), recipe, runs)
    return run, list(train(run, dataset, images=False))


@pytest.fixture(scope="module")
def place(once: Any) -> Path:
    """A folder with 36 images in groups of two, `photos`, and the run trained on them, `runs`."""

    def make(folder: Path) -> None:
        photo_folder(folder / "photos", per_class=12)
        files = sorted(file.relative_to(folder / "photos") for file in (folder / "photos").rglob("*.png"))
        lines = [f"{file},{file.parent},{file.parent}{k // 2}" for k, file in enumerate(files)]
        (folder / "photos" / "labels.csv").write_text("file,label,patient\n" + "\n".join(lines) + "\n")
        trained(folder / "photos" / "labels.csv", folder / "runs")

    return once("judged in folds", make)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return Run.all_in(place / "runs")[0]


def test_every_image_trains_and_is_judged_once_and_groups_stay_whole(run: Run) -> None:
    rows = list(read_split(run.split_file))
    assert {row["part"] for row in rows} == {"train"} and len(rows) == 36
    assert {row["fold"] for row in rows} == set("01234")
    folds: dict[str, set[str]] = {}
    for row in rows:
        folds.setdefault(row["group"], set()).add(row["fold"])
    assert len(folds) == 18 and all(len(of_group) == 1 for of_group in folds.values())
    accuracy = run.finding("accuracy")
    assert accuracy and accuracy.number("accuracy").n == 36 and accuracy.data["judged"] == "cross-fitted"
    assert accuracy.source == "folds" and run.finding("training").source == "folds"  # type: ignore[union-attr]


def test_the_score_is_that_of_the_heads_that_had_not_seen_the_image(run: Run) -> None:
    heads = FoldHeads.load(run)
    with np.load(run.predictions / "test.npz") as stored:
        truth, probabilities, fold = (stored[name] for name in ("truth", "probabilities", "fold"))
    assert (fold == heads.fold).all() and probabilities == pytest.approx(heads.probabilities())
    accuracy = run.findings()["accuracy"].number("accuracy").value
    assert accuracy == (probabilities.argmax(1) == truth).mean()
    # by another way: the network, with the last layer of each fold, looks at the images of that fold
    album = RunImages(run)
    model, p = trained_network(run)
    for name in heads.names:
        own = np.flatnonzero(heads.fold == name)
        features = _features(model, p, [album.image(int(heads.rows[k])) for k in own])
        place = int(np.searchsorted(heads.names, name))
        logits = features @ heads.weight[place].T + heads.bias[place]
        assert logits == pytest.approx(heads.logits[own], abs=0.3), "features in two digits, as docs/LOG.md says"
        assert (logits.argmax(1) == heads.logits[own].argmax(1)).mean() > 0.8


def _features(model: Any, p: Any, images: list[Any]) -> np.ndarray:
    from limpide.interpret.embedding import features_of
    from limpide.training.batches import as_tensor

    return np.asarray(features_of(model, as_tensor(np.stack([p.pixels(image) for image in images]), p))[0].numpy())


def test_the_file_says_how_it_was_judged_and_is_none_of_the_folds_models(run: Run) -> None:
    assert Predictor(run.model_file).judged == "cross-fitted"
    heads, (model, _) = FoldHeads.load(run), trained_network(run)
    shipped = model.head.weight.detach().numpy()  # type: ignore[union-attr,operator]
    assert all(not np.allclose(shipped, weight) for weight in heads.weight)


def test_simpler_models_are_judged_in_the_same_folds(run: Run) -> None:
    with np.load(run.predictions / "rivals.npz", allow_pickle=False) as kept:
        models, right, n_train = kept["models"].tolist(), kept["right"], kept["n_train"]
    assert models == ["majority", "logistic", "forest", "nearest_features"]
    assert right.shape == (4, 36) and (right >= 0).all(), "every image is asked of each"
    assert max(n_train) <= 36 - 6, "none learned from the images that it was asked about"
    table = run.findings()["simpler"].table
    assert table and {row[4] for row in table.rows} == {36}


def test_every_audit_asks_a_network_that_had_not_seen_the_image(place: Path, run: Run) -> None:
    _, dataset, _ = prepare(str(place / "photos" / "labels.csv"), FROZEN, place / "elsewhere")
    subject = subject_of_run(run, dataset, np.ones(36, np.uint8), None, lambda *_: True)  # type: ignore[arg-type]
    steps = subject.unbiased_network()
    with pytest.raises(StopIteration) as ended:
        while True:
            next(steps)
    network, unseen = ended.value.value
    heads = FoldHeads.load(run)
    fold = set(heads.fold[unseen].tolist())
    assert len(fold) == 1 and unseen.sum() == max(np.bincount(heads.fold))
    weight = network.model.head.weight.detach().numpy()
    assert (weight == heads.weight[int(np.searchsorted(heads.names, fold.pop()))]).all()


def test_the_report_says_what_was_judged_and_what_is_shipped(run: Run) -> None:
    page = html_of(run)
    assert "each judged by a model that had not seen it" in page
    assert "The model that is shipped learned from all images, in the same way." in page
    assert "The model learns from every image, and every image is also a test image once" in page
    assert "validation images" not in page and "Validation images" not in page


def test_evaluating_it_on_its_own_images_is_no_score(place: Path, run: Run) -> None:
    found = [
        event for event in evaluate(str(run.path), str(place / "photos" / "labels.csv")) if hasattr(event, "finding")
    ]
    accuracy = next(event.finding for event in found if event.finding.name == "accuracy")
    assert accuracy.verdict == "warn" and accuracy.number("used in training").value == 36


def test_a_run_that_was_cut_short_goes_on_to_the_same_bytes(place: Path, run: Run, tmp_path: Path) -> None:
    recipe, data = FROZEN, str(place / "photos" / "labels.csv")
    for stop in ("judging the last layer by cross-fitting", "writing the model file"):
        again, dataset, _ = prepare(data, recipe, tmp_path)
        steps = train(again, dataset, images=False)
        for event in steps:
            if stop in str(getattr(event, "phase", "")):
                steps.close()  # type: ignore[attr-defined]
    again, dataset, continued = prepare(data, recipe, tmp_path)
    assert continued
    with quick_judge():
        list(train(again, dataset, images=False))
    first, second = FoldHeads.load(run), FoldHeads.load(again)
    assert all(np.array_equal(value, vars(second)[name]) for name, value in vars(first).items())
    assert again.model_file.read_bytes() == run.model_file.read_bytes()
    assert again.findings()["accuracy"].to_json() == run.findings()["accuracy"].to_json()


@pytest.mark.parametrize(("asked", "folds"), [(None, 5), (0, 0), (3, 3), (20, 20)])
def test_folds_are_asked_for_or_follow_from_few_images(asked: int | None, folds: int) -> None:
    recipe, reasons = decide_recipe(FROZEN.but(folds=asked), ImageSample(100, False), 60)
    assert recipe.folds == folds and (recipe.test is None) == bool(folds) == (recipe.validation is None)
    assert recipe.image_size == (224 if folds else 128)
    assert any("folds" in str(reason) for reason in reasons) == bool(folds)
    assert any("there are few images (60)" in str(reason) for reason in reasons) == (asked is None)


@pytest.mark.parametrize(
    ("wishes", "n", "parts_given"),
    [
        ({}, FEW_IMAGES + 1, False),
        ({}, 60, True),
        ({"test": 0.2}, 60, False),
        ({"validation": 0.2}, 60, False),
        ({"epochs": 3}, 60, False),
        ({"freeze": "none"}, 60, False),
        ({"model": "cnn"}, 60, False),
        ({"weights": "none"}, 60, False),
    ],
)
def test_few_images_keep_a_part_aside_where_something_asks_for_it(
    wishes: dict[str, Any], n: int, parts_given: bool
) -> None:
    recipe = Recipe(**{"model": "efficientnet_lite0", "device": "cpu"} | wishes)
    assert decide_recipe(recipe, ImageSample(100, False), n, parts_given)[0].folds == 0


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"folds": 5, "test": 0.2}, "folds=5 test=0.2 — leave out one of the two options [L165]"),
        ({"folds": 1}, "0, 2 … 20"),
        ({"folds": 5, "lr": 0.1, "view": "whole"}, "a last layer on a frozen network — folds=5 lr=0.1"),
        (
            {"folds": 5, "epochs": 3, "patience": 2},
            "no image is set aside to decide when to stop — folds=5 patience=2",
        ),
        ({"folds": 5, "model": "cnn"}, "[L166]"),
    ],
)
def test_wishes_that_contradict_each_other_are_one_line(wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        decide_recipe(Recipe(**{"model": "efficientnet_lite0"} | wishes), ImageSample(100, False), 60)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_class_of_one_group_trains_and_is_named_as_not_judged(tmp_path: Path) -> None:
    data = photo_folder(tmp_path / "photos", per_class=6)
    third = sorted((data).iterdir())[2]
    for file in sorted(third.iterdir())[1:]:
        file.unlink()
    with quick_judge():
        run, events = trained(data, tmp_path / "runs", FROZEN.but(folds=3))
    said = [str(getattr(event, "message", "")) for event in events]
    assert any(f"no image of {third.name} can be judged" in line for line in said)
    assert run.findings()["accuracy"].number("accuracy").n == 12
    assert third.name in run.info().classes, "it is learned all the same"


def test_a_damaged_table_or_file_of_folds_is_one_line(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    run = Run.all_in(tmp_path / "runs")[0]
    (run.snapshots / "folds.npz").write_bytes(b"PK")
    with pytest.raises(RunError, match="L506"):
        FoldHeads.load(run)
    text = run.split_file.read_text().splitlines()
    run.split_file.write_text("\n".join([text[0], text[1].rsplit(",", 1)[0] + ",9", *text[2:]]) + "\n")
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(info | {"status": "stopped", "phase": "seal"}))
    again, dataset, continued = prepare(str(place / "photos" / "labels.csv"), FROZEN, tmp_path / "runs")
    with pytest.raises(RunError, match="it names a fold that this run does not have"):
        list(train(again, dataset, images=False))
    assert continued


def test_a_later_run_with_a_test_part_inherits_nothing_from_folds(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "runs", tmp_path / "runs")
    recipe = FROZEN.but(folds=0, test=0.3, epochs=1, image_size=32)
    run, dataset, _ = prepare(str(place / "photos" / "labels.csv"), recipe, tmp_path / "runs")
    steps = train(run, dataset, images=False)
    next(event for event in steps if getattr(event, "topic", "") == "split")
    steps.close()  # type: ignore[attr-defined]
    parts = [row["part"] for row in read_split(run.split_file)]
    assert 0.15 < parts.count("test") / 36 < 0.45 and NO_FOLD == -1


def test_an_unfinished_run_of_before_goes_on_as_it_began(place: Path, tmp_path: Path) -> None:
    data = str(place / "photos" / "labels.csv")
    run, _, _ = prepare(data, FROZEN.but(folds=None, freeze="auto", epochs=1, model="cnn"), tmp_path)
    info = json.loads((run.path / "run.json").read_text())
    info["wanted"] |= {"test": 0.2, "validation": 0.1}
    del info["wanted"]["folds"]
    (run.path / "run.json").write_text(json.dumps(info))
    again, _, continued = prepare(data, FROZEN.but(folds=None, freeze="auto", epochs=1, model="cnn"), tmp_path)
    assert continued and again.path == run.path
    assert not prepare(data, FROZEN.but(folds=None, freeze="auto", epochs=1, model="cnn", test=0.3), tmp_path)[2]


def test_the_studio_asks_for_marks_where_the_image_was_not_learned(run: Run) -> None:
    session = Session()
    album = session.album(str(run.path))
    loaded, rows = _unbiased(session, str(run.path), "best", album)
    heads, folds = FoldHeads.load(run), {album.folds[row] for row in rows}
    assert len(folds) == 1 and len(rows) == max(np.bincount(heads.fold))
    place = int(np.searchsorted(heads.names, int(folds.pop())))
    assert (loaded.network.head.weight.detach().numpy() == heads.weight[place]).all()  # type: ignore[union-attr,operator]
    shipped, _ = trained_network(run)
    kept = session.load_network(str(run.path), "best").network
    assert (kept.head.weight == shipped.head.weight).all(), "what the other questions look at stays"  # type: ignore[union-attr]


def test_what_cannot_be_judged_in_folds_is_refused_before_a_run_is_written(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="L166"):
        prepare(str(place / "photos" / "labels.csv"), FROZEN.but(model="cnn"), tmp_path)
    assert not any(tmp_path.iterdir())


def test_uneven_classes_are_balanced_by_themselves_and_the_score_says_so(tmp_path: Path) -> None:
    """22 images of one class, 2 of another: the rare one counts as much, in the file and in the score."""
    data = photo_folder(tmp_path / "photos", per_class=22)
    rare, gone = sorted(data.iterdir())[1:]
    shutil.rmtree(gone)
    for file in sorted(rare.iterdir())[2:]:
        file.unlink()
    with quick_judge():
        run, events = trained(data, tmp_path / "runs", FROZEN.but(folds=2, view="whole"))
    said = [str(getattr(event, "message", "")) for event in events]
    assert any("11 times as many images" in line and "--balance no" in line for line in said)
    assert run.info().recipe["balance"] == "yes"
    predictor = Predictor(run.model_file)
    assert predictor.priors == pytest.approx((22 / 24, 2 / 24))
    accuracy = run.findings()["accuracy"]
    assert accuracy.data["lead"] == "balanced accuracy" and "every class counted equally" in str(accuracy.message)
    page = html_of(run)
    assert "of each class recognised, on average" in page and "of the test images recognised" not in page
