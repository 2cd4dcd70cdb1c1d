"""Cross-fitting: nobody is judged by what learned from him, choices included; the same as scikit-learn by hand."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from limpide.core.events import Progress
from limpide.data.folds import NO_FOLD
from limpide.training.cross_fit import (
    STRENGTHS,
    UNTOLD,
    CrossFit,
    Features,
    Tried,
    cross_fit,
    is_settled,
    try_look,
)
from limpide.training.linear_head import fit_path, log_loss

T = TypeVar("T")


def value_of(steps: Generator[Progress, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def fitted(*arguments: Any) -> CrossFit:
    return value_of(cross_fit(*arguments))


def images(n: int = 60, width: int = 12, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features, labels, folds), with classes that overlap."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    features = random.normal(size=(n, width)).astype(np.float32)
    features[:, :classes] += np.eye(classes, dtype=np.float32)[labels] * 2
    return features, labels, random.permutation(n) % 5


def test_a_head_is_scikit_learn_s_on_centred_features() -> None:
    features, labels, _ = images()
    mean = features.mean(0)
    spread = np.sqrt(((features - mean) ** 2).mean())
    for head in fit_path(features, labels, 3, STRENGTHS):
        theirs = LogisticRegression(C=head.strength, max_iter=1000, tol=1e-6).fit((features - mean) / spread, labels)
        ours, logits = head.logits(features), theirs.decision_function((features - mean) / spread)
        assert ours - ours.mean(1, keepdims=True) == pytest.approx(logits - logits.mean(1, keepdims=True), abs=0.1)


def test_an_image_s_own_fold_never_speaks_about_it() -> None:
    """Whatever the labels of a fold are, what is said of its images stays as it was: neither the head, nor a choice,
    nor the temperature learned from them.
    """
    features, labels, folds = images(90)
    before = fitted([Features(features, features[::-1].copy())], labels, folds, 3)
    for fold in range(5):
        own = folds == fold
        other = labels.copy()
        other[own] = (other[own] + 1) % 3
        after = fitted([Features(features, features[::-1].copy())], other, folds, 3)
        assert (after.logits[own] == before.logits[own]).all()
        assert after.temperatures[fold] == before.temperatures[fold]
        assert not (after.logits[~own] == before.logits[~own]).all(), "the others learned from it"


def test_every_image_is_judged_once_by_the_head_of_its_fold() -> None:
    features, labels, folds = images()
    folds[:4] = NO_FOLD
    found = fitted([Features(features)], labels, folds, 3)
    assert np.isnan(found.logits[:4]).all() and not np.isnan(found.logits[4:]).any()
    for fold, head in found.heads.items():
        own = folds == fold
        assert found.logits[own] == pytest.approx(head.logits(features[own]))
    assert sorted(found.heads) == sorted(found.temperatures) == [0, 1, 2, 3, 4]


def test_the_head_that_is_shipped_learned_from_every_image() -> None:
    features, labels, folds = images()
    found = fitted([Features(features)], labels, folds, 3)
    whole = {head.strength: head for head in fit_path(features, labels, 3, STRENGTHS)}
    assert found.head.weight == pytest.approx(whole[found.choice.strength].weight)
    losses = {}
    for strength in STRENGTHS:
        logits = np.zeros((60, 3))
        for fold in range(5):
            heads = {
                head.strength: head for head in fit_path(features[folds != fold], labels[folds != fold], 3, STRENGTHS)
            }
            logits[folds == fold] = heads[strength].logits(features[folds == fold])
        losses[strength] = log_loss(logits, labels)
    assert found.choice.strength == min(losses, key=losses.__getitem__)


def test_mirrored_images_are_learned_from_where_that_helps() -> None:
    """Mirrored, an image of the first set looks like one of its own class; of the second, like one of the next."""
    features, labels, folds = images(60, 40, seed=1)
    helpful = Features(features, images(60, 40, seed=2)[0])
    harmful = Features(features, features[(np.arange(60) + 1) % 60])
    assert fitted([helpful], labels, folds, 3).choice.mirrored
    assert not fitted([harmful], labels, folds, 3).choice.mirrored


def test_with_two_folds_nothing_is_chosen_for_their_judgment() -> None:
    features, labels, folds = images()
    found = fitted([Features(features)], labels, folds % 2, 3)
    heads = {head.strength: head for head in fit_path(features[folds % 2 == 1], labels[folds % 2 == 1], 3, STRENGTHS)}
    assert found.logits[folds % 2 == 0] == pytest.approx(heads[UNTOLD].logits(features[folds % 2 == 0]))
    assert found.temperatures == {0: 1.0, 1: 1.0}


def test_a_class_that_a_pair_of_folds_holds_alone_decides_no_choice() -> None:
    features, labels, folds = images()
    labels[labels == 2] = 0
    labels[np.flatnonzero(folds == 0)[0]] = labels[np.flatnonzero(folds == 1)[0]] = 2
    found = fitted([Features(features)], labels, folds, 3)
    assert np.isfinite(found.logits).all() and found.choice.strength in STRENGTHS


def test_progress_tells_how_far_it_is() -> None:
    features, labels, folds = images()
    told = list(cross_fit([Features(features)], labels, folds, 3))
    assert [event.done for event in told] == list(range(15)) and {event.total for event in told} == {15}


def test_folds_that_leave_a_single_class_say_that_one() -> None:
    features, labels, folds = images(40, classes=2)
    labels[:] = folds <= 1  # without two folds, all others are of one class
    labels[0] = not labels[0]
    found = fitted([Features(features)], labels, folds, 2)
    assert np.isfinite(found.logits).all()


def test_views_of_one_look_are_chosen_without_the_fold_that_is_judged() -> None:
    """The second kind of features tells the classes apart, the first is noise: the wider view wins, in every fold."""
    features, labels, folds = images(90)
    noise = np.random.default_rng(5).normal(size=(90, 8)).astype(np.float32)
    both = np.concatenate([noise, features], 1)
    look = Features(both, views=(("whole", (8,)), ("quarters", (8, 12))))
    found = fitted([look], labels, folds, 3)
    assert found.choice.view == "quarters" and {one.view for one in found.choices.values()} == {"quarters"}
    assert found.head.weight.shape == (3, 20)
    narrow = fitted([Features(noise, views=(("whole", (8,)),))], labels, folds, 3)
    assert narrow.head.weight.shape == (3, 8)
    other = labels.copy()
    other[folds == 2] = (other[folds == 2] + 1) % 3
    assert (fitted([look], other, folds, 3).logits[folds == 2] == found.logits[folds == 2]).all()


def test_kinds_of_features_weigh_alike_however_loud_they_are() -> None:
    features, labels, _ = images()
    loud = features * np.repeat(np.float32([1, 100, 7]), 4)
    for one, other in zip(
        fit_path(features, labels, 3, STRENGTHS, (4, 4, 4)),
        fit_path(loud, labels, 3, STRENGTHS, (4, 4, 4)),
        strict=True,
    ):
        assert one.logits(features) == pytest.approx(other.logits(loud), abs=0.02)


def test_a_fit_in_the_span_of_few_images_is_the_fit_on_all_features() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(30) % 3
    features = random.normal(size=(30, 200)).astype(np.float32) + 0.3 * np.eye(200, dtype=np.float32)[labels]
    mean = features.mean(0)
    spread = np.sqrt(((features - mean) ** 2).mean())
    for head in fit_path(features, labels, 3, STRENGTHS):
        theirs = LogisticRegression(C=head.strength, max_iter=1000, tol=1e-6).fit((features - mean) / spread, labels)
        ours, logits = head.logits(features), theirs.decision_function((features - mean) / spread)
        assert ours - ours.mean(1, keepdims=True) == pytest.approx(logits - logits.mean(1, keepdims=True), abs=0.1)


def windows(features: np.ndarray) -> Features:
    return Features(features, views=(("windows-448", ()),))


def two_looks(seed: int = 0) -> tuple[list[Features], np.ndarray, np.ndarray]:
    """Of the first, nothing can be learned; the second tells the classes well."""
    features, labels, folds = images(90, seed=seed)
    blind = np.random.default_rng(seed + 1).normal(size=features.shape).astype(np.float32)
    return [Features(blind), windows(features)], labels, folds


def test_the_view_is_chosen_that_names_more_images_well() -> None:
    looks, labels, folds = two_looks()
    found = fitted(looks, labels, folds, 3)
    assert found.choice.view == "windows-448" and {one.view for one in found.choices.values()} == {"windows-448"}
    alone = fitted(looks[1:], labels, folds, 3)
    assert (found.logits == alone.logits).all() and found.head.weight.tolist() == alone.head.weight.tolist()


def test_a_dearer_view_that_is_no_better_is_not_chosen() -> None:
    features, labels, folds = images(90)
    again = features + np.random.default_rng(5).normal(size=features.shape, scale=0.05).astype(np.float32)
    for dearer in (features, again, np.zeros_like(features)):
        found = fitted([Features(features), windows(dearer)], labels, folds, 3)
        assert found.choice.view == "whole"


def test_where_nothing_is_left_to_get_right_no_further_view_is_asked() -> None:
    features, labels, folds = images(90)
    clear = Features(np.eye(3, dtype=np.float32)[labels] * 9 + features[:, :3] * 0.01)
    value = value_of_try(clear, labels, folds)
    assert is_settled([value], labels)
    assert not is_settled([value_of_try(Features(features), labels, folds)], labels)
    both = fitted([clear, windows(features)], labels, folds, 3)
    assert {one.view for one in (both.choice, *both.choices.values())} == {"whole"}


def value_of_try(features: Features, labels: np.ndarray, folds: np.ndarray) -> Tried:
    return value_of(try_look(features, labels, folds, 3, "auto"))


def test_an_image_s_own_fold_chooses_no_view_for_it() -> None:
    looks, labels, folds = two_looks()
    before = fitted(looks, labels, folds, 3)
    own = folds == 0
    other = labels.copy()
    other[own] = np.random.default_rng(0).integers(0, 3, own.sum())
    after = fitted(looks, other, folds, 3)
    assert after.choices[0] == before.choices[0] and (after.logits[own] == before.logits[own]).all()
