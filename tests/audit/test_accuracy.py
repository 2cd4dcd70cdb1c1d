"""What is called better than chance: hardly ever a guess, whether images stand alone or belong together."""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from tests.audit.predictors import AUDITS, evidence


def test_guessing_is_hardly_ever_called_success() -> None:
    verdicts = [AUDITS["accuracy"](evidence("random", seed=seed)).verdict for seed in range(200)]
    assert verdicts.count("ok") <= 11  # 2.5 % are expected: 12 or more have a chance of 1 %
    assert verdicts.count("bad") > 60
    few = [AUDITS["accuracy"](evidence("random", 40, seed=seed)).verdict for seed in range(200)]
    assert few.count("unknown") > 120, "forty images can seldom rule out that a model is worth something"


def test_a_few_lucky_images_are_not_success() -> None:
    """Three of three right, of four classes: better than chance only by luck."""
    assert AUDITS["accuracy"](evidence("perfect", 2)).verdict == "unknown"
    assert AUDITS["accuracy"](evidence("perfect", 40)).verdict == "ok"


def test_the_majority_is_what_must_be_beaten() -> None:
    """95 % right on a set of which 95 % is one class is nothing."""
    truth = (np.arange(1000) >= 950).astype(int)
    constant = Evidence(("common", "rare"), ("x",) * 1000, truth, np.tile([0.95, 0.05], (1000, 1)), 0)
    finding = AUDITS["accuracy"](constant)
    assert finding.verdict == "bad" and "always saying common" in str(finding)
    assert finding.number("balanced accuracy").value == 0.5


def bursts(right: np.ndarray, size: int, **more: Any) -> Evidence:
    """Groups of this size, each right or wrong as a whole; two classes, half of the groups each."""
    truth = np.repeat(np.arange(len(right)) % 2, size)
    said = np.where(np.repeat(right, size), truth, 1 - truth)
    return Evidence(
        ("a", "b"),
        ("x",) * len(truth),
        truth,
        np.eye(2)[said] * 0.8 + 0.1,
        0,
        groups=np.repeat(np.arange(len(right)), size),
        **more,
    )


def test_a_coin_for_each_patient_is_hardly_ever_called_better_than_chance() -> None:
    for count, size in ((6, 10), (20, 10), (60, 1)):
        dice, praised, held = np.random.default_rng(count), 0, 0
        for _ in range(200):
            finding = AUDITS["accuracy"](bursts(dice.random(count) < 0.5, size, grouped_by="patient"))
            score = finding.number("accuracy")
            praised += finding.verdict == "ok"
            held += score.low <= 0.5 <= score.high  # type: ignore[operator]
        assert praised <= 11 and held >= 180
    assert f"{count} images" in str(finding)


def test_groups_are_said_by_their_name() -> None:
    right = np.arange(8) < 6
    assert str(AUDITS["accuracy"](bursts(right, 10, grouped_by="patient"))).startswith(
        "Of 80 images of 8 patients it had never seen"
    )
    assert "80 images in 8 groups (ward, bed)" in str(AUDITS["accuracy"](bursts(right, 10, grouped_by="ward, bed")))
    assert "80 images in 8 groups of look-alikes" in str(AUDITS["accuracy"](bursts(right, 10)))
    assert any("tell as much as" in str(detail) for detail in AUDITS["classes"](bursts(right, 10)).details)
