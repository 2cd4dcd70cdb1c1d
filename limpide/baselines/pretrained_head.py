"""For networks trained from scratch: one linear layer on the features of a pretrained network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from limpide.baselines.baseline import Allowance, Attempt, BaselineData, Budget, Scores, Sizes, Work
from limpide.baselines.fitting import fit_allowed, milliseconds
from limpide.core.cost import Facts
from limpide.core.events import Progress
from limpide.data.split import stratified_order
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from limpide.training.linear_head import Head

FEATURES_WORK = 70_600_000  # multiply-adds of FrozenFeatures for one image
WIDTH = 1280  # of its features
LOAD_SECONDS = 1.0
BYTES = 90_000_000  # of the pretrained network, and a chunk of images in it


def fit(data: BaselineData, allowance: Allowance) -> Attempt:
    # torch is loaded here, on first use
    from limpide.baselines.pretrained_features import CHUNK, FrozenFeatures

    labels, train, test = data.dataset.labels, data.train_rows, data.test_rows[data.few.rows]
    features = FrozenFeatures(data.dataset, data.recipe)
    features.of(test[:2])  # its first call loads code
    began = time.perf_counter()
    if allowance.seconds is None:  # what is known by then costs nothing later
        wanted = train[stratified_order(labels[train], allowance.seed)[: allowance.images]]
        for k in range(0, len(wanted), CHUNK):
            yield Progress(message(N_("computing the features of a pretrained network")), k, len(wanted))
            features.of(wanted[k : k + CHUNK])
    before = time.perf_counter() - began

    def fit_to(picked: np.ndarray) -> Head:
        x, rows = features.of(train[picked]), train[picked]
        readable = ~np.isnan(x[:, 0])
        return linear_head(x[readable], labels[rows[readable]], len(data.dataset.learned_classes))

    found = fit_allowed(labels[train], fit_to, allowance)
    if found is None:
        return None
    for k in range(0, len(test), CHUNK):
        yield Progress(message(N_("scoring a pretrained network with a linear layer")), k, len(test))
        features.of(test[k : k + CHUNK])
    x = features.of(test)
    readable = ~np.isnan(x[:, 0])
    right = found.model.logits(x[readable]).argmax(1) == labels[test[readable]]
    ms = milliseconds(lambda one: found.model.logits(features.fresh(one)), test)
    rows, seconds = data.few.rows[readable], before + found.seconds
    return Scores(right, rows, found.n, seconds, ms, features.bytes, features.multiply_adds)


def images(sizes: Sizes, budget: Budget) -> float:
    return budget.work / FEATURES_WORK - sizes.few


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    scoring = sizes.few * FEATURES_WORK / facts.multiply_adds_a_second
    seconds = LOAD_SECONDS + (n + sizes.few) * facts.decoding_seconds + scoring
    return Work(n * FEATURES_WORK, BYTES + 4 * WIDTH * (n + sizes.few), seconds)


def linear_head(features: np.ndarray, labels: np.ndarray, classes: int) -> Head:
    """A linear layer whose penalty is chosen on every tenth image. features: (n, width) · labels: int (n,)."""
    from limpide.training.linear_head import fit_head

    held = np.arange(len(features)) % 10 == 9
    return fit_head(features[~held], labels[~held], features[held], labels[held], classes)
