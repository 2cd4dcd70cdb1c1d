"""One kind or two: clouds whose answer is known."""

from __future__ import annotations

import numpy as np

from limpide.statistics.two_kinds import halve


def test_a_cloud_is_of_one_kind() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        assert not halve(random.normal(size=(60, 12)) * np.arange(1, 13)).are_two_kinds


def test_two_clouds_far_apart_are_two_kinds() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(60, 12))
    points[40:, 3] += 14
    halves = halve(points)
    assert halves.are_two_kinds
    assert halves.second.tolist() == [False] * 40 + [True] * 20


def test_a_few_odd_ones_are_no_kind() -> None:
    points = np.random.default_rng(0).normal(size=(60, 12))
    points[:3, 3] += 30
    assert not halve(points).are_two_kinds


def test_points_that_are_all_the_same_are_one_kind() -> None:
    assert not halve(np.ones((30, 4))).are_two_kinds
