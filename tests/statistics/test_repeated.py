"""Crossed random effects: intervals over seeds and images hold what they promise, in made-up trainings."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.statistics.repeated import Components, crossed_mean, holm, images_for, repeats_for


def answers(random: np.random.Generator, repeats: int, n: int, spread: float, base: float, size: int) -> np.ndarray:
    """bool (2, repeats, n): two equal choices. spread: of the seeds · size: images of a group, alike in difficulty."""
    images = np.repeat(random.normal(size=n // size), size)
    seeds = random.normal(size=(2, repeats, 1)) * spread
    return np.asarray(base + images + seeds + 0.7 * random.normal(size=(2, repeats, n)) > 0)


@pytest.mark.parametrize(
    ("repeats", "n", "spread", "base", "size"),
    [(2, 50, 0.5, 0.5, 1), (2, 400, 0.1, 0.5, 1), (3, 400, 0.5, 2.0, 1), (5, 100, 0.1, 2.0, 5), (5, 400, 0.5, 0.5, 5)],
)
def test_equal_choices_are_seldom_called_different(repeats: int, n: int, spread: float, base: float, size: int) -> None:
    """5 % are meant; of 400 draws, more than 8 % would be no luck (p < 0.01)."""
    random, groups = np.random.default_rng(0), np.repeat(np.arange(n // size), size)
    wrong = 0
    for _ in range(400):
        first, second = answers(random, repeats, n, spread, base, size)
        found = crossed_mean(first.astype(float) - second, groups if size > 1 else None)
        assert found is not None and (found.p <= 0.05) == (found.low > 0 or found.high < 0)
        wrong += found.p <= 0.05
    assert wrong <= 32


def test_the_interval_holds_the_score_of_other_seeds_on_other_images() -> None:
    from scipy.special import ndtr

    random, held = np.random.default_rng(1), 0
    truth = float(ndtr(0.8 / (1 + 0.3**2 + 0.7**2) ** 0.5))
    for _ in range(400):
        found = crossed_mean(answers(random, 4, 150, 0.3, 0.8, 1)[0].astype(float))
        held += found is not None and found.low <= truth <= found.high
    assert held >= 0.93 * 400


def test_one_kind_of_variation_alone_is_students_interval() -> None:
    from scipy.stats import t

    random = np.random.default_rng(2)
    images = random.normal(size=30)
    found = crossed_mean(np.tile(images, (3, 1)))
    assert found is not None
    half = t.ppf(0.975, 29) * images.std(ddof=1) / 30**0.5
    assert (found.low, found.high) == pytest.approx((images.mean() - half, images.mean() + half))
    seeds = random.normal(size=(6, 1))
    found = crossed_mean(np.tile(seeds, (1, 40)))
    half = t.ppf(0.975, 5) * seeds.std(ddof=1) / 6**0.5
    assert found is not None and (found.low, found.high) == pytest.approx((seeds.mean() - half, seeds.mean() + half))


def test_groups_of_one_are_images_and_copies_add_nothing() -> None:
    values = np.random.default_rng(3).normal(size=(4, 20))
    alone, numbered = crossed_mean(values), crossed_mean(values, np.arange(20))
    assert alone is not None and numbered is not None
    assert (numbered.low, numbered.high, numbered.p) == pytest.approx((alone.low, alone.high, alone.p))
    copied = crossed_mean(np.repeat(values, 3, axis=1), np.repeat(np.arange(20), 3))
    assert copied is not None
    assert (copied.low, copied.high, copied.p) == pytest.approx((alone.low, alone.high, alone.p))


def test_equal_answers_are_no_difference_and_too_little_is_not_judged() -> None:
    found = crossed_mean(np.zeros((3, 10)))
    assert found is not None and found.p == 1.0 and found.low == found.high == 0.0
    assert crossed_mean(np.ones((1, 10))) is None and crossed_mean(np.ones((3, 4)), np.zeros(4, int)) is None


def test_folds_widen_what_is_over_images() -> None:
    values = np.tile(np.random.default_rng(4).normal(size=50), (3, 1))
    plain, folds = crossed_mean(values), crossed_mean(values, variance=4.0)
    assert plain is not None and folds is not None
    assert folds.high - folds.low == pytest.approx(2 * (plain.high - plain.low))


def test_the_repeats_that_are_told_find_the_difference_four_times_in_five() -> None:
    random = np.random.default_rng(5)
    components = Components(seeds=0.01**2, columns=0.0, rest=0.05, n_seeds=3, n_columns=2000)
    repeats = repeats_for(0.02, components)
    assert repeats is not None
    found = 0
    for _ in range(400):
        noise = random.normal(size=(repeats, 1)) * 0.01 + random.normal(size=(repeats, 200)) * (0.05 / 10) ** 0.5
        one = crossed_mean(0.02 + noise)
        found += one is not None and one.p <= 0.05
    assert 0.7 <= found / 400 <= 0.99
    assert repeats_for(0.02, Components(0.0, 1.0, 0.0, 3, 100)) is None
    assert images_for(0.02, Components(0.0, 1.0, 0.0, 3, 100)) == pytest.approx(196, abs=2)


def test_holm_is_statsmodels_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0] and holm([]) == []
