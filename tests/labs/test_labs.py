"""The cases of the courses' labs (docs/explanation/labs.md) by public commands: each test has the name of its case.

Signs of scores that need CIFAR-10 and minutes are experiments: experiments/labs_by_command.py.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from limpide.audit.early_stopping import EarlyStop, stop_early
from limpide.core.events import Epoch, Step
from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from limpide.ladder.optimizers import SGD, Momentum, Nesterov
from limpide.models import build, parameters
from limpide.workflows.export import export
from tests.make_images import photo_folder
from tests.runner import QUICKLY, limpide

ROOT = Path(__file__).parents[2]
NETWORKS = "experiments.lab_networks"
LAB = ("--optimizer", "sgd", "--augment", "none", "--label-smoothing", "0", "--device", "cpu")
Train = Callable[..., tuple[Run, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labs")


@pytest.fixture(scope="module")
def train(place: Path) -> Train:
    """limpide train … → (its run, what it printed); the same words train once."""
    done: dict[tuple[object, ...], tuple[Run, str]] = {}

    def trained(*words: object, status: int = 0) -> tuple[Run, str]:
        if words not in done:
            runs = f"runs-{len(done)}"
            said = limpide(
                "train", *words, "--runs", runs, cwd=place, program=QUICKLY, status=status, PYTHONPATH=str(ROOT)
            )
            done[words] = Run.all_in(place / runs)[-1], said.stdout + said.stderr
        return done[words]

    return trained


@pytest.fixture(scope="module")
def mnistnet(train: Train) -> tuple[Run, str]:
    """The net and the recipe of lab 1 on small digits, with the schedule of lab 3."""
    words = (
        "--epochs",
        "10",
        "--patience",
        "10",
        "--lr",
        "0.1",
        "--batch",
        "16",
        "--schedule",
        "exponential:0.8",
        "--keep",
        "all",
    )
    return train("digits", "--model", f"{NETWORKS}:mnistnet", *words, *LAB)


@pytest.fixture(scope="module")
def noise(place: Path) -> Path:
    """A table of images whose labels mean nothing: all that can be learned is by heart."""
    random, table = np.random.default_rng(0), place / "noise.csv"
    (place / "noise").mkdir()
    with open(table, "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "label"))
        for k in range(120):
            Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(place / "noise" / f"{k}.png")
            rows.writerow((f"noise/{k}.png", "ab"[k % 2]))
    return table


def by_heart(train: Train, noise: Path, *words: str) -> tuple[Run, str]:
    fixed = ("--model", "mlp", "--folds", "0", "--image-size", "8", "--epochs", "15", "--batch", "16", "--lr", "0.003")
    return train(noise, *fixed, "--optimizer", "adam", "--schedule", "constant", "--augment", "none", *words)


def history(run: Run) -> dict[str, list[float]]:
    with open(run.path / "history.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def epochs_of(run: Run) -> list[Epoch]:
    return [event for event in run.events() if isinstance(event, Epoch)]


def statistics(run: Run, step: int) -> dict[str, dict[str, Any]]:
    """Of the weights of each layer, but not of the biases."""
    (line,) = [line for line in run.lines(run.stats_file) if line["step"] == step]
    return {name: one for name, one in line["parameters"].items() if name.endswith("weight")}


@pytest.mark.parametrize(
    ("case", "name", "channels", "size", "n"),
    [
        ("H10", "mnistnet", 1, 28, 309_784),
        ("H12", "cifarnet", 3, 32, 168_490),
        ("H28", "wide_tanh", 3, 32, 7_087_010),
        ("H28", "wide_relu", 3, 32, 7_087_010),
        ("H33", "mlp_100", 1, 28, 89_610),
        ("H36", "three", 3, 32, 247_610),
        ("H37", "five", 3, 32, 428_210),
        ("H38", "fifty_one", 3, 32, 4_582_010),
        ("H39", "residual", 3, 32, 4_582_010),
    ],
)
def test_h10_h12_h28_h33_h36_to_h39_networks_have_the_parameters_of_the_labs(
    case: str, name: str, channels: int, size: int, n: int
) -> None:
    assert parameters(build(f"{NETWORKS}:{name}", 10, channels, size)) == n


def test_h10_h12_h14_curves_a_test_score_and_the_memory_it_takes(mnistnet: tuple[Run, str]) -> None:
    run, said = mnistnet
    of = history(run)
    assert of["epoch"] == list(range(1, 11)) and of["training_loss"][-1] < 0.5 * of["training_loss"][0]
    assert of["training_accuracy"][-1] > 0.9 and of["validation_accuracy"][-1] > 0.8
    accuracy = run.finding("accuracy")
    assert accuracy is not None and accuracy.number("accuracy").value > 0.8
    assert "learning rate of at most 0.1" in said and re.search(r"\d.MB of memory", said)


def test_h11_a_training_on_a_card_that_is_not_there_is_one_line(train: Train, place: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one: limpide ablate digits device=cpu,cuda prints both times")
    said = limpide("train", "digits", "--device", "cuda", cwd=place, status=None)
    assert said.returncode == 2 and "L105" in said.stderr


def test_h13_overfitting_is_named_with_the_epoch_where_it_turned(train: Train, noise: Path) -> None:
    run, said = by_heart(train, noise, "--keep", "last")
    losses, own = history(run)["validation_loss"], history(run)["training_loss"]
    assert own[-1] < 0.5 * own[0] and losses[-1] > losses[int(np.argmin(losses))]
    turned = int(np.argmin(losses)) + 2
    finding = run.finding("diagnosis")
    assert finding is not None and finding.verdict == "warn"
    assert f"it overfits from epoch {turned} on" in str(finding) and f"overfits from epoch {turned} on" in said


def test_h15_a_rate_that_is_far_too_high_is_named(train: Train) -> None:
    words = ("--model", f"{NETWORKS}:mnistnet", "--epochs", "2", "--lr", "10", "--batch", "64")
    _, said = train("digits", *words, "--schedule", "constant", *LAB, status=6)
    assert "the loss is not a number any more" in said and "lower --lr" in said and "L601" in said


def test_h17_the_log_is_a_table_and_epochs_4_and_5_come_back(mnistnet: tuple[Run, str], place: Path) -> None:
    run, _ = mnistnet
    wanted = (
        "epoch steps seconds learning_rate training_loss training_accuracy validation_loss validation_accuracy best"
    )
    assert list(history(run)) == wanted.split()
    files = []
    for epoch in (4, 5):
        file = place / f"epoch-{epoch}.onnx"
        limpide("export", run.path, file, "--epoch", epoch, cwd=place)
        files.append(file)
    assert files[0].read_bytes() != files[1].read_bytes()
    assert Predictor(files[0]).classes == Predictor(run.model_file).classes
    assert sum(history(run)["best"]) >= 1 and (run.snapshots / "best.safetensors").is_file()


@pytest.mark.parametrize("network", ["deep_tanh", "deep_relu"])
def test_h20_h28_gradients_of_each_of_ten_layers_before_training_and_after(train: Train, network: str) -> None:
    run, _ = train("digits", "--model", f"{NETWORKS}:{network}", "--epochs", "2", "--lr", "0.1", "--batch", "64", *LAB)
    (steps,) = [int(line["step"]) for line in list(run.lines(run.stats_file))[-1:]]
    for step in (1, steps):  # the gradients of the first step are those of the initial weights
        layers = statistics(run, step)
        assert len(layers) == 11
        zeros = [one["gradients"]["zeros"] / sum(one["gradients"]["counts"]) for one in list(layers.values())[1:]]
        assert (max(zeros) == 0) == (network == "deep_tanh"), "ReLU silences units, tanh does not"
        for one in layers.values():
            assert one["gradients"]["low"] < 0 < one["gradients"]["high"] and one["low"] < 0 < one["high"]


@pytest.mark.parametrize(("network", "kept"), [("deep_tanh", "xavier"), ("deep_relu", "kaiming")])
def test_h28_initial_weights_decide_whether_the_gradients_reach_the_first_layers(
    train: Train, network: str, kept: str
) -> None:
    found = {}
    for init in (kept, "normal"):
        words = ("--epochs", "1", "--lr", "0.01", "--batch", "64", "--init", init)
        run, _ = train("digits", "--model", f"{NETWORKS}:{network}", *words, *LAB)
        found[init] = [one["gradient"] for one in statistics(run, 1).values()]
    assert max(found[kept][1:-1]) < 10 * min(found[kept][1:-1]), (
        "Glorot & Bengio 2010 for tanh, He et al. 2015 for ReLU"
    )
    assert max(found["normal"][1:-1]) < 1e-6 * min(found[kept][1:-1]), "0.01 is far too small for ten layers"


def test_h21_two_loss_curves_of_tanh_and_relu(train: Train) -> None:
    curves = []
    for network in ("deep_tanh", "deep_relu"):
        words = ("--epochs", "2", "--lr", "0.1", "--batch", "64", *LAB)
        run, _ = train("digits", "--model", f"{NETWORKS}:{network}", *words)
        curves.append([event.loss for event in run.events() if isinstance(event, Step)])
    assert len(curves[0]) == len(curves[1]) > 20 and curves[0] != curves[1]


H = np.array([[2.6, 1.4347], [1.4347, 2.6]])  # its largest eigenvalue is that of the lab, 4.0347
LOWEST = np.array([1.7586, -2.8966])


@pytest.mark.parametrize(("rate", "falls"), [(0.49, True), (0.5, False)])
def test_h23_descent_is_stable_below_two_over_the_largest_curvature(rate: float, falls: bool) -> None:
    assert np.linalg.eigvalsh(H)[-1] == pytest.approx(4.0347) and 0.49 < 2 / 4.0347 < 0.5
    w, rule = np.zeros(2), SGD(rate)
    for _ in range(500):
        w = rule.step(w, H @ (w - LOWEST))
    assert (np.abs(w - LOWEST).max() < 0.2) == falls


def test_h23_momentum_and_nesterov_reach_it_too() -> None:
    for rule in (Momentum(0.1, 0.7), Nesterov(0.1, 0.7)):
        w = np.zeros(2)
        for _ in range(200):
            w = rule.step(w, H @ (w - LOWEST))
        assert w == pytest.approx(LOWEST, abs=1e-6)


def test_h25_the_rates_of_the_history_are_those_of_the_formula(mnistnet: tuple[Run, str]) -> None:
    rates = history(mnistnet[0])["learning_rate"]
    assert rates == pytest.approx([0.1 * 0.8**k for k in range(10)], rel=1e-12)
    assert 0.1 * rates[-1] == pytest.approx(0.00134, abs=5e-6), "the lab begins at 0.01"


def test_h27_the_gallery_shows_the_surest_mistakes_and_the_hardest_class(mnistnet: tuple[Run, str]) -> None:
    run, _ = mnistnet
    with np.load(run.predictions / "test.npz") as found:
        probabilities, truth, files = found["probabilities"], found["truth"], found["files"].astype(str)
    named, sure = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(named != truth)
    gallery, hardest = run.finding("mistakes"), run.finding("classes")
    assert gallery is not None and hardest is not None and len(wrong) > 2
    shown = [picture.probability for picture in gallery.pictures]
    assert shown == pytest.approx(np.sort(sure[wrong])[::-1][: len(shown)], abs=1e-6)
    assert {picture.file for picture in gallery.pictures} <= set(files[wrong].tolist())
    recall = [float((named == truth)[truth == k].mean()) for k in range(10)]
    assert re.search(rf"{100 * min(recall):.1f}", str(hardest)), "easiest and hardest are rows of its table, too"
    cells = run.finding("confusion")
    assert cells is not None and any(picture.label == picture.predicted for picture in cells.pictures)


@pytest.mark.parametrize("penalty", [("--weight-decay", "0.02"), ("--l1", "0.001")])
def test_h29_h30_penalties_make_weights_smaller(train: Train, penalty: tuple[str, str]) -> None:
    words = ("--model", "mlp", "--epochs", "8", "--lr", "0.1", "--batch", "32", "--schedule", "constant", *LAB)
    found = []
    for more in ((), penalty):
        run, said = train("digits", *words, *more)
        found.append(statistics(run, list(run.lines(run.stats_file))[-1]["step"])["hidden.0.weight"])
    (without, penalized), n = found, sum(found[0]["counts"])
    assert penalized["norm"] ** 2 / n < 0.8 * without["norm"] ** 2 / n, "the variance of the weights, about 0"
    assert max(-penalized["low"], penalized["high"]) < max(-without["low"], without["high"])
    assert ("L1 penalty" in said) == (penalty[0] == "--l1")


def of(*scores: tuple[float, float]) -> list[Epoch]:
    """(accuracy, loss) on validation of each epoch."""
    return [Epoch(k, k, 0.0, loss, accuracy, False, 0.0) for k, (accuracy, loss) in enumerate(scores)]


def test_h31_what_any_patience_would_have_kept_of_a_recorded_history() -> None:
    epochs = of((0.5, 2), (0.6, 1), (0.5, 1), (0.6, 0.9), (0.4, 1), (0.4, 1), (0.4, 1), (0.7, 1))
    kept = {p: stop_early(epochs, p) for p in (1, 2, 3, 4, 5, 10)}
    assert kept[1] == EarlyStop(1, 3, 2, 0.6, 1, stopped=True)
    assert kept[2] == EarlyStop(2, 6, 4, 0.6, 0.9, stopped=True), "equal accuracy, lower loss"
    assert kept[3] == EarlyStop(3, 7, 4, 0.6, 0.9, stopped=True)
    assert [kept[p] for p in (4, 5, 10)] == [EarlyStop(p, 8, 8, 0.7, 1, stopped=False) for p in (4, 5, 10)]
    with pytest.raises(ValueError, match="patience"):
        stop_early(epochs, 0)
    with pytest.raises(ValueError, match="epoch"):
        stop_early([], 1)


def test_h31_h32_a_training_with_patience_stops_where_the_history_says(train: Train, noise: Path) -> None:
    whole, _ = by_heart(train, noise, "--patience", "15")
    stopped, _ = by_heart(train, noise, "--patience", "3")
    epochs, until = epochs_of(whole), epochs_of(stopped)
    expected = stop_early(epochs, 3)
    assert expected.stopped and len(until) == expected.epochs < len(epochs)
    assert max(event.n for event in until if event.best) + 1 == expected.kept
    final = stopped.info().final
    assert final is not None and final.validation == expected.accuracy


def test_h33_training_accuracy_is_measured_without_dropout(train: Train, place: Path) -> None:
    photos = photo_folder(place / "photos", per_class=30, size=(16, 16))
    words = ("--model", f"{NETWORKS}:mlp_100", "--image-size", "16", "--epochs", "3", "--batch", "16", "--lr", "0.05")
    run, said = train(photos, *words, "--dropout", "0.6", "--keep", "all", "--folds", "0", *LAB)
    assert "dropout: 60.0" in said
    with open(run.split_file, newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["part"] == "train"]
    predictor = Predictor(export(str(run.path), place, epoch=3))
    opened = [predictor.preprocessing.opened((photos / row["file"]).read_bytes())[0] for row in rows]
    named = predictor.probabilities(opened).argmax(1)
    right = np.mean([predictor.classes[k] == row["label"] for k, row in zip(named, rows, strict=True)])
    assert len(rows) < 500 and history(run)["training_accuracy"][2] == pytest.approx(right)


PAGE = ROOT / "docs" / "explanation" / "labs.md"
CASES = [*range(9, 18), *range(20, 34), *range(36, 39)]


def test_every_case_has_a_line_and_what_it_names_is_there() -> None:
    """A line that says *test* means one of this file, with the case in its name; an experiment has a stored result."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| H" in line]
    assert [int(row[0][1:3]) for row in rows] == CASES
    own = [name for name in globals() if name.startswith("test_h")]
    for case, *_, held in rows:
        if re.search(r"(?<!/)\btest\b(?!s/)", held):
            assert any(re.search(rf"_{case[:3].lower()}_", name) for name in own), case
        assert all((ROOT / file).is_file() for file in re.findall(r"`(tests/\S+)`", held)), case
    assert (ROOT / "experiments" / "results" / "labs_by_command.json").is_file()
