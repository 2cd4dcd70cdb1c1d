"""Every audit is fed a perfect, a random and a one-class predictor, and must say so; its numbers are checked against
scikit-learn.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sk

from limpide.audit.evidence import Evidence
from limpide.text.language import use_language
from tests.audit.predictors import AUDITS, HOSTILE, KINDS, NAMES, evidence, well_formed

VERDICTS = {
    #              perfect     random     one class  good
    "accuracy": ("ok", "bad", "bad", "ok"),
    "classes": ("ok", "warn", "warn", "ok"),
    "confusion": ("ok", "warn", "warn", "unknown"),
    "mistakes": ("ok", "warn", "warn", "warn"),
    "calibration": ("ok", "bad", "bad", "ok"),
}


def test_every_audit_is_expected_here() -> None:
    assert set(AUDITS) == set(VERDICTS)


@pytest.mark.parametrize("name", AUDITS)
@pytest.mark.parametrize("k", range(4), ids=KINDS)
def test_the_verdict(name: str, k: int) -> None:
    assert AUDITS[name](evidence(KINDS[k])).verdict == VERDICTS[name][k]


@pytest.mark.parametrize("name", AUDITS)
@pytest.mark.parametrize("classes", [NAMES, HOSTILE, ("a", "b")], ids=["plain", "hostile", "two"])
@pytest.mark.parametrize("n", [1, 3, 50])
def test_every_finding_is_well_formed(name: str, classes: tuple[str, ...], n: int) -> None:
    for kind in KINDS:
        well_formed(AUDITS[name](evidence(kind, n, classes)), name)


@pytest.mark.parametrize("name", AUDITS)
def test_french_says_something_else(name: str) -> None:
    for kind in KINDS:
        finding = AUDITS[name](evidence(kind))
        english = str(finding)
        use_language("fr")
        assert str(finding) != english, english
        use_language("en")


def test_a_hostile_class_name_is_shown_and_not_interpreted() -> None:
    for name in ("classes", "confusion"):
        assert any(label in str(AUDITS[name](evidence("one class", 40, HOSTILE))) for label in HOSTILE)


def random_evidence(seed: int) -> Evidence:
    rng = np.random.default_rng(seed)
    classes, n = int(rng.integers(2, 6)), int(rng.integers(2, 150))
    truth = rng.integers(0, classes, n)
    probabilities = rng.dirichlet(np.full(classes, 0.5), n) + 2 * np.eye(classes)[truth] * rng.random((n, 1))
    return Evidence(
        tuple(f"c{k}" for k in range(classes)),
        tuple(map(str, range(n))),
        truth,
        probabilities / probabilities.sum(1, keepdims=True),
        int(rng.integers(0, classes)),
    )


@given(st.integers(0, 10**6))
def test_numbers_are_scikit_learns(seed: int) -> None:
    case = random_evidence(seed)
    n, predicted = len(case.truth), case.probabilities.argmax(1)
    accuracy = AUDITS["accuracy"](case)
    score = accuracy.number("accuracy")
    right = int((predicted == case.truth).sum())
    interval = binomtest(right, n).proportion_ci(0.95, "wilson")
    assert score.value == pytest.approx(sk.accuracy_score(case.truth, predicted)) and score.n == n
    assert (score.low, score.high) == pytest.approx((interval.low, interval.high))
    present = sorted(set(case.truth.tolist()))
    recalls = sk.recall_score(case.truth, predicted, labels=present, average=None)
    assert accuracy.number("balanced accuracy").value == pytest.approx(recalls.mean())
    assert accuracy.number("majority").value == pytest.approx((case.truth == case.majority).mean())
    assert accuracy.number("chance").value == 1 / len(case.classes)
    labels = list(range(len(case.classes)))
    precision, recall, _, support = sk.precision_recall_fscore_support(
        case.truth, predicted, labels=labels, zero_division=np.nan
    )
    table = AUDITS["classes"](case).table
    assert table
    for row, p, r, s in zip(table.rows, precision, recall, support, strict=True):
        assert row[1] == s
        assert row[2] is None if np.isnan(p) else row[2] == pytest.approx(p)
        assert row[3] is None if np.isnan(r) else row[3] == pytest.approx(r)
        assert row[4] is None or row[4] <= row[3] <= row[5]
    confusions = AUDITS["confusion"](case)
    counts = sk.confusion_matrix(case.truth, predicted, labels=labels)
    assert confusions.data["matrix"] == counts.tolist()
    off = counts - np.diag(np.diag(counts))
    told = [row[2] for row in confusions.table.rows] if confusions.table else []
    assert told == sorted((v for v in off.ravel().tolist() if v), reverse=True)[:10]
    for truth, said, count, share in confusions.table.rows if confusions.table else []:
        i, j = case.classes.index(truth), case.classes.index(said)
        assert count == counts[i, j] and share == pytest.approx(counts[i, j] / counts[i].sum())
    for name in AUDITS:
        well_formed(AUDITS[name](case), name)


@pytest.mark.parametrize("name", AUDITS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_verdict_where_images_may_belong_together_and_nothing_says_which(name: str, kind: str) -> None:
    finding = AUDITS[name](evidence(kind, groups_known=False))
    well_formed(finding, name)
    assert finding.verdict == "unknown"


def test_one_image_and_one_group_are_said_in_the_singular() -> None:
    for images, groups in ((1, None), (12, np.zeros(12, int))):
        truth = np.arange(images) % 2
        sure = Evidence(
            ("a", "b"),
            tuple(map(str, truth)),
            truth,
            np.eye(2)[truth],
            0,
            groups=groups,
            grouped_by="patient" if images > 1 else "",
        )
        for audit in AUDITS.values():
            assert not re.search(r"\b1 (test images|images|groups|patients)\b", str(audit(sure)))
        assert str(sure.images()) == ("1 image" if images == 1 else "12 images of a single group")
