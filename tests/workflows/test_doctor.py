"""limpide doctor: a run is told what went wrong in its training, and images which learning rate to take."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from limpide.audit.rate import rate_finding, suggest_rate
from limpide.core.errors import RunError, TrainingError
from limpide.core.events import Note
from limpide.core.examination import Examination
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.models.mlp import MLP
from limpide.training.optim import OPTIMIZERS
from limpide.training.optim.groups import parameter_groups
from limpide.training.rate_finder import STEPS, rates, sweep
from limpide.training.state import TrainState
from limpide.workflows.doctor import diagnose_recorded
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder
from tests.runner import limpide
from tests.training.test_loop import images

RECIPE = Recipe.of(model="mlp", epochs=3, batch=32, lr=3.0, device="cpu", precision="fp32", augment="none")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    """A rate far too large, on digits, and what was said meanwhile."""
    run, dataset, _ = prepare("digits", RECIPE, tmp_path_factory.mktemp("doctor"))
    notes = [str(event.message) for event in train(run, dataset, judge=False) if isinstance(event, Note)]
    return run, notes


@pytest.fixture
def copy(trained: tuple[Run, list[str]], tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(trained[0].path, tmp_path / "digits-001")))


def test_training_report_and_doctor_say_the_same(trained: tuple[Run, list[str]]) -> None:
    run, notes = trained
    finding = diagnose_recorded(run)
    kept = run.finding("diagnosis")
    assert kept and json.dumps(finding.to_json()) == json.dumps(kept.to_json()) and str(finding) in notes
    assert finding.verdict == "bad" and "large rate" in finding.data["faults"]
    assert "--lr 0.002" in finding.data["next"]


def test_the_command_prints_faults_epochs_and_the_next_command(trained: tuple[Run, list[str]]) -> None:
    done = limpide("doctor", trained[0].path, cwd=trained[0].path.parent, status=1)
    words = " ".join(done.stdout.split())
    assert "learning rate too large" in words and "since epoch" in words and "AdamW and a learning rate of 3" in words
    assert done.stdout.splitlines()[-1].startswith("next: limpide train digits ")
    made = json.loads(limpide("doctor", trained[0].path, "--json", cwd=trained[0].path.parent, status=1).stdout)
    assert made["name"] == "diagnosis" and "large rate" in made["data"]["faults"]


def test_an_examination_is_read_as_it_was_written(trained: tuple[Run, list[str]]) -> None:
    examination = trained[0].examination()
    assert isinstance(examination, Examination) and examination.validation
    assert [layer.name for layer in examination.layers] == ["hidden.0.weight", "head.weight"]
    assert sum(examination.validation.images) == sum(examination.validation.named) == examination.validation.n


def test_a_run_of_an_earlier_version_is_judged_by_its_curves(copy: Run) -> None:
    copy.examination_file.unlink()
    copy.update(usual_rate=None)
    finding = diagnose_recorded(copy)
    assert finding.verdict == "bad" and "No look inside was recorded" in str(finding.details[-1])
    assert "dead units" not in finding.data["faults"]


def test_a_training_that_goes_on_is_asked_by_its_curves(copy: Run) -> None:
    copy.update(status="running", final=None)
    finding = diagnose_recorded(copy)
    assert "when the training is over" in str(finding.details[-1])
    copy.events_file.write_bytes(b"")
    assert "No step of a training" in str(diagnose_recorded(Run.open(copy.path)))


def test_a_training_that_ran_away_is_told_how_often(tmp_path: Path) -> None:
    run, dataset, _ = prepare(
        "digits", RECIPE.but(optimizer="sgd", lr=100.0, loss="squared", label_smoothing=0.0), tmp_path
    )
    with pytest.raises(TrainingError) as error:
        list(train(run, dataset, judge=False))
    assert error.value.code == "L601"
    finding = diagnose_recorded(run)
    assert finding.data["faults"] == ["divergence"] and "ran away 3 times, first in step" in str(finding)
    assert "--lr 0.06" in finding.data["next"] and "--clip 1" in finding.data["next"]


@pytest.mark.parametrize("damage", ["", "{", '{"epoch": "two"}', '{"epoch": 1, "images": 1, "layers": [1]}'])
def test_a_damaged_examination_is_one_line(copy: Run, damage: str) -> None:
    copy.examination_file.write_text(damage)
    with pytest.raises(RunError) as error:
        diagnose_recorded(copy)
    assert error.value.code == "L518" and "examination.json" in str(error.value)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("digits",), "L502"),
        (("nowhere/run-001",), "L502"),
        (("RUN", "--lr", "3"), "L184"),
        (("FOLDER",), "L185"),
        (("digits", "--rate", "--lr", "1"), "L186"),
        (("digits", "--rate", "--optimizer", "sdg"), "L102"),
        (("digits", "--rate", "--good", "3"), "L188"),
        (("nowhere", "--rate"), "L202"),
    ],
)
def test_wrong_words_are_answered_in_one_line(
    trained: tuple[Run, list[str]], tmp_path: Path, words: Sequence[str], code: str
) -> None:
    places = {"RUN": str(trained[0].path), "FOLDER": str(tmp_path)}
    done = limpide("doctor", *(places.get(word, word) for word in words), cwd=tmp_path, status=None)
    lines = done.stderr.strip().splitlines()
    assert done.returncode > 1 and len(lines) == 1 and lines[0].endswith(f"[{code}]"), done.stderr


def test_the_rate_finder_suggests_a_rate_that_learns_and_leaves_nothing_behind(tmp_path: Path) -> None:
    place = photo_folder(tmp_path / "photos", per_class=20, size=(16, 16))
    done = limpide("doctor", place, "--rate", "--model", "linear", "--device", "cpu", "--json", cwd=tmp_path)
    finding = json.loads(done.stdout)
    rate = next(number["value"] for number in finding["numbers"] if number["name"] == "suggested learning rate")
    assert 1e-4 < rate < 10 and f"--lr {rate:g}" in finding["data"]["next"]
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_sweep_ends_where_the_loss_runs_away() -> None:
    """And not with an error, nor with the lower rate that a training would go on with."""
    torch.manual_seed(0)
    model = MLP(classes=3, size=8, channels=3)
    recipe = Recipe.of(optimizer="sgd", loss="squared", label_smoothing=0.0, batch=16, device="cpu", precision="fp32")
    state = TrainState(model, OPTIMIZERS["sgd"](parameter_groups(model, 0.0)), 1.0, 1, torch.Generator())
    found = list(sweep(state, images(48, batch=16), recipe, 1.0))
    assert state.rollbacks == 1 or len(found) < STEPS
    assert [rate for rate, _ in found] == rates(1.0)[: len(found)] and found[-1][0] > 1e-2


def curve(best: float, noise: float = 0.0, seed: int = 0) -> list[tuple[float, float]]:
    """A loss that is lowest at `best`, from 1e-5 to 10."""
    random, rates = np.random.default_rng(seed), np.geomspace(1e-5, 10, 120)
    return [(float(r), float(0.3 + abs(math.log10(r / best)) + random.normal(0, noise))) for r in rates]


@pytest.mark.parametrize("best", [1e-3, 1e-2, 0.3])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_lowest_loss_is_found_below_noise(best: float, noise: float) -> None:
    found, _ = suggest_rate([curve(best, noise, seed) for seed in range(3)])
    assert found is not None and max(found / best, best / found) < 1.6


def test_a_loss_that_falls_nowhere_suggests_nothing() -> None:
    flat = [[(rate, 2.3 + rate) for rate, _ in curve(1)]] * 3
    assert suggest_rate(flat)[0] is None
    finding = rate_finding(flat, "adamw", 1e-3, ["limpide", "train", "photos"])
    assert finding.verdict == "warn" and finding.data["next"] == "limpide train photos"


def test_sweeps_that_ended_early_and_losses_without_a_number_are_left_out() -> None:
    broken = [(rate, math.nan if k > 80 else loss) for k, (rate, loss) in enumerate(curve(1e-2))]
    found, smooth = suggest_rate([broken, curve(1e-2)[:100], curve(1e-2)])
    assert found is not None and max(found / 1e-2, 1e-2 / found) < 1.5 and len(smooth) == 81
