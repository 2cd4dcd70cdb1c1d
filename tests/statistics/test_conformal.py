"""The promise of the threshold, by simulation; p-values and the area under the curve against independent references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from limpide.statistics import conformal
from limpide.statistics.metrics import area_under_roc

TRIALS = 4000


@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (40, 0.05), (99, 0.01), (12, 0.1)])
def test_false_alarms_stay_below_what_was_promised(n: int, rate: float) -> None:
    """Exchangeable scores of any distribution: here gamma, rounded so that some are equal."""
    random = np.random.default_rng(n)
    scores = np.round(random.gamma(2.0, size=(TRIALS, n + 1)), 2)
    alarms = sum(row[-1] > conformal.threshold_of(row[:-1], rate) for row in scores)
    assert binomtest(alarms, TRIALS, rate, alternative="greater").pvalue > 0.001
    # and it is not far below: with distinct scores between rate − 1 / (n + 1) and rate
    assert binomtest(alarms, TRIALS, rate - 1.2 / (n + 1) if n * rate >= 1 else 1e-9, alternative="less").pvalue > 0.001


def test_the_promise_holds_for_an_image_of_a_new_group() -> None:
    """Images of a group are alike; as independent ones they would break it."""
    random, rate, alarms, naive = np.random.default_rng(0), 0.1, 0, 0
    for _ in range(TRIALS):
        sizes = random.integers(1, 9, 30)
        groups = np.repeat(np.arange(30), sizes)
        scores = np.repeat(2 * random.normal(size=30), sizes) + 0.3 * random.normal(size=len(groups))
        new = 2 * random.normal() + 0.3 * random.normal()
        alarms += new > conformal.threshold_of(scores, rate, conformal.weights_of(groups, len(groups)))
        naive += new > conformal.threshold_of(scores, rate)
    assert binomtest(alarms, TRIALS, rate, alternative="greater").pvalue > 0.001
    assert naive > alarms


def test_too_few_scores_promise_nothing() -> None:
    assert [conformal.fewest_scores(rate) for rate in (0.5, 0.1, 0.05, 0.01)] == [1, 9, 19, 99]
    assert conformal.lowest_rate(19) == pytest.approx(0.05)
    scores = np.arange(18.0)
    assert conformal.threshold_of(scores, 0.05) == np.inf
    assert conformal.threshold_of(np.arange(19.0), 0.05) == 18.0


def test_the_threshold_is_the_order_statistic() -> None:
    scores = np.random.default_rng(1).normal(size=200)
    for rate in (0.01, 0.05, 0.2):
        k = int(np.ceil(201 * (1 - rate)))
        assert conformal.threshold_of(scores, rate) == np.sort(scores)[k - 1]


def test_p_values_agree_with_the_threshold() -> None:
    random = np.random.default_rng(2)
    calibration, new = random.normal(size=40), random.normal(size=500)
    p = conformal.p_values(new, calibration)
    by_hand = np.array([(1 + (calibration >= score).sum()) / 41 for score in new])
    assert np.allclose(p, by_hand)
    assert ((p <= 0.05) == (new > conformal.threshold_of(calibration, 0.05))).all()


def test_groups_of_one_weigh_as_no_groups() -> None:
    scores = np.random.default_rng(3).normal(size=30)
    weights = conformal.weights_of(np.arange(30), 30)
    assert conformal.threshold_of(scores, 0.1, weights) == conformal.threshold_of(scores, 0.1)
    assert conformal.p_values(scores, scores, weights) == pytest.approx(conformal.p_values(scores, scores))


def test_the_rate_of_one_threshold_lies_where_it_is_said() -> None:
    """Uniform scores: the rate of a threshold t is 1 − t."""
    random = np.random.default_rng(4)
    low, high = conformal.rate_interval(40, 0.05)
    rates = [1 - conformal.threshold_of(random.random(40), 0.05) for _ in range(TRIALS)]
    inside = float(np.mean([low <= rate <= high for rate in rates]))
    assert abs(inside - 0.95) < 0.015


def test_the_area_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(5)
    low, high = random.integers(0, 6, 50).astype(float), random.integers(1, 7, 70).astype(float)
    expected = roc_auc_score(np.r_[np.zeros(50), np.ones(70)], np.r_[low, high])
    assert area_under_roc(high, low) == pytest.approx(expected)
