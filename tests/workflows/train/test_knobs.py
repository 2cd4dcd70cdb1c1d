"""The knobs of a training, through the public workflow: said, followed, recorded, and the same bits after a stop."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limpide.core.errors import UsageError
from limpide.core.events import Epoch, Event, Note, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.deploy.load import load_network
from limpide.deploy.predictor import Predictor
from limpide.models import build
from limpide.system.files import sha256_of_file
from limpide.training.defaults import decide_recipe
from limpide.training.weights import load_weights
from limpide.workflows.export import export
from limpide.workflows.train.estimate import _default_patience
from limpide.workflows.train.training import _as_now, prepare, train
from tests.make_images import photo_folder

BASE: dict[str, Any] = dict(
    model="cnn", epochs=4, batch=8, image_size=16, device="cpu", precision="fp32", patience=9, augment="none"
)
KNOBS: dict[str, dict[str, Any]] = {
    "sgd": dict(optimizer="sgd", schedule="step:2,0.5", lr=0.1),
    "momentum": dict(optimizer="momentum", schedule="plateau:0,0.5", lr=0.02, l1=1e-4),
    "nesterov": dict(optimizer="nesterov", schedule="cosine", clip=0.5, average="ema"),
    "adagrad": dict(optimizer="adagrad", schedule="multistep:1,3", loss="hinge"),
    "rmsprop": dict(optimizer="rmsprop", schedule="exponential:0.8", loss="squared", keep="last"),
    "adam": dict(optimizer="adam", schedule="constant", augment="strong", accumulate=2, keep="all"),
    "mixed": dict(augment="flip,crop,blur,mixup,cutmix", flip="yes", model="mlp", dropout=0.3, weight_decay=0.01),
    "sided": dict(augment="flip", average="ema", keep="all", schedule="plateau", batch=16),
    "plain": dict(normalization="none", init="kaiming", lr=0.003),
    "whitened": dict(model="small_color", average_mirrored="yes", average="ema", init="xavier"),
    "whitened, plain": dict(model="small_color", normalization="none", optimizer="nesterov", lr=0.01),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("knobs") / "photos", per_class=24, size=(16, 16))


def work(photos: Path, runs: Path, **knobs: Any) -> tuple[Run, Iterator[Event]]:
    run, dataset, _ = prepare(str(photos), Recipe.of(**(BASE | knobs)), runs)
    return run, train(run, dataset, judge=False)


def learned(run: Run) -> list[Step | Epoch]:
    return [dataclasses.replace(e, seconds=0.0) for e in run.events() if isinstance(e, (Step, Epoch))]


@pytest.fixture(scope="module")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, list[str]]]:
    """Knobs → (the finished run, what it said)."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    for name, knobs in KNOBS.items():
        run, events = work(photos, folder / name, **knobs)
        found[name] = run, [str(event.message) for event in events if isinstance(event, Note)]
    return found


Trained = dict[str, tuple[Run, list[str]]]


def rates(run: Run) -> list[float]:
    """Of the first step of each epoch, as shares of the first one."""
    steps = [event for event in learned(run) if isinstance(event, Step)]
    first = {event.epoch: event.lr for event in reversed(steps)}
    return [first[epoch] / first[0] for epoch in range(4)]


@pytest.mark.parametrize("name", KNOBS)
def test_it_learns_and_goes_on_to_the_same_bits(name: str, trained: Trained, photos: Path, tmp_path: Path) -> None:
    whole, _ = trained[name]
    part, events = work(photos, tmp_path, **KNOBS[name])
    for event in events:
        if isinstance(event, Step) and event.n == 9:
            break
    events.close()  # type: ignore[attr-defined]
    again, events = work(photos, tmp_path, **KNOBS[name])
    assert again.path == part.path and "resume" in [e.topic for e in events if isinstance(e, Note)]
    assert learned(again) == learned(whole)
    assert len({sha256_of_file(run.snapshots / "best.safetensors") for run in (whole, again)}) == 1
    assert (again.path / "history.csv").read_text().count("\n") == 5


def test_the_schedules_are_followed(trained: Trained) -> None:
    assert rates(trained["sgd"][0]) == pytest.approx([1, 1, 0.5, 0.5])
    assert rates(trained["adagrad"][0]) == pytest.approx([1, 0.1, 0.1, 0.01])
    assert rates(trained["rmsprop"][0]) == pytest.approx([1, 0.8, 0.64, 0.512])
    assert rates(trained["adam"][0]) == [1] * 4
    assert rates(trained["nesterov"][0]) == pytest.approx([1, 0.854, 0.5, 0.146], abs=1e-3)
    losses = [event.validation_loss for event in learned(trained["momentum"][0]) if isinstance(event, Epoch)]
    lowest, expected = np.minimum.accumulate(losses), [1.0]
    for k in range(1, 4):
        fell = k == 1 or losses[k - 1] < lowest[k - 2] * (1 - 1e-4)
        expected.append(expected[-1] if fell else 0.5 * expected[-1])
    assert rates(trained["momentum"][0]) == pytest.approx(expected)


