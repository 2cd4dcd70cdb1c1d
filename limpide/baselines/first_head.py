"""The linear layer on the frozen pretrained network that a training began with, before anything was fine-tuned."""

from __future__ import annotations

from limpide.baselines.baseline import Allowance, BaselineData, Budget, Scores, Sizes, Work
from limpide.core.cost import Facts


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    """Return the scores of the head. It was fitted already, on all images it could have: no allowance applies."""
    test, frozen = data.frozen_test(), data.frozen
    assert frozen, "it is fitted after trainings that began with a pretrained network"
    logits = frozen.logits if frozen.logits is not None else test.x @ frozen.weight.T + frozen.bias
    right = logits.argmax(1) == test.labels
    n, seconds = len(frozen.train_rows), frozen.seconds
    return Scores(right, test.rows, n, seconds, frozen.milliseconds, frozen.bytes, frozen.multiply_adds)


def images(sizes: Sizes, budget: Budget) -> float:
    return sizes.train


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    """The cost of computing the features of the test images."""
    return Work(seconds=facts.frozen.test * facts.frozen.seconds if facts.frozen else 0.0)
