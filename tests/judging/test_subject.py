"""A subject makes whatever is asked of it once, and never asks a model about an image that it learned from."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from limpide.audit.evidence import Evidence
from limpide.core.events import Event
from limpide.judging.answers import Answers
from limpide.judging.registry import AUDITS, after_training, in_evaluate
from limpide.judging.subject import Subject


def value_of(work: Generator[Event, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


class Model:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def ask(self, rows: np.ndarray) -> Generator[Event, None, Answers]:
        self.asked.append(rows.tolist())
        return Answers(rows, np.eye(2, dtype=np.float32)[rows % 2])
        yield

    def weigh(self, answers: Answers) -> Generator[Event, None, Evidence]:
        truth = answers.rows % 2
        return Evidence(("a", "b"), tuple(map(str, answers.rows)), truth, answers.probabilities, 0)
        yield


def subject(model: Model, rows: list[int], learned_from: list[int]) -> Subject:
    mask = np.isin(np.arange(8), learned_from)
    no_images: Any = None
    return Subject(no_images, np.array(rows), mask, model.ask, model.weigh)


def test_it_is_asked_once() -> None:
    model = Model()
    one = subject(model, [5, 6, 7], [0, 1, 2, 3, 4])
    first, second = value_of(one.evidence()), value_of(one.evidence())
    assert first is second and value_of(one.answers()).rows.tolist() == [5, 6, 7] and model.asked == [[5, 6, 7]]


def test_no_model_is_asked_about_what_it_learned_from() -> None:
    model = Model()
    one = subject(model, [3, 4, 5], [0, 1, 2, 3, 4])
    for ask in (one.answers, one.evidence):
        with pytest.raises(ValueError, match="must not be judged on images that it learned from. Got 2 of them"):
            value_of(ask())
    assert model.asked == []


def test_other_images_offer_no_network_and_say_so() -> None:
    one = subject(Model(), [5], [0])
    assert one.offers == {"answers", "images"}
    for ask in (one.network, lambda: value_of(one.features()), lambda: value_of(one.baseline_inputs())):
        with pytest.raises(ValueError, match="needs"):
            ask()


def test_what_may_be_left_out_comes_last_and_by_its_turn() -> None:
    assert [audit.name for audit in after_training()] == [
        "accuracy", "defects", "classes", "confusion", "mistakes", "calibration", "simpler", "inside", "shortcut",
        "good_parts_alone",
    ]  # fmt: skip
    names = [audit.name for audit in AUDITS]
    assert len(set(names)) == len(names) and all(audit.question for audit in AUDITS)
    assert {audit.name for audit in in_evaluate(frozenset({"answers", "images"}))} < set(names)