def test_what_was_asked_for_is_said(trained: Trained) -> None:
    said = {name: "\n".join(notes) for name, (_, notes) in trained.items()}
    assert "optimizer: SGD, with a learning rate of at most 0.1 and the schedule step:2,0.5, no weight" in said["sgd"]
    assert "L1 penalty: 0.0001 times" in said["momentum"] and "Nesterov's momentum 0.9" in said["nesterov"]
    assert "norm above 0.5" in said["nesterov"] and "running mean of the weights" in said["nesterov"]
    assert "gradients of 2 batches" in said["adam"] and "a rectangle of up to 25.0" in said["adam"]
    assert "mixup" in said["mixed"] and "CutMix" in said["mixed"] and "mirrored at random" in said["mixed"]
    assert "dropout: 30.0" in said["mixed"] and "decoupled" in said["mixed"]
    assert "kaiming" in said["plain"] and "weights after the last epoch are kept" in said["rmsprop"]
    for name in ("sgd", "plain"):
        assert "shown as they are, as asked (no augmentation)" in said[name]


def test_twice_the_batches_are_half_the_steps(trained: Trained) -> None:
    steps = {name: (run.info().steps or 0) // 4 for name, (run, _) in trained.items()}
    assert steps["adam"] == -(-steps["sgd"] // 2) and trained["adam"][0].info().recipe["accumulate"] == 2


def test_the_last_weights_are_kept_where_they_are_asked_for(trained: Trained) -> None:
    run, _ = trained["rmsprop"]
    last = run.kept()[max(run.kept())]
    kept, model = build("cnn", 3, 3, 16), build("cnn", 3, 3, 16)
    load_weights(kept, run.snapshots / "best.safetensors")
    load_weights(model, last)
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in kept.state_dict().items())
    epochs = [event for event in learned(run) if isinstance(event, Epoch)]
    final = run.info().final
    assert final is not None and final.validation == epochs[-1].validation_accuracy


def test_a_plain_network_is_opened_by_its_name(trained: Trained) -> None:
    run, _ = trained["plain"]
    network, _ = load_network(str(run.path))
    assert run.info().model == "cnn+plain" and not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def test_each_epoch_says_how_the_training_images_do(trained: Trained) -> None:
    run, _ = trained["sgd"]
    epochs = [event for event in learned(run) if isinstance(event, Epoch)]
    assert all(event.train_accuracy is not None for event in epochs)
    with open(run.path / "history.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, event in zip(rows, epochs, strict=True):
        assert int(row["epoch"]) == event.n + 1 and int(row["steps"]) == event.step
        assert float(row["training_accuracy"]) == event.train_accuracy
        assert float(row["validation_loss"]) == event.validation_loss
        assert float(row["validation_accuracy"]) == event.validation_accuracy
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.1, 0.1, 0.05, 0.05])


def _best(run: Run) -> int:
    return max(event.n for event in learned(run) if isinstance(event, Epoch) and event.best)


def test_patience_leaves_time_for_a_plateau_and_for_the_last_epoch(trained: Trained) -> None:
    found = {}
    for name, asked in (("plateau", dict(schedule="plateau:4")), ("last", dict(keep="last")), ("usual", {})):
        found[name] = _default_patience(Recipe.of(**asked), 20.0)  # type: ignore[arg-type]
    assert found == {"plateau": 11, "last": 20, "usual": 5}


def test_the_weights_of_any_epoch_can_be_exported(trained: Trained, photos: Path, tmp_path: Path) -> None:
    run, _ = trained["adam"]
    epochs = [event for event in learned(run) if isinstance(event, Epoch)]
    assert {event.step for event in epochs} <= set(run.kept())
    files = [export(str(run.path), tmp_path, epoch=k + 1) for k in range(4)]
    assert [file.name for file in files] == [f"{run.path.name}-epoch-{k + 1}.onnx" for k in range(4)]
    rows = [row for row in csv.DictReader(run.split_file.read_text().splitlines()) if row["part"] == "validation"]
    images = [photos / row["file"] for row in rows]
    for file, event in zip(files, epochs, strict=True):
        predictor = Predictor(file)
        opened = [predictor.preprocessing.opened(image.read_bytes())[0] for image in images]
        named = predictor.probabilities(opened).argmax(1)
        right = np.mean([predictor.classes[k] == row["label"] for k, row in zip(named, rows, strict=True)])
        assert right == pytest.approx(event.validation_accuracy)
    run, _ = trained["sided"]  # the mean of the weights was judged, so it is what each epoch keeps
    (best,) = [event for event in learned(run) if isinstance(event, Epoch) and event.n == _best(run)]
    kept, model = build("cnn", 3, 3, 16), build("cnn", 3, 3, 16)
    load_weights(kept, run.snapshots / "best.safetensors")
    load_weights(model, run.kept()[best.step])
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in kept.state_dict().items())
    run, _ = trained["adam"]
    with pytest.raises(UsageError, match=r"after epoch 5 were not kept; those of these epochs were: 1, 2, 3, 4.*L180"):
        export(str(run.path), tmp_path, epoch=5)


