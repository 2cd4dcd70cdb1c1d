"""LightAugment changes what it says and nothing else."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from limpide.training.augment.light import LightAugment

NONE = torch.zeros(0, dtype=torch.int64)  # targets, where they do not matter


def pictures(n: int = 5, side: int = 12) -> torch.Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_augmentation_of_no_strength_is_the_identity() -> None:
    images = pictures()
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0)(images, NONE, torch.Generator().manual_seed(1))[0]
    assert (changed - images).abs().max() < 1e-5


@given(st.integers(0, 10**6))
def test_augmentation_is_finite_and_repeatable(seed: int) -> None:
    images, augment = pictures(3), LightAugment(flip=True)
    once, again = (augment(images, NONE, torch.Generator().manual_seed(seed))[0] for _ in range(2))
    assert torch.isfinite(once).all() and torch.equal(once, again)
    assert once.shape == images.shape and torch.equal(images, pictures(3)), "the original stays as it was"


def test_flip_mirrors_about_half_and_nothing_else() -> None:
    images = pictures(200)
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0, flip=True)(images, NONE, torch.Generator().manual_seed(0))[
        0
    ]
    same = (changed - images).flatten(1).abs().amax(1) < 1e-4
    mirrored = (changed - images.flip(3)).flatten(1).abs().amax(1) < 1e-4
    assert (same ^ mirrored).all() and 60 < int(mirrored.sum()) < 140


def test_each_image_is_drawn_anew_and_light_stays_within_its_bounds() -> None:
    white = torch.ones(300, 1, 6, 6)
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0.2)(white, NONE, torch.Generator().manual_seed(0))[0][
        :, 0, 3, 3
    ]
    assert changed.min() >= 0.6 - 1e-4 and changed.max() <= 1.4 + 1e-4 and len(changed.unique()) > 250


def test_a_quarter_turn_moves_a_dot_where_it_should() -> None:
    dot = torch.zeros(1, 1, 9, 9)
    dot[0, 0, 4, 7] = 1.0
    generator = torch.Generator().manual_seed(0)
    changed = LightAugment(zoom=0, shift=0, turn=90, light=0)(dot, NONE, generator)[0]
    y, x = divmod(int(changed.argmax()), 9)
    assert abs(((y - 4) ** 2 + (x - 4) ** 2) ** 0.5 - 3) < 0.8, "a rotation keeps the distance from the centre"


def test_targets_stay_what_they_are() -> None:
    for targets in (torch.arange(5), torch.rand(5, 3)):
        assert LightAugment(flip=True)(pictures(), targets, torch.Generator().manual_seed(0))[1] is targets
