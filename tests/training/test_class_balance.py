"""Uneven classes: the logit without its class's share is what Bayes says of classes that are equally frequent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from limpide.models import build
from limpide.training.class_balance import UNEVEN, balance, balanced_weights, has_bias, is_uneven, priors
from limpide.training.cross_fit import Features, cross_fit


def uneven_images(n: int = 330, every: int = 11, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(features, labels): two classes that overlap, one image in `every` of the second."""
    random = np.random.default_rng(seed)
    labels = (np.arange(n) % every == 0).astype(int)
    features = random.normal(size=(n, 6)).astype(np.float32)
    features[:, 0] += 1.5 * labels
    return features, labels


def test_the_shares_and_the_weights_are_those_of_the_classes() -> None:
    labels = np.array([0] * 30 + [2] * 10)
    assert priors(labels, 3) == pytest.approx([30 / 41, 1 / 41, 10 / 41]), "a class without an image counts one"
    weights = balanced_weights(labels)
    assert weights.mean() == pytest.approx(1) and weights[labels == 0].sum() == pytest.approx(
        weights[labels == 2].sum()
    )


@pytest.mark.parametrize(
    ("counts", "uneven"), [((10, 100), True), ((11, 100), False), ((5, 5), False), ((7, 0), False)]
)
def test_ten_times_is_uneven_and_less_is_not(counts: tuple[int, int], uneven: bool) -> None:
    assert UNEVEN == 10
    assert is_uneven(np.repeat([0, 1], counts)) == uneven


def test_balancing_a_network_divides_its_probabilities_by_the_shares() -> None:
    model = build("linear", 2, 1, 8).eval()
    images, shares = torch.rand(5, 1, 8, 8), np.array([0.9, 0.1])
    with torch.no_grad():
        before = model(images).softmax(1).numpy() / shares
        balance(model, shares)
        after = model(images).softmax(1).numpy()
    assert after == pytest.approx(before / before.sum(1, keepdims=True), abs=1e-6)
    assert has_bias(model) and not has_bias(torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False)))


def test_folds_name_a_rare_class_as_readily_as_weighted_regression_does() -> None:
    features, labels = uneven_images()
    folds = np.arange(len(labels)) // 11 % 5
    recalls = {}
    for balanced in (False, True):
        steps = cross_fit([Features(features)], labels, folds, 2, "no", balanced)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            found = end.value
        recalls[balanced] = [float((found.logits.argmax(1) == labels)[labels == k].mean()) for k in (0, 1)]
    assert recalls[False][1] < 0.4 < 0.6 < recalls[True][1]
    theirs = LogisticRegression(class_weight="balanced")
    predicted = np.zeros_like(labels)
    for fold in range(5):
        predicted[folds == fold] = theirs.fit(features[folds != fold], labels[folds != fold]).predict(
            features[folds == fold]
        )
    assert np.mean(recalls[True]) == pytest.approx(balanced_accuracy_score(labels, predicted), abs=0.06)
