"""One temperature: found where it was planted, declined where it does not help."""

from __future__ import annotations

import numpy as np
import pytest

from limpide.training.linear_head import log_loss
from limpide.training.temperature import MIN_IMAGES, best_temperature, fit_temperature


def sampled(
    n: int, classes: int, temperature: float, seed: int = 0, spread: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(logits), and logits made `temperature` times as steep as they ought to be."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, spread, (n, classes))
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    labels = (p.cumsum(1) > random.random((n, 1))).argmax(1)
    return logits * temperature, labels


@pytest.mark.parametrize("planted", [0.4, 1.7, 4.0])
def test_recovers_a_planted_temperature(planted: float) -> None:
    logits, labels = sampled(8000, 5, planted)
    found = fit_temperature(logits, labels, of="calibration")
    assert found.value == pytest.approx(planted, rel=0.06)
    assert found.how == "calibration" and found.n == 8000 and found.after < found.before
    assert log_loss(logits / found.value, labels) == pytest.approx(found.after, rel=0.01)


def test_says_when_it_was_cross_fitted() -> None:
    assert fit_temperature(*sampled(400, 4, 3.0), of="validation").how == "cross-fitted"


def test_declines_what_helps_nobody() -> None:
    found = [fit_temperature(*sampled(60, 3, 1.0, seed), of="calibration") for seed in range(20)]
    declined = [t for t in found if t.how == "declined"]
    assert declined and all(t.value == 1.0 and t.after == t.before for t in declined)
    assert all(t.after < t.before for t in found if t.how != "declined")


@pytest.mark.parametrize("n", [0, 1, MIN_IMAGES - 1])
def test_declines_when_there_are_too_few(n: int) -> None:
    logits, labels = sampled(n, 3, 5.0)
    found = fit_temperature(logits, labels, of="calibration")
    assert (found.value, found.how, found.n) == (1.0, "declined", n)


@pytest.mark.parametrize("n", [60, 1000])
def test_perfect_predictions_do_not_ask_for_certainty(n: int) -> None:
    labels = np.arange(n) % 4
    logits = np.full((n, 4), -3.0)
    logits[np.arange(n), labels] = 3.0
    temperature = best_temperature(logits, labels)
    stated = 1 / (1 + 3 * np.exp(-6 / temperature))
    assert 0.05 < temperature < 20 and 1 - stated == pytest.approx(1 / (n + 2), rel=0.02), (
        "no surer than n images can justify"
    )
    assert np.isfinite(fit_temperature(logits, labels, of="calibration").after)


def test_two_classes_and_hopeless_predictions_stay_finite() -> None:
    logits, labels = sampled(300, 2, 1.0)
    found = fit_temperature(logits, 1 - labels, of="calibration")
    assert 1.0 <= found.value <= 20.1 and np.isfinite([found.before, found.after]).all()


def test_the_order_of_classes_does_not_matter() -> None:
    logits, labels = sampled(500, 3, 2.0)
    turned = fit_temperature(logits[:, [2, 0, 1]], (labels + 1) % 3, of="calibration")
    assert turned.value == pytest.approx(fit_temperature(logits, labels, of="calibration").value, rel=1e-4)
