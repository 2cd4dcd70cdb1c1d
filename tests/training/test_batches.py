"""Batches come in an order that seed and pass decide; augmentation changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.training.batches import Batches, LightAugment, as_tensor, normalized

CPU = torch.device("cpu")


def numbered(n: int, batch: int, channels: int = 1) -> Batches:
    """Image i is filled with grey level i; its rows in the data set are 2i (the odd ones are somebody else's)."""
    array = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 4, 4, channels)).copy()
    pixels = Pixels(Preprocessing(4, channels, mean=(0.0,), std=(1.0,)), np.arange(n) * 2, array)
    return Batches(pixels, np.arange(n) * 2, np.arange(n, dtype=np.int64), batch, CPU)


@given(n=st.integers(1, 60), batch=st.integers(1, 17), seed=st.integers(0, 5), epoch=st.integers(0, 5))
def test_every_image_once_with_its_own_label(n: int, batch: int, seed: int, epoch: int) -> None:
    batches = numbered(n, batch)
    got = list(batches.shuffled(seed, epoch))
    assert len(got) == len(batches) == -(-n // batch)
    for images, labels in got:
        assert torch.equal(images[:, 0, 0, 0].long(), labels), "pixels and label belong together"
        assert len(labels) > 1 or n == 1, "batch normalisation needs two"
    seen = torch.cat([labels for _, labels in got]).tolist()
    count = len(batches)
    sizes = [n * (k + 1) // count - n * k // count for k in range(count)]
    again = sizes.count(1) if n > 1 else 0  # a single one brings the one before it along
    assert [len(labels) for _, labels in got] == [size + (size == 1 and n > 1) for size in sizes]
    assert max(sizes) - min(sizes) <= 1 and max(sizes) <= batch, "no small last batch"
    assert set(seen) == set(range(n)) and len(seen) == n + again and max(np.bincount(seen)) <= 2


@pytest.mark.parametrize("start", [0, 1, 3])
def test_the_order_depends_on_seed_and_pass_alone(start: int) -> None:
    def order(seed: int, epoch: int, start: int = 0) -> list[int]:
        np.random.seed(start)
        torch.manual_seed(start)
        return torch.cat([labels for _, labels in numbered(40, 8).shuffled(seed, epoch, start)]).tolist()

    assert order(1, 2, start) == order(1, 2)[8 * start :], "a resume sees the rest of the same pass"
    assert order(1, 2) != order(1, 3) and order(1, 2) != order(2, 2) and order(1, 2) != order(2, 1)


def test_in_order_is_as_listed() -> None:
    assert torch.cat([labels for _, labels in numbered(11, 4).in_order()]).tolist() == list(range(11))


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised(channels: int) -> None:
    random = np.random.default_rng(0)
    raw = random.integers(0, 256, (2, 5, 5, channels), dtype=np.uint8)
    mean, std = tuple(10.0 + k for k in range(channels)), tuple(3.0 + k for k in range(channels))
    preprocessing = Preprocessing(5, channels, mean=mean, std=std)
    found = normalized(torch.from_numpy(raw), preprocessing)
    assert torch.equal(as_tensor(raw, preprocessing), found) and as_tensor(raw, preprocessing).is_contiguous()
    expected = ((raw.astype(np.float32) - np.array(mean, np.float32)) / np.array(std, np.float32)).transpose(0, 3, 1, 2)
    assert found.dtype == torch.float32 and np.array_equal(found.numpy(), expected)


def pictures(n: int = 5, side: int = 12) -> torch.Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_augmentation_of_no_strength_is_the_identity() -> None:
    images = pictures()
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0)(images, torch.Generator().manual_seed(1))
    assert (changed - images).abs().max() < 1e-5


@given(st.integers(0, 10**6))
def test_augmentation_is_finite_and_repeatable(seed: int) -> None:
    images, augment = pictures(3), LightAugment(flip=True)
    once, again = (augment(images, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.isfinite(once).all() and torch.equal(once, again)
    assert once.shape == images.shape and torch.equal(images, pictures(3)), "the original stays as it was"


def test_flip_mirrors_about_half_and_nothing_else() -> None:
    images = pictures(200)
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0, flip=True)(images, torch.Generator().manual_seed(0))
    same = (changed - images).flatten(1).abs().amax(1) < 1e-4
    mirrored = (changed - images.flip(3)).flatten(1).abs().amax(1) < 1e-4
    assert (same ^ mirrored).all() and 60 < int(mirrored.sum()) < 140


def test_each_image_is_drawn_anew_and_light_stays_within_its_bounds() -> None:
    white = torch.ones(300, 1, 6, 6)
    changed = LightAugment(zoom=0, shift=0, turn=0, light=0.2)(white, torch.Generator().manual_seed(0))[:, 0, 3, 3]
    assert changed.min() >= 0.6 - 1e-4 and changed.max() <= 1.4 + 1e-4 and len(changed.unique()) > 250


def test_a_quarter_turn_moves_a_dot_where_it_should() -> None:
    dot = torch.zeros(1, 1, 9, 9)
    dot[0, 0, 4, 7] = 1.0
    generator = torch.Generator().manual_seed(0)
    changed = LightAugment(zoom=0, shift=0, turn=90, light=0)(dot, generator)
    y, x = divmod(int(changed.argmax()), 9)
    assert abs(((y - 4) ** 2 + (x - 4) ** 2) ** 0.5 - 3) < 0.8, "a rotation keeps the distance from the centre"
