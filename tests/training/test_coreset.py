"""Greedy k-centre: its first choices by hand, and that it leaves nothing far away."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import pairwise_distances

from limpide.training.coreset import choose_coreset


def test_it_takes_the_farthest_each_time() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [0.0, 4.0]])
    assert choose_coreset(points, 3).tolist() == [2, 3, 1]  # the mean lies at (2.75, 1)


def test_as_a_plain_loop_over_distances() -> None:
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 8)))
    apart = pairwise_distances(points.numpy())
    chosen = [int(((points - points.mean(0)) ** 2).sum(1).argmax())]
    while len(chosen) < 20:
        chosen.append(int(apart[:, chosen].min(1).argmax()))
    assert choose_coreset(points, 20).tolist() == chosen


def test_no_vector_is_taken_twice_and_the_same_seed_gives_the_same() -> None:
    wide = torch.randn(300, 152, generator=torch.Generator().manual_seed(1))
    first = choose_coreset(wide, 400, seed=3)
    assert sorted(first.tolist()) == list(range(300))
    assert first.tolist() == choose_coreset(wide, 400, seed=3).tolist()
    same = torch.ones(5, 4)
    assert sorted(choose_coreset(same, 5).tolist()) == list(range(5))
