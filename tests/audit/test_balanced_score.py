"""Where a rare class counts as much as a frequent one, the score does so, too; probabilities are held against images as
frequent as they come.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from limpide.audit.accuracy import accuracy
from limpide.audit.calibration import calibration
from limpide.audit.evidence import Evidence

SHARES = (0.95, 0.05)


def evidence(n: int = 4000, seed: int = 0, distance: float = 2.0) -> Evidence:
    """Answers that are right in the sense of Bayes: of classes that are equally frequent, with the shares taken off."""
    random = np.random.default_rng(seed)
    truth = (random.random(n) < SHARES[1]).astype(int)
    value = random.normal(size=n) + distance * truth
    log_odds = distance * value - distance**2 / 2
    second = 1 / (1 + np.exp(-log_odds))
    return Evidence(
        ("good", "defect"), tuple(map(str, range(n))), truth, np.stack([1 - second, second], 1), 0, priors=SHARES
    )


def test_the_score_counts_every_class_alike() -> None:
    found, answers = accuracy(evidence()), evidence()
    expected = balanced_accuracy_score(answers.truth, answers.predicted)
    number = found.number("balanced accuracy")
    assert number.value == pytest.approx(expected) and found.data["lead"] == "balanced accuracy"
    assert number.low is not None and number.high is not None and number.low < expected < number.high
    assert "every class counted equally" in str(found.message) and found.verdict == "ok"
    assert found.number("accuracy").value < found.number("majority").value, "always good would be right more often"


def test_without_balance_the_same_answers_are_no_better_than_always_good() -> None:
    plain = Evidence(**{**vars(evidence()), "priors": None})
    assert accuracy(plain).verdict == "bad" and accuracy(plain).data["lead"] == "accuracy"


def test_images_that_belong_together_are_not_blamed_for_the_uneven_classes() -> None:
    """Pairs say what pairs say, however rare a class is."""
    answers = evidence(400)
    paired = Evidence(**{**vars(answers), "groups": np.arange(400) // 2})
    plain = Evidence(**{**vars(paired), "priors": None})
    said = [str(line) for line in accuracy(paired).details if "independent ones" in str(line)]
    assert said and said == [str(line) for line in accuracy(plain).details if "independent ones" in str(line)]


def test_guessing_is_no_score() -> None:
    assert accuracy(evidence(distance=0.0)).verdict in ("unknown", "bad")
    assert accuracy(evidence(40, distance=0.0)).verdict != "ok"


def test_probabilities_without_the_shares_are_honest_on_images_as_they_come() -> None:
    answers = evidence(20_000, distance=1.0)
    assert calibration(answers).verdict == "ok"
    again = answers.as_frequent
    assert again.priors is None and again.probabilities.sum(1) == pytest.approx(1)
    odds = again.probabilities[:, 1] / again.probabilities[:, 0]
    before = answers.probabilities[:, 1] / answers.probabilities[:, 0]
    assert odds == pytest.approx(before * SHARES[1] / SHARES[0])
    share = answers.truth.mean()
    assert again.probabilities[:, 1].mean() == pytest.approx(share, abs=0.005)
    assert answers.probabilities[:, 1].mean() > 5 * share, "as it ships, defects are as likely as good parts"
