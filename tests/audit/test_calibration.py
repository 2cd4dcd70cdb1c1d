"""Stated and true confidence: gross errors are found on few images, and no perfect model is accused."""

from __future__ import annotations

import dataclasses

import numpy as np

from limpide.audit.evidence import Evidence
from tests.audit.predictors import AUDITS, evidence


def stated(confidence: float, right: float, n: int, groups: np.ndarray | None = None) -> Evidence:
    """Two classes: this sure of each answer, right on this share of images, spread evenly over them."""
    hit = np.floor(np.arange(1, n + 1) * right + 1e-9) > np.floor(np.arange(n) * right + 1e-9)
    truth = np.arange(n) % 2
    said = np.where(hit, truth, 1 - truth)
    return Evidence(
        ("a", "b"), ("x",) * n, truth, np.where(np.eye(2)[said] == 1, confidence, 1 - confidence), 0, groups=groups
    )


def test_few_images_are_enough_for_a_gross_error_and_not_for_a_doubt() -> None:
    gross = AUDITS["calibration"](stated(0.95, 0.65, 60))
    assert gross.verdict == "bad" and gross.number("calibration error").low > 0.1  # type: ignore[operator]
    doubt = AUDITS["calibration"](stated(0.75, 0.70, 40))
    assert doubt.verdict == "unknown" and "cannot tell" in str(doubt)
    assert AUDITS["calibration"](stated(0.75, 0.75, 400)).verdict == "ok"


def test_a_burst_accuses_no_perfect_model() -> None:
    """Stated 90 %; one of ten bursts is wrong as a whole, as it must be now and then."""
    for n, size in ((100, 10), (400, 40)):
        groups = np.arange(n) // size
        truth, said = np.zeros(n, int), (groups < 2).astype(int)
        case = Evidence(("a", "b"), ("x",) * n, truth, np.where(np.eye(2)[said] == 1, 0.9, 0.1), 0)
        assert AUDITS["calibration"](case).verdict in ("warn", "bad"), "if each image stood alone"
        assert AUDITS["calibration"](dataclasses.replace(case, groups=groups)).verdict == "unknown"


def test_perfect_probabilities_are_accused_as_seldom_as_the_test_says_and_boasting_always() -> None:
    """What a fixed bound of 5 % called "a grain of salt" in up to 89 % of cases."""
    for classes, spread, n in ((2, 1.0, 100), (10, 0.3, 100)):
        accused, caught = 0, 0
        for seed in range(30):
            dice = np.random.default_rng(seed)
            probabilities = dice.dirichlet([spread] * classes, n)
            truth = (dice.random((n, 1)) > probabilities.cumsum(1)).sum(1).clip(0, classes - 1)
            strong = probabilities**4 / (probabilities**4).sum(1, keepdims=True)
            names = tuple(map(str, range(classes)))
            accused += AUDITS["calibration"](Evidence(names, ("x",) * n, truth, probabilities, 0)).verdict in (
                "warn",
                "bad",
            )
            caught += AUDITS["calibration"](Evidence(names, ("x",) * n, truth, strong, 0)).verdict in ("warn", "bad")
        assert accused <= 4 and caught >= 28  # of 30: 5 or more accused have a chance of 0.1 %


def test_a_model_that_knows_nothing_is_not_praised_for_saying_so() -> None:
    nothing = AUDITS["calibration"](stated(0.5, 0.5, 2000))
    assert "show how little it knows" in str(nothing) and "can be believed" not in str(nothing)
    assert "can be believed" in str(AUDITS["calibration"](stated(0.9, 0.9, 2000)))


def test_calibration_keeps_the_temperature_and_the_curve() -> None:
    finding = AUDITS["calibration"](evidence("good", temperature=1.7))
    assert finding.number("temperature").value == 1.7
    assert sum(b["n"] for b in finding.data["bins"]) == 400
