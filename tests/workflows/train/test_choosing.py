"""Validation chooses between the first model and the fine-tuned one on the same images, or not at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limpide.core.recipe import Recipe
from limpide.workflows.train import fit


class State(SimpleNamespace):
    def use_best(self) -> None:
        self.model = "best"


RECIPE = Recipe()


def job(sample: int, everything: int) -> Any:
    return SimpleNamespace(
        frozen_rows=lambda part: np.arange(sample),
        rows=lambda part: np.arange(everything),
        validation=lambda: SimpleNamespace(batch=64),
        batches_of=lambda rows, batch: (len(rows), batch),
        recipe=RECIPE,
    )


@pytest.mark.parametrize(
    ("score", "better"), [((0.9, -0.5), True), ((0.9, -0.51), False), ((0.8, 0.0), False), ((0.91, -9.0), True)]
)
def test_all_images_were_seen_by_both(score: tuple[float, float], better: bool) -> None:
    assert fit._better(job(50, 50), State(best_score=score, model="last"), (0.9, -0.5)) is better  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accuracy", "loss", "better"), [(0.9, 0.5, True), (0.9, 0.6, False), (0.95, 9.0, True), (0.85, 0.1, False)]
)
def test_a_sample_was_seen_by_the_first(
    monkeypatch: pytest.MonkeyPatch, accuracy: float, loss: float, better: bool
) -> None:
    looked: list[Any] = []

    def evaluate(*seen: Any) -> tuple[float, float]:
        looked.append(seen)
        return loss, accuracy

    monkeypatch.setattr(fit, "evaluate", evaluate)
    state = State(best_score=(0.99, -0.01), model="last")  # on other images: no argument
    assert fit._better(job(50, 800), state, (0.9, -0.5)) is better  # type: ignore[arg-type]
    assert looked == [("best", (50, 64), RECIPE)]


def test_another_loss_is_not_compared_with_the_first_models() -> None:
    state, one = State(best_score=(0.9, -9.0), model="last"), job(50, 50)
    one.recipe = RECIPE.but(loss="hinge")
    assert fit._better(one, state, (0.9, -0.5)) and not fit._better(one, state, (0.91, -99.0))  # type: ignore[arg-type]


def test_nothing_was_tuned() -> None:
    assert not fit._better(job(50, 50), State(best_score=None, model="last"), (0.0, -9.0))  # type: ignore[arg-type]
