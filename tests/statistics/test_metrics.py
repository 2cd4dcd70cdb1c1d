"""Scores against scipy and scikit-learn, on fixed and on random cases."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn import metrics as sk

from limpide.statistics.metrics import Z95, balanced_accuracy, class_scores, confusion, macro_f1, reliability, wilson


def test_the_constant() -> None:
    assert norm.ppf(0.975) == pytest.approx(Z95, abs=1e-15)


@given(st.integers(1, 100_000), st.data())
def test_wilson_is_scipys(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    theirs = binomtest(successes, n).proportion_ci(0.95, "wilson")
    assert wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.99, 0.999])
def test_wilson_at_other_levels(level: float) -> None:
    theirs = binomtest(7, 30).proportion_ci(level, "wilson")
    assert wilson(7, 30, float(norm.ppf((1 + level) / 2))) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_by_hand() -> None:
    """8 of 10: the textbook interval."""
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0 and wilson(10, 10)[1] == 1.0
    assert all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 1.0 for n in range(1, 3000))  # exactly, not nearly
    assert 0 < wilson(0, 10)[1] < 0.3 and 0.7 < wilson(10, 10)[0] < 1


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Truth and prediction over some classes, of which some may never occur or never be said."""
    rng = np.random.default_rng(seed)
    classes, n = int(rng.integers(2, 9)), int(rng.integers(1, 200))
    present, said = (
        rng.permutation(classes)[: rng.integers(1, classes + 1)],
        rng.permutation(classes)[: rng.integers(1, classes + 1)],
    )
    return rng.choice(present, n), rng.choice(said, n), classes


def test_counts_precision_and_recall_are_scikit_learns(times: int) -> None:
    for seed in range(1000 * times):
        truth, predicted, classes = random_case(seed)
        counts = confusion(truth, predicted, classes)
        labels = list(range(classes))
        np.testing.assert_array_equal(counts, sk.confusion_matrix(truth, predicted, labels=labels))
        if seed < 150 * times:  # the slower references
            scores = class_scores(counts)
            precision, recall, _, n = sk.precision_recall_fscore_support(
                truth, predicted, labels=labels, zero_division=np.nan
            )
            np.testing.assert_allclose(scores.precision, precision, atol=1e-12)
            np.testing.assert_allclose(scores.recall, recall, atol=1e-12)
            np.testing.assert_array_equal(scores.n, n)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn's, of a class that is predicted and never true
                assert macro_f1(counts) == pytest.approx(
                    sk.f1_score(truth, predicted, average="macro", zero_division=0), abs=1e-12
                )
                assert balanced_accuracy(counts) == pytest.approx(
                    sk.balanced_accuracy_score(truth, predicted), abs=1e-12
                )


def test_rows_are_the_truth() -> None:
    np.testing.assert_array_equal(
        confusion(np.array([0, 0, 1]), np.array([1, 1, 1]), 3), [[0, 2, 0], [0, 1, 0], [0, 0, 0]]
    )


def test_what_was_never_said_or_never_there_is_not_zero() -> None:
    scores = class_scores(np.array([[2, 2, 0], [0, 0, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(scores.precision, [1, 0, np.nan])
    np.testing.assert_array_equal(scores.recall, [0.5, np.nan, np.nan])


# -- calibration


def reference_error(probabilities: np.ndarray, truth: np.ndarray, bins: int) -> float:
    """Guo et al. 2017, equation 3, as a plain loop."""
    total = 0.0
    for k in range(bins):
        inside = [i for i, row in enumerate(probabilities) if min(int(row.max() * bins), bins - 1) == k]
        if inside:
            accuracy = sum(probabilities[i].argmax() == truth[i] for i in inside) / len(inside)
            confidence = sum(probabilities[i].max() for i in inside) / len(inside)
            total += len(inside) / len(truth) * abs(accuracy - confidence)
    return total


@given(st.integers(0, 10_000), st.integers(1, 80), st.integers(2, 5), st.integers(1, 15))
def test_the_calibration_error(seed: int, n: int, classes: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities, truth = rng.dirichlet(np.full(classes, 0.5), n), rng.integers(0, classes, n)
    found, error = reliability(probabilities, truth, bins)
    assert error == pytest.approx(reference_error(probabilities, truth, bins), abs=1e-12)
    assert sum(b.n for b in found) == n
    assert all(b.low - 1e-12 <= b.confidence <= b.high + 1e-12 and b.n > 0 for b in found)
    assert [b.low for b in found] == sorted(b.low for b in found)


def test_calibration_at_the_edges() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    found, error = reliability(certain, np.array([0, 1]))
    assert error == 0 and [(b.low, b.high, b.accuracy, b.n) for b in found] == [(0.9, 1.0, 1.0, 2)]
    assert reliability(certain, np.array([1, 0]))[1] == 1
    assert reliability(np.full((4, 2), 0.5), np.array([0, 0, 1, 1]))[1] == 0
