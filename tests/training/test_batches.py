"""Batches come in an order that seed and pass decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.training.batches import Batches, as_tensor, normalized, split_batch

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


@pytest.mark.parametrize(
    ("n", "number", "sizes"), [(8, 2, [4, 4]), (7, 3, [3, 2, 2]), (3, 2, [3]), (1, 4, [1]), (0, 2, [0])]
)
def test_parts_of_a_batch_add_up_and_none_is_a_single_image(n: int, number: int, sizes: list[int]) -> None:
    images, targets = torch.randn(n, 1, 2, 2), torch.arange(n)
    parts = split_batch((images, targets), number)
    assert [len(part[0]) for _, part in parts] == [len(part[1]) for _, part in parts] == sizes
    assert torch.equal(torch.cat([part[0] for _, part in parts]), images)
    if n:
        assert sum(share * part[0].mean() for share, part in parts) == pytest.approx(float(images.mean()), abs=1e-6)


def test_an_update_has_the_images_of_all_its_batches() -> None:
    whole, parts = numbered(40, 8), replace(numbered(40, 4), accumulate=2)
    assert len(parts) == len(whole) == 5
    for (_, one), (_, other) in zip(whole.shuffled(3, 1), parts.shuffled(3, 1), strict=True):
        assert torch.equal(one, other)
    assert [len(labels) for _, labels in parts.in_order()] == [4] * 10, "what is only looked at is not added up"