def test_an_exported_epoch_is_balanced_as_the_sealed_model_is(photos: Path, tmp_path: Path) -> None:
    run, events = work(photos, tmp_path, balance="yes", keep="last", epochs=2)
    list(events)
    sealed, epoch = Predictor(run.model_file), Predictor(export(str(run.path), tmp_path, epoch=2))
    assert epoch.priors is not None and sealed.priors == pytest.approx(epoch.priors)
    opened = [sealed.preprocessing.opened(file.read_bytes())[0] for file in sorted(photos.rglob("*.png"))[:8]]
    logits = [np.log(one.probabilities(opened)) for one in (sealed, epoch)]
    first, second = (one - one.mean(1, keepdims=True) for one in logits)
    share = (first * second).sum() / (second**2).sum()  # the temperature that the sealed model has besides
    assert np.allclose(first, share * second, atol=1e-3)


@pytest.mark.parametrize(
    ("knobs", "both"),
    [
        (dict(loss="hinge", label_smoothing=0.1), "loss=hinge label_smoothing=0.1"),
        (dict(augment="none", flip="yes"), "augment=none flip=yes"),
        (dict(augment="crop,zoom", flip="yes"), "augment=crop,zoom flip=yes"),
        (dict(augment="flip", flip="no"), "augment=flip flip=no"),
        (dict(init="xavier", weights="old.safetensors"), "init=xavier weights=old.safetensors"),
        (dict(folds=5, schedule="plateau"), "folds=5 schedule=plateau"),
        (dict(balance="yes", loss="squared"), "balance=yes loss=squared"),
    ],
)
def test_two_options_that_fight_are_both_named(knobs: dict[str, Any], both: str) -> None:
    with pytest.raises(UsageError, match=f"contradict each other.*{both}.*L177"):
        Recipe.of(**knobs)


def test_a_default_never_fights() -> None:
    for knobs in (dict(loss="hinge"), dict(augment="none"), dict(augment="flip"), dict(init="xavier"), dict(folds=5)):
        Recipe.of(**knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize("knob", [dict(normalization="none"), dict(init="kaiming")])
def test_published_weights_do_not_fit_a_changed_network(knob: dict[str, str], photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"L178"):
        prepare(str(photos), Recipe.of(model="efficientnet_lite0", **knob), tmp_path)


def test_a_run_of_before_the_knobs_is_continued() -> None:
    knobs = ("optimizer", "schedule", "loss", "l1", "dropout", "normalization", "init", "clip", "average", "accumulate")
    now = Recipe().to_json()
    before = {name: value for name, value in now.items() if name not in (*knobs, "keep", "augment")}
    assert _as_now(before | {"label_smoothing": 0.1}) == now
    assert _as_now(before | {"label_smoothing": 0.0})["label_smoothing"] == 0.0
    assert _as_now(now | {"label_smoothing": 0.1})["label_smoothing"] == 0.1, "asked for"


def test_each_rule_has_a_rate_and_a_decay_of_its_own() -> None:
    from limpide.data.read_images import ImageSample

    sample = ImageSample(28, True)
    found = {}
    for rule in ("sgd", "nesterov", "adam", "adamw"):
        filled, reasons = decide_recipe(Recipe(model="cnn", optimizer=rule, device="cpu"), sample, 1000)
        found[rule] = filled.lr, filled.weight_decay, filled.label_smoothing
        assert any(f"the default for cnn with {rule}" in str(reason) for reason in reasons)
    assert found["adamw"] == (0.01, 0.02, 0.1) and found["adam"] == (0.01, 0.0, 0.1)
    assert found["sgd"][0] > found["nesterov"][0] > 0.01  # type: ignore[operator]
    hinge, _ = decide_recipe(Recipe(model="cnn", loss="hinge", device="cpu"), sample, 1000)
    assert hinge.label_smoothing == 0.0
