"""k-nearest neighbours on the features of the pretrained network that a training began with: they exist already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from limpide.baselines.baseline import MAX_TEST, Allowance, BaselineData, Budget, HeldOut, Scores, Sizes, Work
from limpide.baselines.nearest_neighbors import nearest_neighbors
from limpide.baselines.pretrained_head import WIDTH
from limpide.core.cost import Facts
from limpide.data.split import stratified_order


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    """The time for computing the features counts, the time for fitting the head does not."""
    asked, frozen, labels = data.frozen_test(), data.frozen, data.dataset.labels
    assert frozen, "it is fitted after trainings that began with a pretrained network"
    if len(asked.rows) > MAX_TEST:
        some = np.sort(stratified_order(asked.labels, allowance.seed)[:MAX_TEST])
        asked = HeldOut(asked.x[some], asked.labels[some], asked.rows[some])
    scores = nearest_neighbors(frozen.train, labels[frozen.train_rows], asked, allowance)
    return scores and replace(
        scores,
        seconds=frozen.seconds - frozen.head_seconds + scores.seconds,
        milliseconds=frozen.milliseconds + (scores.milliseconds or 0.0),
        bytes=frozen.bytes + (scores.bytes or 0),
        multiply_adds=frozen.multiply_adds + (scores.multiply_adds or 0),
    )


def images(sizes: Sizes, budget: Budget) -> float:
    return budget.work / (sizes.few * WIDTH)


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    if facts.frozen is None:
        return Work()
    # of many images the frozen network saw a sample
    return Work(min(n, facts.frozen.learned) * min(sizes.few, facts.frozen.test) * WIDTH)
