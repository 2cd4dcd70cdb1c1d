"""Folds: whole groups, no class lost, even, and the same whatever the order of the files."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from limpide.data.folds import FOLDS, NO_FOLD, assign_folds


def keys_of(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**63, n).astype(np.uint64)


def test_single_images_are_as_even_as_scikit_learn_deals_them() -> None:
    labels = np.repeat([0, 1, 2], [50, 23, 7])
    fold = assign_folds(keys_of(80), labels, np.arange(80))
    theirs = [np.bincount(labels[test], minlength=3) for _, test in StratifiedKFold(5).split(labels, labels)]
    ours = [np.bincount(labels[fold == k], minlength=3) for k in range(FOLDS)]
    assert np.ptp(ours, axis=0).tolist() == np.ptp(theirs, axis=0).tolist() == [0, 1, 1]
    assert np.ptp(np.sum(ours, axis=1)) <= 1


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 4), st.integers(2, 10))
def test_whatever_belongs_together_no_class_is_lost_and_no_group_is_cut(
    seed: int, n: int, classes: int, folds: int
) -> None:
    random = np.random.default_rng(seed)
    labels, together, keys = random.integers(0, classes, n), random.integers(0, 1 + n // 2, n), keys_of(n, seed)
    fold = assign_folds(keys, labels, together, folds)
    assert fold.max() < folds
    for group in np.unique(together):
        assert len(set(fold[together == group].tolist())) == 1
    for k in set(fold.tolist()) - {NO_FOLD}:
        assert set(labels.tolist()) == set(labels[fold != k].tolist()), "every class is learned where it is judged"
    for label in np.unique(labels):
        if len(np.unique(together[labels == label])) == 1:
            assert (fold[labels == label] == NO_FOLD).all(), "a class of one group is never judged"
    order = random.permutation(n)
    assert (assign_folds(keys[order], labels[order], together[order], folds) == fold[order]).all()


def test_fewer_groups_than_folds_leave_one_group_out() -> None:
    labels, together = np.tile([0, 1], 12), np.repeat([7, 3, 5], 8)
    fold = assign_folds(keys_of(24), labels, together)
    assert sorted(set(fold.tolist())) == [0, 1, 2]


def test_there_are_no_more_folds_than_most_classes_have_groups() -> None:
    labels, together = np.repeat([0, 1], 20), np.repeat(np.arange(4), 10)  # two groups a class
    fold = assign_folds(keys_of(40), labels, together)
    assert sorted(set(fold.tolist())) == [0, 1] and set(labels[fold == 0].tolist()) == {0, 1}
    rare = np.concatenate([labels, [2, 2]])
    alone = np.arange(42)
    assert len(set(assign_folds(keys_of(42), rare, alone).tolist())) == 5, "a rare class decides for few images only"


def test_one_group_cannot_be_judged() -> None:
    assert (assign_folds(keys_of(10), np.arange(10) % 2, np.zeros(10, int)) == NO_FOLD).all()
