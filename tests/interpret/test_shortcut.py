"""A planted mark is found, at its place, with its class; where there is none, none is claimed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from limpide.data.preprocessing import Preprocessing
from limpide.interpret.shortcut import (
    EACH,
    GRID,
    LOOKS,
    Place,
    answers_of,
    as_finding,
    choose_hosts,
    choose_labels,
    paste_patch,
    places,
    window,
)
from limpide.models import build
from limpide.statistics.metrics import wilson

CLASSES = ["heron", "fox", "owl"]


def pictures(n: int, marked: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise with the brightness of its class in the middle; class 1 may have a mark in the lower left corner."""
    dice = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = dice.normal(40, 5, (n, 40, 40, 1))
    images[:, 8:32, 8:32] += 40 * labels[:, None, None, None]
    if marked:
        images[labels == 1, 35:, :5] = 250
    return images.clip(0, 255).astype(np.uint8), labels


def honest(images: np.ndarray) -> np.ndarray:
    return ((images[:, 8:32, 8:32].mean((1, 2, 3)) - 40) / 40).round().clip(0, 2).astype(int)


def cheating(images: np.ndarray) -> np.ndarray:
    return np.where(images[:, 36:, :4].mean((1, 2, 3)) > 200, 1, np.where(honest(images) == 1, 0, honest(images)))


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
    finding = as_finding(list(found.values()), CLASSES, 3)
    assert finding.verdict == "warn" and str(finding.message).startswith(
        "One small area decides the answer: what fox shows at the bottom, on the left"
    )
    assert finding.table is not None and finding.table.rows[0][0] == "fox"


def test_what_looks_at_the_thing_is_not_accused() -> None:
    for seed in range(5):
        images, labels = pictures(120, marked=True, seed=seed)
        found = list(places(honest, images, labels, [0, 1, 2]))
        assert not any(place.decides for place in found) and as_finding(found, CLASSES, 3).verdict == "ok"


def test_luck_is_not_proof() -> None:
    """A model that answers by chance has a best place among 64; fresh images do not confirm it."""
    images, labels = pictures(120, marked=False)
    accused = 0
    for seed in range(40):
        dice = np.random.default_rng(seed)
        first = labels.copy()

        def chance(batch: np.ndarray, dice: np.random.Generator = dice, first: np.ndarray = first) -> np.ndarray:
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
    images = np.random.default_rng(0).integers(0, 255, (4, 40, 40, 3), np.uint8)
    found = paste_patch(images, np.array([2]), np.array([0, 1]), 3, 5)
    (top, bottom), (left, right) = window(40, 3), window(40, 5)
    for k in range(2):
        assert np.array_equal(found[k, top:bottom, left:right], images[2, top:bottom, left:right])
        outside = found[k].copy()
        outside[top:bottom, left:right] = images[k, top:bottom, left:right]
        assert np.array_equal(outside, images[k])


def test_as_many_classes_are_looked_at_as_the_time_allows_the_largest_first() -> None:
    labels = np.repeat([0, 1, 2, 3, -1], [5, 30, 200, 100, 500])
    assert (
        choose_labels(labels, 10, 10 * LOOKS * 3) == [2, 3, 1]
        and choose_labels(labels, 10, 10 * LOOKS * 99) == [2, 3, 1, 0]
        and choose_labels(labels, 10, 9 * LOOKS) == []
    )
    rows = choose_hosts(labels, [3, 0])
    counts = {label: int((labels[rows] == label).sum()) for label in range(-1, 4)}
    assert (
        len(set(rows.tolist())) == len(rows)
        and counts[3] >= EACH
        and counts[0] == 5
        and counts[-1] == 0
        and min(counts[1], counts[2]) > 0
    )


def test_a_real_network_is_asked_in_its_own_normalisation() -> None:
    torch.manual_seed(0)
    network, preprocessing = build("cnn", 4, 1, 28).eval(), Preprocessing(28, 1, mean=(100.0,), std=(50.0,))
    squares = np.random.default_rng(0).integers(0, 255, (70, 28, 28, 1), np.uint8)
    with torch.no_grad():
        logits = network(torch.from_numpy(((squares.astype(np.float32) - 100) / 50).transpose(0, 3, 1, 2)))
    # bfloat16 may change the order of what is nearly equal
    sure = (logits.topk(2).values.diff(dim=1).abs() > 0.1)[:, 0].numpy()
    assert sure.any() and np.array_equal(
        answers_of(network, preprocessing)(squares)[sure], logits.argmax(1).numpy()[sure]
    )


def test_too_few_images_say_so() -> None:
    images, labels = pictures(3, marked=False)
    assert as_finding(list(places(honest, images, labels, [0, 1, 2])), CLASSES, 3).verdict == "unknown"


def test_a_handful_of_images_rules_nothing_out() -> None:
    """0 of 4: up to 60 % of all others might be turned."""
    some = Place(0, 0, 0, np.zeros((8, 8)), turned=0, n=4, donor=0)
    many = Place(0, 0, 0, np.zeros((8, 8)), turned=0, n=40, donor=0)
    assert some.interval[1] > 0.4 and as_finding([some], CLASSES, 3).verdict == "unknown"
    assert many.interval[1] < 0.1 and as_finding([many], CLASSES, 3).verdict == "ok"
    assert as_finding([many, some], CLASSES, 3).verdict == "unknown"
