"""One place decides what is done to training images, and a run's record gives the same back."""

from __future__ import annotations

import json

import pytest

from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo
from limpide.core.typed_json import InvalidJson
from limpide.training.augment import (
    augmentation_from_json,
    augmentation_of,
    augmentation_to_json,
    decide_augmentation,
)
from limpide.training.augment.light import LightAugment

SCRATCH, KNOWN = Recipe(model="cnn", flip="yes"), Recipe(model="efficientnet_lite0", flip="no")


def test_few_passes_need_no_variety_and_unknown_ones_count_as_many() -> None:
    assert decide_augmentation(SCRATCH, 3, True) is None and decide_augmentation(SCRATCH, 0.2, True) is None
    many = decide_augmentation(SCRATCH, 3.1, True)
    assert many == decide_augmentation(SCRATCH, None, True) == LightAugment(0.1, 0.07, 0.0, 0.0, flip=True)
    assert decide_augmentation(SCRATCH, 9, False) == LightAugment(0.1, 0.07, 5.0, 0.1, flip=True)


def test_a_network_that_knows_photographs_sees_them_altered_however_few_the_passes() -> None:
    for epochs in (1, None, 20):
        assert decide_augmentation(KNOWN, epochs, False) == LightAugment(flip=False)


@pytest.mark.parametrize("change", [None, LightAugment(), LightAugment(turn=0, flip=True)])
def test_what_is_written_down_comes_back(change: LightAugment | None) -> None:
    kept = json.loads(json.dumps(augmentation_to_json(change)))
    assert augmentation_from_json(kept) == change and "name" not in kept, "as runs of earlier versions have it"


def test_a_record_counts_and_without_one_it_is_decided() -> None:
    recipe = SCRATCH.to_json()
    assert augmentation_of(RunInfo.from_json({"recipe": recipe, "epochs": 9, "augmentation": {}}), True) is None
    kept = {"zoom": 0.5, "shift": 0.0, "turn": 0.0, "light": 0.0, "flip": False}
    assert augmentation_of(RunInfo.from_json({"augmentation": kept}), True) == LightAugment(0.5, 0.0, 0.0, 0.0)
    assert augmentation_of(RunInfo.from_json({"recipe": recipe, "epochs": 9}), True) == decide_augmentation(
        SCRATCH, 9, True
    )
    assert augmentation_of(RunInfo.from_json({"recipe": recipe}), True) is None, "nothing was trained yet"


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ({"name": "of_tomorrow"}, "augmentation.name must be one of light"),
        ({"zoom": "much"}, "augmentation.zoom must be"),
    ],
)
def test_what_another_version_wrote_is_named(kept: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidJson, match=why):
        augmentation_from_json(kept)
