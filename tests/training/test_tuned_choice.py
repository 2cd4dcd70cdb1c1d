"""Frozen or fine-tuned: for each fold, the others decide."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.training.temperature import fit_temperature
from limpide.training.tuned_choice import choose_tuned, is_no_better


def logits(truth: np.ndarray, strength: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(len(truth), 3))
    return np.asarray(noise + strength[:, None] * np.eye(3)[truth], np.float32)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, 900)


def test_the_better_one_is_chosen_and_its_temperature_is_that_of_its_logits(truth: np.ndarray) -> None:
    fold, names = np.arange(900) % 3, np.arange(3)
    weak, strong = logits(truth, np.full(900, 1.0), 1), logits(truth, np.full(900, 3.0), 2)
    found = choose_tuned(weak, 5 * strong, truth, fold, names, False)
    assert found.is_better and found.chosen.all()
    assert found.temperature == fit_temperature(5 * strong, truth, of="folds")
    for k in names:
        own = fold != k
        assert found.temperatures[k] == fit_temperature(5 * strong[own], truth[own], of="folds").value
    assert not choose_tuned(5 * strong, weak, truth, fold, names, False).is_better
    assert not choose_tuned(weak, weak, truth, fold, names, False).chosen.any(), "no better stays frozen"


def test_a_fold_has_no_say_about_itself(truth: np.ndarray) -> None:
    """Fine-tuning shines in the images of fold 0 alone, and is worse elsewhere: fold 0 is judged frozen; the others,
    which are told of fold 0, take it.
    """
    fold, names = np.arange(900) % 3, np.arange(3)
    frozen = logits(truth, np.full(900, 1.5), 1)
    tuned = logits(truth, np.where(fold == 0, 9.0, 1.3), 2)
    assert choose_tuned(frozen, tuned, truth, fold, names, False).chosen.tolist() == [False, True, True]
    changed = tuned.copy()
    changed[fold == 1] = 0
    one, other = (choose_tuned(frozen, each, truth, fold, names, False) for each in (tuned, changed))
    assert one.chosen[1] == other.chosen[1] and one.temperatures[1] == other.temperatures[1]


def test_balanced_the_rare_class_counts_as_much(truth: np.ndarray) -> None:
    truth = np.where(np.arange(900) < 870, 0, 1)
    fold, names, rare = np.arange(900) % 3, np.arange(3), truth == 1
    frozen = logits(truth, np.where(rare, 0.0, 4.0), 1)
    tuned = logits(truth, np.where(rare, 4.0, 3.0), 2)
    assert not choose_tuned(frozen, tuned, truth, fold, names, False).is_better
    assert choose_tuned(frozen, tuned, truth, fold, names, True).is_better


def test_a_first_fold_is_no_better_only_where_neither_names_nor_probabilities_are(truth: np.ndarray) -> None:
    sure = 9.0 * np.eye(3)[truth]
    wrong = np.roll(sure, 1, axis=1)
    for frozen, tuned, no_better in (
        (sure, wrong, True),
        (sure, sure, True),
        (wrong, sure, False),
        (sure, 2 * sure, True),  # the same but for a temperature
        (
            wrong,
            np.where(np.arange(900)[:, None] < 9, 0.5 * wrong, wrong),
            False,
        ),  # the same names, better probabilities
        (0.1 * wrong, np.where(np.arange(900)[:, None] < 9, sure, wrong), False),  # more names, worse probabilities
    ):
        assert is_no_better(frozen, tuned, truth, False) == no_better


def test_to_choose_between_two_that_are_equally_good_flatters_the_score_by_less_than_a_point() -> None:
    """100 images of two classes in five folds, both networks right with probability 0.84, and often on the same images;
    the first fold may end it. 200 draws: their mean is known to 0.26 points; of 600, it flattered by 0.24.
    """
    random, n, draws = np.random.default_rng(0), 100, 200
    fold, names, scores, ended = np.arange(n) % 5, np.arange(5), [], 0
    for _ in range(draws):
        truth = random.integers(0, 2, n)
        shared = random.normal(size=n)
        frozen, tuned = (_logits(truth, 1.0 + 0.8 * shared + 0.6 * random.normal(size=n)) for _ in range(2))
        first = fold == 0
        if is_no_better(frozen[first], tuned[first], truth[first], False):
            ended, said = ended + 1, frozen
        else:
            chosen = choose_tuned(frozen, tuned, truth, fold, names, False).chosen
            said = np.where(chosen[fold][:, None], tuned, frozen)
        scores.append((said.argmax(1) == truth).mean())
    assert 0.3 < ended / draws < 0.6, "both ways are taken"
    assert abs(np.mean(scores) - 0.8413) < 0.01


def _logits(truth: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Of two classes: right where the margin is above 0."""
    return np.where(truth[:, None] == np.arange(2), margin[:, None], 0.0)
