"""A random forest on pixels (Breiman 2001)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from limpide.baselines.baseline import Allowance, BaselineData, Budget, HeldOut, Scores, Sizes, Work, take_rows
from limpide.baselines.fitting import fit_allowed, score, warm_up
from limpide.core.cost import Facts

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

TREES = 100
# the largest (images that a tree draws) × (pixels that it examines for a question): 7,000 images of 800 pixels
TREE_WORK = 200_000
# classes: a tree counts all of them at each possible cut; with about this many or more, this takes most of the time
COUNTED = 10
WHOLE_WORK = 0.8e11  # multiply-adds that would take as long as a whole forest
NODE = 64  # bytes of a tree for each image that it draws, with the counts of a few classes
CLASS = 16  # and for each further class


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    return forest(data.pixels, data.labels, data.test, allowance)


def images(sizes: Sizes, budget: Budget) -> float:
    return sizes.images_on_pixels(budget)


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    most = max_drawn(sizes.values, sizes.classes)
    node = NODE + CLASS * max(0, sizes.classes - COUNTED)
    return Work(WHOLE_WORK * min(1.0, n / most), TREES * node * min(n, most))


def forest(train: np.ndarray, train_labels: np.ndarray, test: HeldOut, allowance: Allowance) -> Scores | None:
    """A hundred trees, each from images drawn anew among all it may have, at most as many as TREE_WORK allows.

    So the cost does not grow with the data, and every image is drawn for some tree. The trees make comparisons, not
    multiply-adds.
    """
    from sklearn.ensemble import RandomForestClassifier

    most = max_drawn(train.shape[1], len(np.unique(train_labels)))

    def fit(rows: np.ndarray) -> RandomForestClassifier:
        drawn = most if most < len(rows) else None
        model = RandomForestClassifier(TREES, random_state=allowance.seed, n_jobs=-1, max_samples=drawn)
        return model.fit(take_rows(train, rows), train_labels[rows])

    warm_up(fit, train_labels)
    found = fit_allowed(train_labels, fit, allowance)
    if found is None:
        return None
    kept = sum(_bytes_of(tree) for tree in found.model.estimators_)
    found.model.n_jobs = 1  # passing one image to several processes takes longer than the trees do
    return score(found, test, kept, drawn=min(most, found.n))


def max_drawn(width: int, classes: int) -> int:
    """The most images that each tree of a forest draws. width: pixels an image. Ten times as many classes take ten
    times as long.
    """
    return max(2, int(TREE_WORK / (math.sqrt(width) * max(1.0, classes / COUNTED))))


def _bytes_of(fitted: DecisionTreeClassifier) -> int:
    tree = fitted.tree_
    arrays = (tree.feature, tree.threshold, tree.children_left, tree.children_right, tree.value)
    return sum(array.nbytes for array in arrays)
