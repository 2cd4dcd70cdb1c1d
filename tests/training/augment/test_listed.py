"""Each change does what its name says, to any images, and is drawn from the generator alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from limpide.training.augment.geometry import random_map, resample
from limpide.training.augment.listed import AMOUNTS, ListedAugment
from limpide.training.augment.mixing import cutmix, mixup
from limpide.training.augment.pixels import blur, change_color, erase


def images(n: int = 64, channels: int = 3, side: int = 16) -> Tensor:
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(3))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawing(n: int, generator: torch.Generator):  # type: ignore[no-untyped-def]
    return lambda largest: (torch.rand(n, generator=generator) * 2 - 1) * largest


def places(n: int, **more: float) -> Tensor:
    nothing = {"flip": False, "crop": 0.0, "zoom": 0.0, "rotate": 0.0, "translate": 0.0}
    return random_map(drawing(n, seeded()), **(nothing | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_alone_changes_images_of_either_kind_and_is_repeatable(name: str, channels: int) -> None:
    before, labels = images(channels=channels), torch.arange(64) % 5
    change = ListedAugment(5, **{name: AMOUNTS[name]})
    after, targets = change(before, labels, seeded())
    again, _ = change(before.clone(), labels, seeded())
    assert after.shape == before.shape and torch.equal(after, again) and not torch.equal(after, before)
    assert not torch.equal(after, change(before, labels, seeded(1))[0]), "another draw"
    assert torch.isfinite(after).all() and torch.equal(before, images(channels=channels)), "the input stays"
    if name in ("mixup", "cutmix"):
        assert targets.shape == (64, 5) and torch.allclose(targets.sum(1), torch.ones(64))
    else:
        assert torch.equal(targets, labels)


def test_nothing_listed_changes_nothing() -> None:
    before, labels = images(), torch.zeros(64, dtype=torch.long)
    after, targets = ListedAugment(2)(before, labels, seeded())
    assert torch.equal(after, before) and torch.equal(targets, labels)


def test_a_flip_is_exactly_the_mirror_image_or_the_image() -> None:
    before = images()
    after = resample(before, places(64, flip=True))
    kept = torch.isclose(after, before, atol=1e-5).flatten(1).all(1)
    turned = torch.isclose(after, before.flip(3), atol=1e-5).flatten(1).all(1)
    assert (kept ^ turned).all() and 16 < int(turned.sum()) < 48


def test_a_rotation_is_scipys() -> None:
    angle = torch.deg2rad(torch.tensor(90.0))
    quarter = torch.tensor([[[torch.cos(angle), -torch.sin(angle), 0.0], [torch.sin(angle), torch.cos(angle), 0.0]]])
    before = images(1)
    expected = ndimage.rotate(before[0].numpy(), 90, axes=(1, 2), reshape=False, order=1)
    assert np.allclose(resample(before, quarter)[0].numpy(), expected, atol=1e-4)
    drawn = places(5000, rotate=30.0)
    turned = torch.rad2deg(torch.atan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert turned.abs().max() <= 30 and turned.abs().max() > 29.8
    assert torch.allclose(drawn[:, :, 2], torch.zeros(5000, 2))


def test_a_crop_keeps_half_the_area_or_more_and_stays_inside() -> None:
    drawn = places(5000, crop=0.5)
    width, height = drawn[:, 0, 0], drawn[:, 1, 1]
    assert 0.5 - 1e-5 <= float((width * height).min()) < 0.51 and float((width * height).max()) > 0.98
    for half, middle in ((width, drawn[:, 0, 2]), (height, drawn[:, 1, 2])):
        assert float((middle.abs() + half).max()) <= 1 + 1e-5, "no place beyond the border"
    assert float((width / height).max()) <= 4 / 3 + 1e-3


def test_zoom_and_shift_go_as_far_as_they_say() -> None:
    zoomed, shifted = places(5000, zoom=0.2), places(5000, translate=0.1)
    assert 0.8 <= float(zoomed[:, 0, 0].min()) < 0.81 and 1.19 < float(zoomed[:, 0, 0].max()) <= 1.2
    assert 0.195 < float(shifted[:, :, 2].abs().max()) <= 0.2, "a tenth of a side of length 2"


def test_blur_is_scipys_gaussian() -> None:
    before = images(3)
    for sigma in (0.5, 1.0):
        after = blur(before, lambda _largest, sigma=sigma: torch.full((3,), sigma), 1.0)  # type: ignore[misc]
        expected = ndimage.gaussian_filter(before.numpy(), (0, 0, sigma, sigma), mode="nearest", radius=2)
        assert np.allclose(after.numpy(), expected, atol=1e-4)
    sharp = blur(before, lambda _largest: torch.zeros(3), 1.0)
    assert torch.allclose(sharp, before, atol=1e-5)


def test_color_keeps_grey_grey_and_does_nothing_at_no_strength() -> None:
    grey = images(channels=1).expand(-1, 3, -1, -1)
    after = change_color(grey, drawing(64, seeded()), 0.3)
    assert torch.allclose(after[:, 0], after[:, 2], atol=1e-5)
    assert torch.allclose(change_color(images(), lambda _: torch.zeros(64), 0.3), images(), atol=1e-5)


def test_erasing_fills_one_rectangle_of_every_other_image() -> None:
    before = images(2000, side=20)
    after = erase(before, drawing(2000, seeded()), 0.25)
    gone = (after == 0).all(1)  # (images, side, side)
    share = gone.flatten(1).float().mean(1)
    assert 0.4 < float((share > 0).float().mean()) < 0.5 and float(share.max()) <= 0.32
    for one in gone[share > 0][:200]:
        rows, columns = one.any(1), one.any(0)
        assert int(one.sum()) == int(rows.sum()) * int(columns.sum()), "a rectangle"
    assert torch.equal(torch.where(gone[:, None], before, after), before), "the rest stays"


def test_mixup_and_cutmix_mix_targets_as_they_mix_images() -> None:
    labels = torch.arange(64) % 4
    pictures = torch.nn.functional.one_hot(labels, 4).float()[:, :, None, None].expand(-1, -1, 20, 20)
    for seed in range(30):
        for mix in (mixup, cutmix):
            mixed, targets = mix(pictures, labels, 4, 1.0, seeded(seed))
            assert torch.allclose(mixed.mean((2, 3)), targets, atol=1e-5), "channel k is class k"
    mixed, _ = cutmix(pictures, labels, 4, 1.0, seeded(5))
    assert set(mixed.unique().tolist()) <= {0.0, 1.0}, "each pixel is of one image"


def test_mixed_once_more_shares_stay_shares() -> None:
    soft = torch.full((64, 4), 0.25)
    assert torch.allclose(mixup(images(), soft, 4, 0.2, seeded())[1], soft)
