"""Two models on the same images: known answers of other programs, and false alarms no more often than promised, groups
or none.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from limpide.statistics.paired import compare_paired, design_effect, shown_to_be_close, sign_flips

LEVEL, MARGIN = 0.025, 0.02


@pytest.mark.parametrize(
    ("first", "second"), [(3, 0), (0, 3), (10, 2), (5, 5), (0, 0), (1, 0), (120, 90), (3000, 2800)]
)
def test_with_single_images_it_is_the_exact_test_of_mcnemar(first: int, second: int) -> None:
    better, worse = sign_flips(np.array([1] * first + [-1] * second + [0] * 7))
    n = max(1, first + second)
    if first + second:
        assert better == pytest.approx(binomtest(first, n, 0.5, alternative="greater").pvalue, rel=1e-6)
        assert worse == pytest.approx(binomtest(first, n, 0.5, alternative="less").pvalue, rel=1e-6)
    else:
        assert (better, worse) == (1.0, 1.0)


def test_with_groups_every_combination_of_signs_counts_once() -> None:
    sums = np.array([5, -1, 3, 0, 3, -2, 1])
    all_sums = np.array([np.dot(signs, np.abs(sums)) for signs in itertools.product((1, -1), repeat=len(sums))])
    assert sign_flips(sums) == pytest.approx(((all_sums >= sums.sum()).mean(), (all_sums <= sums.sum()).mean()))


def test_five_groups_never_tell_and_six_may() -> None:
    right, wrong = np.ones(50, bool), np.zeros(50, bool)
    assert compare_paired(right, wrong, np.arange(50) % 5, MARGIN).better == pytest.approx(1 / 32)
    assert compare_paired(right, wrong, np.arange(50) % 6, MARGIN).better == pytest.approx(1 / 64)
    assert compare_paired(right, wrong, None, MARGIN).better < 1e-14


def test_what_is_counted() -> None:
    found = compare_paired(np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 0], bool), None, MARGIN)
    assert (found.n, found.first, found.second) == (5, 2, 1)


def test_no_difference_seen_is_close_only_on_enough_images() -> None:
    """The score test agrees with the exact chance, 0.98ⁿ, that a loss of 2 % leaves no trace."""
    none = np.zeros(1000, int)
    assert shown_to_be_close(none[:180], None, MARGIN) > LEVEL > shown_to_be_close(none[:189], None, MARGIN)
    assert shown_to_be_close(none[:189], None, MARGIN) == pytest.approx(0.98**189, abs=0.004)
    assert shown_to_be_close(none[:0], None, MARGIN) == 1.0
    assert (
        shown_to_be_close(none, np.arange(1000) % 100, MARGIN)
        > LEVEL
        > shown_to_be_close(none, np.arange(1000) % 300, MARGIN)
    ), "whole groups count as one image each"


def test_tango_by_hand() -> None:
    """b = 24, c = 12, n = 400 at a margin of 5 %: the share by solving his quadratic equation with numbers."""
    b, c, n, m = 24, 12, 400, 0.05
    shares = np.linspace(0, 1 - m, 2_000_001)[1:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = b * np.log(shares + m) + c * np.log(shares) + (n - b - c) * np.log(1 - 2 * shares - m)
    share = shares[np.nanargmax(likelihood)]
    z = (b - c - n * m) / np.sqrt(n * (2 * share + m - m * m))
    from scipy.stats import norm

    d = np.array([1] * b + [-1] * c + [0] * (n - b - c))
    assert shown_to_be_close(d, None, m) == pytest.approx(norm.cdf(z), rel=1e-3)


def test_the_design_effect_is_one_without_likeness_and_the_size_with_all() -> None:
    groups = np.repeat(np.arange(400), 5)
    random = np.random.default_rng(0)
    assert design_effect(random.choice([-1, 0, 1], 2000), groups) < 1.3
    assert design_effect(np.repeat(random.choice([-1, 0, 1], 400), 5), groups) == pytest.approx(5, rel=0.1)
    assert design_effect(np.zeros(2000, int), groups) == 5


@pytest.mark.parametrize(("groups", "size"), [(60, 1), (400, 1), (20, 4), (40, 10), (100, 20)])
@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("both", [0.02, 0.1])
def test_false_alarms_are_as_rare_as_promised(groups: int, size: int, alike: float, both: float) -> None:
    """Equal models are called better, and models behind by the margin close, in at most 2.5 % of 500 draws (3 σ)."""
    random, draws = np.random.default_rng(1), 500
    of = None if size == 1 else np.repeat(np.arange(groups), size)

    def drawn(first: float, second: float) -> np.ndarray:
        chances = [first, second, 1 - first - second]
        whole, own = (
            random.choice([1, -1, 0], (groups, 1), p=chances),
            random.choice([1, -1, 0], (groups, size), p=chances),
        )
        return np.where(random.random((groups, size)) < alike**0.5, whole, own)

    better = sum(sign_flips(drawn(both, both).sum(1))[0] <= LEVEL for _ in range(draws))
    near = sum(shown_to_be_close(drawn(both + MARGIN, both).ravel(), of, MARGIN) <= LEVEL for _ in range(draws))
    most = draws * LEVEL + 3 * (draws * LEVEL * (1 - LEVEL)) ** 0.5
    assert better <= most and near <= most


def test_a_clear_difference_is_found() -> None:
    random = np.random.default_rng(2)
    found = [
        compare_paired(random.random(200) < 0.95, random.random(200) < 0.8, np.arange(200) % 50, MARGIN).better
        <= LEVEL / 5
        for _ in range(100)
    ]
    assert sum(found) >= 90
