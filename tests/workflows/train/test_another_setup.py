"""Cases 76, 77 and 79: a clock that jumps changes no duration; another machine is named, recorded, and no mistake."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from limpide.core.errors import UsageError
from limpide.core.events import Epoch, Note, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.report.html.run_data import made_facts
from limpide.workflows.train import same_setup
from limpide.workflows.train.training import prepare, train
from tests.workflows.train.test_parts import noise

RECIPE = Recipe.of(model="linear", epochs=2, batch=4, image_size=16, device="cpu", precision="fp32")


def stopped(root: Path, recipe: Recipe = RECIPE) -> tuple[Run, Dataset]:
    """After its first step."""
    run, dataset, _ = prepare(str(noise(root / "data", a=12, b=12)), recipe, root / "runs")
    work = train(run, dataset, images=False, judge=False)
    assert any(isinstance(event, Step) for event in work)
    work.close()  # type: ignore[attr-defined]
    return run, dataset


def notes(run: Run, dataset: Dataset) -> list[str]:
    return [str(event.message) for event in train(run, dataset, images=False, judge=False) if isinstance(event, Note)]


def test_another_machine_is_named_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, dataset = stopped(tmp_path)
    here, there = same_setup.describe(), same_setup.describe()
    there["processor"], there["threads"], there["versions"] = "Abacus", "3", {**here["versions"], "torch": "1.0"}
    monkeypatch.setattr(same_setup, "describe", lambda: there)
    (says,) = [says for says in notes(run, dataset) if "not bit for bit" in says]
    for name, value in (("processor", "Abacus"), ("threads", "3"), ("torch", "1.0")):
        before = here["versions"][name] if name == "torch" else here[name]
        assert f"{name}: {before or '–'} → {value}" in says
    assert "Python" not in says and "cores" not in says, "what is the same is not named"
    info = run.info()
    assert info.machine == here and list(info.machines) == [there] and info.status == "finished"
    assert ("other set-ups that it was continued on", "1") in made_facts(info)


def test_the_same_machine_is_no_matter(tmp_path: Path) -> None:
    run, dataset = stopped(tmp_path)
    assert not [says for says in notes(run, dataset) if "not bit for bit" in says] and run.info().machines == ()


def test_what_an_earlier_version_did_not_record_is_no_difference() -> None:
    assert same_setup.differences({"cores": 2}, {"cores": 2, "threads": "1"}) == []
    assert same_setup.differences({"cores": 2}, {"cores": 4}) == ["cores: 2 → 4"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the card that is missed")
def test_a_card_that_is_not_here_is_one_line(tmp_path: Path) -> None:
    run, dataset = stopped(tmp_path)
    run.update(recipe={**run.info().recipe, "device": "cuda"})
    with pytest.raises(UsageError, match="L105"):
        notes(run, dataset)


def test_a_clock_that_jumps_changes_no_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock goes back by a day, and forth by a week, at every look; durations come from one that only goes on,
    and does not count sleep. `--time` is not used up by a jump either.
    """
    looks, real, began = iter(range(10**9)), time.time, time.monotonic()

    def jumping() -> float:
        return real() + (604_800.0 if next(looks) % 2 else -86_400.0)

    monkeypatch.setattr(time, "time", jumping)
    run, dataset = stopped(tmp_path, RECIPE.but(time=600.0))
    events = list(train(run, dataset, images=False, judge=False))
    passed, info = time.monotonic() - began, run.info()
    assert info.status == "finished" and not info.plans and not info.left_out
    lasted = [event.seconds for event in events if isinstance(event, (Step, Epoch))]
    lasted += [info.spent, info.fit_seconds, float(info.model_seconds or 0)]
    assert all(0 <= seconds <= passed for seconds in lasted)
