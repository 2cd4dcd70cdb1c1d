"""An ablation compares choices on the same images, goes on where it was stopped, and says no more than it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide.audit.ablation import Tried, ablation_finding
from limpide.core.errors import TrainingError, UsageError
from limpide.core.events import Event, Judged
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.core.variation import read_variations
from limpide.workflows.ablate import ablate, folder_of
from tests.make_images import photo_folder
from tests.runner import QUICKLY, limpide

RECIPE = Recipe.of(model="linear", epochs=1, batch=8, image_size=16, device="cpu", precision="fp32", test=0.4)
WORDS = ["optimizer=adamw,sgd", "lr=0.01,1e-8"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("ablate") / "photos", per_class=20, size=(16, 16))


def finding_of(events: Iterator[Event]) -> Finding:
    return next(event.finding for event in events if isinstance(event, Judged))


@pytest.fixture(scope="module")
def ablated(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finding]:
    folder = tmp_path_factory.mktemp("runs") / "ablation"
    return folder, finding_of(ablate(str(photos), read_variations(WORDS, RECIPE), 2, folder))


def test_every_combination_is_trained_with_every_seed_and_judged_on_the_same_images(
    ablated: tuple[Path, Finding],
) -> None:
    folder, finding = ablated
    runs = [run.info() for run in Run.all_in(folder)]
    wanted = sorted((info.wanted["optimizer"], info.wanted["lr"], info.wanted["seed"]) for info in runs)
    assert wanted == sorted((rule, lr, seed) for rule in ("adamw", "sgd") for lr in (0.01, 1e-8) for seed in (0, 1))
    names = ["optimizer=adamw lr=0.01", "optimizer=adamw lr=1e-8", "optimizer=sgd lr=0.01", "optimizer=sgd lr=1e-8"]
    assert finding.data["names"] == names and [number.name for number in finding.numbers] == names
    parts = {run.split_file.read_text() for run in Run.all_in(folder)}
    assert len(parts) == 1
    (n,) = {number.n for number in finding.numbers}
    assert n == parts.pop().count(",test,")


def test_more_repeats_add_to_those_that_are_done(
    ablated: tuple[Path, Finding], photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, finding = ablated
    monkeypatch.setattr("limpide.workflows.ablate.train", lambda *_, **__: pytest.fail("trained once more"))
    again = finding_of(ablate(str(photos), read_variations(WORDS, RECIPE), 2, folder))
    assert again.data == finding.data
    one = finding_of(ablate(str(photos), read_variations(WORDS, RECIPE), 1, folder))
    assert one.verdict == "unknown" and "One repeat compares nothing" in str(one) and not one.details


def test_the_same_question_has_the_same_folder_and_another_another(tmp_path: Path) -> None:
    arms = read_variations(WORDS, RECIPE)
    assert folder_of("a", arms, RECIPE, tmp_path) == folder_of("a", read_variations(WORDS, RECIPE), RECIPE, tmp_path)
    others = [
        folder_of("b", arms, RECIPE, tmp_path),
        folder_of("a", read_variations(WORDS[:1], RECIPE), RECIPE, tmp_path),
        folder_of("a", arms, RECIPE.but(epochs=2), tmp_path),
    ]
    assert len({folder_of("a", arms, RECIPE, tmp_path), *others}) == 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "L181"),
        (["augment"], "L181"),
        (["augment=none"], "L181"),
        (["augment=none,none"], "L181"),
        (["augment=none,"], "L181"),
        (["seed=1,2"], "L182"),
        (["test=0.1,0.2"], "L182"),
        (["label_column=a,b"], "L182"),
        (["lr=0.1,0.10"], "L181"),
        (["optimizer=SGD,sgd"], "L181"),
        (["lr=0.1,0.2", "learning_rate=0.3,0.4"], "L182"),
        (["optimizer=sgd,lion"], "L102"),
        (["optimiser=sgd,adam", "colour=a,b"], "L101"),
        (["lr=" + ",".join(f"0.{k}" for k in range(1, 6)), "batch=1,2,3,4,5"], "L183"),
    ],
)
def test_what_cannot_be_compared_is_answered_in_one_line(words: list[str], code: str) -> None:
    with pytest.raises(UsageError, match=code):
        read_variations(words, Recipe())


def test_an_option_that_is_varied_is_not_set_as_well() -> None:
    with pytest.raises(UsageError, match="L182"):
        read_variations(["augment=none,light"], Recipe(augment="strong"))


def test_nothing_is_trained_before_every_choice_was_checked(photos: Path, tmp_path: Path) -> None:
    arms = read_variations(["normalization=auto,none"], RECIPE.but(model="mlp"))
    with pytest.raises(UsageError, match="L179"):
        list(ablate(str(photos), arms, 1, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_values_with_commas_are_separated_by_slashes() -> None:
    arms = read_variations(["augmentation=none/flip,crop"], Recipe())
    assert [arm.recipe.augment for arm in arms] == ["none", "flip,crop"]
    assert [arm.name for arm in arms] == ["augment=none", "augment=flip,crop"]


def tried(*shares: float, repeats: int = 5, n: int = 2000) -> list[Tried]:
    random = np.random.default_rng(0)
    difficulty = random.random(n)
    return [
        Tried(f"choice={share}", difficulty + 0.1 * random.random((repeats, n)) < share, (1.0,) * repeats)
        for share in shares
    ]


def test_what_differs_is_named_and_what_does_not_is_not() -> None:
    finding = ablation_finding(tried(0.8, 0.9, 0.8, 0.7), None)
    assert finding.verdict == "ok" and "choice=0.9 names 10" in str(finding)
    said = [str(detail) for detail in finding.details]
    assert "better" in said[0] and "no difference seen" in said[1] and "worse" in said[2] and "Holm" in said[3]
    assert any("luck flatters the best of several" in one for one in said)
    same = ablation_finding(tried(0.8, 0.8), None)
    assert same.verdict == "unknown" and "No difference seen" in str(same.message)
    assert Finding.from_json(json.loads(json.dumps(same.to_json()))).data == same.data


def test_a_training_that_runs_away_names_no_image_and_ends_no_other(photos: Path, tmp_path: Path) -> None:
    recipe = RECIPE.but(optimizer="sgd", loss="squared", epochs=3)
    arms = read_variations(["lr=0.01,100"], recipe)
    events = list(ablate(str(photos), arms, 1, tmp_path))
    finding = finding_of(iter(events))
    assert [finding.data["names"], finding.data["right"][1]] == [["lr=0.01", "lr=100"], [0.0]]
    assert min(finding.data["right"][0]) > 0
    said = [str(detail) for detail in finding.details]
    assert sum("in 1 of 1 trainings the loss ran away" in one for one in said) == 1 and said[0].startswith("lr=100")
    assert sum("{what}: the loss ran away" in str(event) for event in events) == 1
    again = finding_of(ablate(str(photos), arms, 1, tmp_path))
    assert again.data == finding.data


def test_where_every_training_runs_away_nothing_is_compared(photos: Path, tmp_path: Path) -> None:
    arms = read_variations(["lr=99,100"], RECIPE.but(optimizer="sgd", loss="squared", epochs=3))
    with pytest.raises(TrainingError, match="L601"):
        list(ablate(str(photos), arms, 1, tmp_path))


def test_the_verb_tells_a_program_and_a_person(photos: Path, tmp_path: Path) -> None:
    words = ("ablate", photos, "lr=0.01,0.00000001", "--model", "linear", "--epochs", "1", "--repeats", "2")
    said: dict[str, Any] = json.loads(limpide(*words, "--json", cwd=tmp_path, program=QUICKLY).stdout)
    assert said["repeats"] == 2 and said["finding"]["name"] == "ablation" and (tmp_path / said["runs"]).is_dir()
    told = limpide(*words, cwd=tmp_path, program=QUICKLY).stdout
    assert "lr=0.01, repeat 2 of 2" in told and told.strip().splitlines()[-1].startswith("next: ")
