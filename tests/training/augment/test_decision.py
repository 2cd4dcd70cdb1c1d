"""One place decides what is done to training images, and a run's record gives the same back."""

from __future__ import annotations

import json

import pytest

from limpide.core.recipe import Recipe
from limpide.core.recipe_field import CHANGES
from limpide.core.run_info import RunInfo
from limpide.core.typed_json import InvalidJson
from limpide.training.augment import (
    augmentation_from_json,
    augmentation_of,
    augmentation_to_json,
    decide_augmentation,
)
from limpide.training.augment.light import LightAugment
from limpide.training.augment.listed import AMOUNTS, STRONG, WORDS, ListedAugment

SCRATCH, KNOWN = Recipe(model="cnn", flip="yes"), Recipe(model="efficientnet_lite0", flip="no")


def test_few_passes_need_no_variety_and_unknown_ones_count_as_many() -> None:
    still = SCRATCH.but(flip="no")
    assert decide_augmentation(still, 3, True, 2) is None and decide_augmentation(still, 0.2, True, 2) is None
    many = decide_augmentation(SCRATCH, 3.1, True, 2)
    assert many == decide_augmentation(SCRATCH, None, True, 2) == LightAugment(0.1, 0.07, 0.0, 0.0, flip=True)
    assert decide_augmentation(SCRATCH, 9, False, 2) == LightAugment(0.1, 0.07, 5.0, 0.1, flip=True)


def test_a_network_that_knows_photographs_sees_them_altered_however_few_the_passes() -> None:
    for epochs in (1, None, 20):
        assert decide_augmentation(KNOWN, epochs, False, 2) == LightAugment(flip=False)


@pytest.mark.parametrize(
    "change", [None, LightAugment(), LightAugment(turn=0, flip=True), ListedAugment(3, flip=True, mixup=0.2)]
)
def test_what_is_written_down_comes_back(change: LightAugment | ListedAugment | None) -> None:
    kept = json.loads(json.dumps(augmentation_to_json(change)))
    assert augmentation_from_json(kept) == change
    assert isinstance(change, ListedAugment) == ("name" in kept), "as runs of earlier versions have it"


@pytest.mark.parametrize("recipe", [SCRATCH, KNOWN])
@pytest.mark.parametrize("epochs", [1, None, 60])
def test_what_was_asked_for_does_not_depend_on_the_epochs(recipe: Recipe, epochs: int | None) -> None:
    flip = recipe.flip == "yes"
    assert decide_augmentation(recipe.but(augment="none", flip="auto"), epochs, False, 4) is None
    strong = decide_augmentation(recipe.but(augment="strong"), epochs, False, 4)
    assert strong == ListedAugment(4, flip=flip, **{name: AMOUNTS[name] for name in STRONG})
    listed = decide_augmentation(recipe.but(augment="blur,cutmix", flip="auto"), epochs, False, 4)
    assert listed == ListedAugment(4, blur=AMOUNTS["blur"], cutmix=AMOUNTS["cutmix"])
    light = decide_augmentation(recipe.but(augment="light"), epochs, False, 4)
    assert light == decide_augmentation(recipe, None, False, 4) and isinstance(light, LightAugment)


def test_mirroring_that_was_asked_for_is_done_however_few_the_epochs() -> None:
    assert decide_augmentation(SCRATCH, 1, True, 2) == ListedAugment(2, flip=True)


def test_every_change_has_a_name_an_amount_and_words() -> None:
    assert set(CHANGES) == set(AMOUNTS) == set(WORDS) and set(STRONG) < set(CHANGES)
    said = str(ListedAugment(3, **AMOUNTS).describe())
    assert "mirrored at random, cut to 50.0" in said and "mixup, α = 0.2" in said and said.count(", ") >= 9


def test_a_record_counts_and_without_one_it_is_decided() -> None:
    recipe = SCRATCH.but(flip="no").to_json()
    assert augmentation_of(RunInfo.from_json({"recipe": recipe, "epochs": 9, "augmentation": {}}), True) is None
    kept = {"zoom": 0.5, "shift": 0.0, "turn": 0.0, "light": 0.0, "flip": False}
    assert augmentation_of(RunInfo.from_json({"augmentation": kept}), True) == LightAugment(0.5, 0.0, 0.0, 0.0)
    assert augmentation_of(RunInfo.from_json({"recipe": recipe, "epochs": 9}), True) == decide_augmentation(
        SCRATCH.but(flip="no"), 9, True, 0
    )
    assert augmentation_of(RunInfo.from_json({"recipe": recipe}), True) is None, "nothing was trained yet"


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ({"name": "of_tomorrow"}, "augmentation.name must be one of light, listed"),
        ({"zoom": "much"}, "augmentation.zoom must be"),
    ],
)
def test_what_another_version_wrote_is_named(kept: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidJson, match=why):
        augmentation_from_json(kept)
