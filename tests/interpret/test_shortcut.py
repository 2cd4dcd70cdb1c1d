"""A planted mark is found, at its place, with its class; where there is none, none is claimed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from limpide.interpret.shortcut import GRID, as_finding, pasted, places, window
from limpide.metrics import wilson

CLASSES = ["heron", "fox", "owl"]


def pictures(n: int, marked: bool, seed: int = 0) -> tuple[Tensor, np.ndarray]:
    """Noise with the brightness of its class in the middle; class 1 may have a mark in the lower left corner."""
    dice = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = dice.normal(0, 0.1, (n, 1, 40, 40)).astype(np.float32)
    images[:, 0, 8:32, 8:32] += labels[:, None, None]
    if marked:
        images[labels == 1, :, 35:, :5] = 9
    return torch.from_numpy(images), labels


def honest(images: Tensor) -> np.ndarray:
    return images[:, 0, 8:32, 8:32].mean((1, 2)).round().clamp(0, 2).long().numpy()


def cheating(images: Tensor) -> np.ndarray:
    return np.where(images[:, 0, 36:, :4].mean((1, 2)).numpy() > 5, 1, np.where(honest(images) == 1, 0, honest(images)))


def test_a_mark_is_found_where_it_is() -> None:
    images, labels = pictures(90, marked=True)
    found = {place.label: place for place in places(cheating, images, labels, [0, 1, 2])}
    mark = found[1]
    assert (
        mark.decides
        and (mark.row, mark.column) == (GRID - 1, 0)
        and mark.turned == mark.n
        and mark.interval == wilson(mark.turned, mark.n, mark.z)
        and mark.interval[0] < wilson(mark.turned, mark.n)[0]
    )
    assert labels[mark.donor] == 1 and mark.n <= (labels == 1).sum(), "each proof has a patch of its own"
    assert mark.shares[-1, 0] == 1 and mark.shares[:-2, 2:].max() == 0
    finding = as_finding(list(found.values()), CLASSES)
    assert finding.verdict == "warn" and str(finding.message).startswith("One small place decides: what fox shows at the bottom, on the left")
    assert finding.table is not None and finding.table.rows[0][0] == "fox"


def test_what_looks_at_the_thing_is_not_accused() -> None:
    for seed in range(5):
        images, labels = pictures(90, marked=True, seed=seed)
        found = list(places(honest, images, labels, [0, 1, 2]))
        assert not any(place.decides for place in found) and as_finding(found, CLASSES).verdict == "ok"


def test_luck_is_not_proof() -> None:
    """A model that answers by chance has a best place among 64; fresh images do not confirm it."""
    images, labels = pictures(120, marked=False)
    accused = 0
    for seed in range(40):
        dice = np.random.default_rng(seed)
        first = labels.copy()

        def chance(batch: Tensor, dice: np.random.Generator = dice, first: np.ndarray = first) -> np.ndarray:
            return first if len(batch) == 120 else dice.integers(0, 3, len(batch))

        accused += any(place.decides for place in places(chance, images, labels, [0, 1, 2]))
    assert accused == 0


@pytest.mark.parametrize("size", [28, 40, 128, 224, 5])
def test_windows_cover_the_image_and_stay_in_it(size: int) -> None:
    spans = [window(size, k) for k in range(GRID)]
    assert spans[0][0] == 0 and spans[-1][1] == size and len({end - start for start, end in spans}) == 1
    covered = set().union(*(range(*span) for span in spans))
    assert len(covered) == size or size < GRID


def test_only_the_window_is_pasted() -> None:
    images = torch.arange(4 * 40 * 40, dtype=torch.float32).reshape(4, 1, 40, 40)
    found = pasted(images, np.array([2]), np.array([0, 1]), 3, 5)
    (top, bottom), (left, right) = window(40, 3), window(40, 5)
    for k in range(2):
        assert torch.equal(found[k, :, top:bottom, left:right], images[2, :, top:bottom, left:right])
        outside = found[k].clone()
        outside[:, top:bottom, left:right] = images[k, :, top:bottom, left:right]
        assert torch.equal(outside, images[k])


def test_too_few_images_say_so() -> None:
    images, labels = pictures(3, marked=False)
    assert as_finding(list(places(honest, images, labels, [0, 1, 2])), CLASSES).verdict == "unknown"
