"""Areas under ROC curves: scikit-learn's, their interval, and which of two is larger."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from limpide.statistics import areas
from limpide.statistics.areas import compare_areas, interval_of_area
from limpide.statistics.metrics import wilson


def scores(positive: np.ndarray, distance: float, seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=len(positive)) + distance * positive, 1)  # with ties


def test_the_area_is_scikit_learns_and_the_interval_knows_the_rarer_kind_and_its_groups() -> None:
    positive = np.arange(200) < 20
    own = scores(positive, 1.0, 0)
    area, low, high = interval_of_area(own, positive, None)
    assert area == pytest.approx(roc_auc_score(positive, own)) and (low, high) == wilson(area * 20, 20)
    grouped = interval_of_area(own, positive, np.arange(200) // 5)
    assert grouped == (area, *wilson(area * 4, 4)), "20 images of 4 groups"


def test_a_better_score_is_told_from_a_worse_one_and_not_from_itself() -> None:
    positive = np.arange(120) < 30
    good, poor = scores(positive, 3.0, 1), scores(positive, 0.2, 2)
    assert compare_areas(good, poor, positive, None) < 0.01 and compare_areas(poor, good, positive, None) < 0.01
    assert compare_areas(good, good, positive, None) == 1.0
    assert compare_areas(good, np.exp(good), positive, None) == 1.0, "ranks alone count"
    assert compare_areas(good, poor, positive, np.arange(120) // 60) > 0.2, "two groups can prove nothing"


def test_equally_good_scores_are_seldom_called_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 pairs of scores that are as good as each other, 8 rare images among 80: 5 % are meant to be called different,
    and 9 % are four standard errors more.
    """
    monkeypatch.setattr(areas, "DRAWS", 199)
    positive = np.arange(80) < 8
    p = [compare_areas(scores(positive, 1.0, k), scores(positive, 1.0, 1000 + k), positive, None) for k in range(300)]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.09
