"""Whole pixels: the same values at other places, with a reflected border."""

from __future__ import annotations

import torch

from limpide.core.recipe import Recipe
from limpide.training.augment import augmentation_from_json, augmentation_to_json, decide_augmentation
from limpide.training.augment.shifted import ShiftedAugment


def test_every_image_is_one_of_the_shifts_of_its_reflected_self() -> None:
    images, targets = torch.randn(64, 3, 8, 9), torch.arange(64)
    moved, same = ShiftedAugment(2, flip=True)(images, targets, torch.Generator().manual_seed(0))
    wide = torch.nn.functional.pad(images, (2, 2, 2, 2), mode="reflect")
    found = set()
    for k in range(64):
        fits = {
            (down, across, mirrored)
            for down in range(5)
            for across in range(5)
            for mirrored in (False, True)
            if torch.equal(moved[k].flip(2) if mirrored else moved[k], wide[k, :, down : down + 8, across : across + 9])
        }
        assert len(fits) == 1
        found |= fits
    assert torch.equal(same, targets) and len(found) > 25
    assert {down for down, _, _ in found} == {across for _, across, _ in found} == set(range(5))
    assert {mirrored for _, _, mirrored in found} == {False, True}


def test_without_flip_no_image_is_mirrored() -> None:
    images = torch.arange(9.0).expand(32, 1, 4, 9).clone()
    moved, _ = ShiftedAugment(1)(images, torch.zeros(32), torch.Generator().manual_seed(0))
    assert (moved[:, :, :, 5] > moved[:, :, :, 3]).all()


def test_the_small_color_network_gets_it_by_default_and_a_run_records_it() -> None:
    recipe = Recipe(model="small_color", flip="yes")
    for epochs in (1.0, 20.0, None):
        change = decide_augmentation(recipe, epochs, False, 10)
        assert change == ShiftedAugment(2, flip=True)
    assert augmentation_from_json(augmentation_to_json(change)) == change
    assert "2 pixels, mirrored at random" in str(ShiftedAugment(2, flip=True).describe())
    assert not isinstance(decide_augmentation(recipe.but(augment="light"), 20.0, False, 10), ShiftedAugment)
    assert not isinstance(decide_augmentation(Recipe(model="cnn"), 20.0, False, 10), ShiftedAugment)
    assert decide_augmentation(recipe.but(augment="none", flip="auto"), 20.0, False, 10) is None
