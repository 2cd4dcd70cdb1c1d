"""Groups that fall behind, and labels that look wrong: planted ones are named, chance is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from limpide.audit.evidence import Evidence
from limpide.audit.groups import groups
from limpide.audit.label_errors import find_label_errors
from limpide.text.messages import message


def evidence(truth: np.ndarray, said: np.ndarray, sure: float = 0.9) -> Evidence:
    classes = int(max(truth.max(), said.max())) + 1
    probabilities = np.full((len(truth), classes), (1 - sure) / max(1, classes - 1))
    probabilities[np.arange(len(truth)), said] = sure
    return Evidence(
        tuple(f"class {k}" for k in range(classes)),
        tuple(f"{k}.png" for k in range(len(truth))),
        truth,
        probabilities,
        0,
    )


def test_a_planted_group_is_named_with_its_interval() -> None:
    dice = np.random.default_rng(0)
    truth, names = dice.integers(0, 3, 600), np.array(["day"] * 500 + ["night"] * 100)
    wrong = np.where(names == "night", dice.random(600) < 0.4, dice.random(600) < 0.05)
    found = groups(evidence(truth, np.where(wrong, (truth + 1) % 3, truth)), names.tolist(), message("light"))
    assert found.verdict == "warn" and "night" in str(found.message) and found.table is not None
    worst = found.table.rows[0]
    right = int((~wrong[names == "night"]).sum())
    interval = binomtest(right, 100).proportion_ci(method="wilson")
    assert (
        worst[0] == "night"
        and worst[1] == 100
        and worst[2:] == [right / 100, pytest.approx(interval.low), pytest.approx(interval.high)]
    )


def test_chance_is_not_called_a_group() -> None:
    warned = 0
    for seed in range(200):
        dice = np.random.default_rng(seed)
        truth = dice.integers(0, 3, 300)
        said = np.where(dice.random(300) < 0.1, (truth + 1) % 3, truth)
        warned += (
            groups(evidence(truth, said), [f"group {k}" for k in dice.integers(0, 8, 300)], message("lot")).verdict
            == "warn"
        )
    assert warned <= 12, "less than once in forty, and the bound is strict"


def test_few_images_are_no_comfort() -> None:
    """Dark: 14 of 17 right, bright: 32 of 32. Neither accused nor fine."""
    truth = np.zeros(49, int)
    said = np.where(np.arange(49) < 3, 1, 0)
    found = groups(evidence(truth, said), ["dark"] * 17 + ["bright"] * 32, message("brightness"))
    assert found.verdict == "unknown" and "not ruled out" in str(found.message)
    many = groups(
        evidence(np.zeros(400, int), (np.arange(400) % 10 == 0).astype(int)),
        ["dark", "bright"] * 200,
        message("brightness"),
    )
    assert many.verdict in ("ok", "warn")


def test_one_group_is_nothing_to_compare() -> None:
    truth = np.array([0, 1, 0])
    assert groups(evidence(truth, truth), ["all"] * 3, message("lot")).verdict == "unknown"


def test_planted_labels_are_found_and_hesitation_is_not() -> None:
    dice = np.random.default_rng(0)
    real = dice.integers(0, 4, 400)
    probabilities = dice.dirichlet(np.ones(4), 400) * 0.2
    probabilities[np.arange(400), real] += 0.8
    truth = real.copy()
    wrong = dice.permutation(400)[:12]
    truth[wrong] = (real[wrong] + 1) % 4
    found = find_label_errors(probabilities, truth)
    assert {i for i, _, _ in found} >= set(wrong[probabilities[wrong, real[wrong]] > 0.85].tolist())
    assert {i for i, _, _ in found} <= set(wrong.tolist()) and all(k == real[i] for i, k, _ in found)
    assert [margin for _, _, margin in found] == sorted((margin for _, _, margin in found), reverse=True)
    assert find_label_errors(probabilities, real) == []


def test_a_class_without_an_image_takes_nobodys() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.2, 0.1, 0.7]])
    assert 2 not in {k for _, k, _ in find_label_errors(probabilities, np.array([0, 1]))}
