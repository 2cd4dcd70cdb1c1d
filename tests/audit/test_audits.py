"""Every audit is fed a perfect, a random and a one-class predictor, and must say so; its numbers are checked against
scikit-learn.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest
from sklearn import metrics as sk

from limpide.audit import run_facts
from limpide.audit.classes import MAX_PICTURES, MISTAKES, PICTURES_A_CELL, PICTURES_RIGHT
from limpide.audit.evidence import THUMB, Evidence
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.data.decoding.decode import CUT_SHORT, EMPTY
from limpide.data.split import TWO_LABELS
from limpide.judging.audit import Audit
from limpide.judging.registry import in_evaluate
from limpide.system.energy import Energy
from limpide.text.language import LANGUAGES, use_language
from limpide.text.messages import Message

NAMES = ("cat", "dog", "bird", "fish")
HOSTILE = ("<script>alert(1)</script>", "{n:count} {0} {", "[red]x[/red]\x1b[31m", "a\nb\u202e\udcff")


class FromEvidence:
    """A subject of which nothing is known but its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def evidence(self) -> Generator[Event, None, Evidence]:
        return self._evidence
        yield


def finding_of(audit: Audit, evidence: Evidence) -> Finding:
    (found,) = audit.run(FromEvidence(evidence))  # type: ignore[arg-type]
    assert isinstance(found, Finding)
    return found


AUDITS = {one.name: partial(finding_of, one) for one in in_evaluate(frozenset({"answers", "images"}))}


def evidence(kind: str, n: int = 400, classes: tuple[str, ...] = NAMES, seed: int = 0, **more: Any) -> Evidence:
    """What a predictor of this kind says of n images whose classes take turns."""
    rng = np.random.default_rng(seed)
    k, truth = len(classes), np.arange(n) % len(classes)
    if kind == "perfect":
        said, stated = truth.copy(), 0.999
    elif kind == "random":
        said, stated = rng.integers(0, k, n), 0.97
    elif kind == "one class":
        said, stated = np.ones(n, int), 0.9
    else:  # "good": nine in ten right, and says so
        said, stated = np.where(np.arange(n) // k % 10 == 0, (truth + 1) % k, truth), 0.9
    probabilities = np.full((n, k), (1 - stated) / (k - 1))
    probabilities[np.arange(n), said] = stated
    return Evidence(classes, tuple(f"{i}.jpg" for i in range(n)), truth, probabilities, 0, **more)


VERDICTS = {
    #              perfect     random     one class  good
    "accuracy": ("ok", "bad", "bad", "ok"),
    "classes": ("ok", "warn", "warn", "ok"),
    "confusion": ("ok", "warn", "warn", "unknown"),
    "mistakes": ("ok", "warn", "warn", "warn"),
    "calibration": ("ok", "bad", "bad", "ok"),
}
KINDS = ("perfect", "random", "one class", "good")


def test_every_audit_is_expected_here() -> None:
    assert set(AUDITS) == set(VERDICTS)


@pytest.mark.parametrize("name", AUDITS)
@pytest.mark.parametrize("k", range(4), ids=KINDS)
def test_the_verdict(name: str, k: int) -> None:
    assert AUDITS[name](evidence(KINDS[k])).verdict == VERDICTS[name][k]


def well_formed(finding: Finding, name: str) -> None:
    """What every finding promises to whoever renders it."""
    assert finding.name == name
    again = Finding.from_json(json.loads(json.dumps(finding.to_json(), allow_nan=False)))
    assert again.to_json() == finding.to_json()
    for spoken in LANGUAGES:
        use_language(spoken)
        for sentence in (again.message, *again.details):
            assert isinstance(sentence, Message) and str(sentence).strip()
        for number in again.numbers:
            assert np.isfinite(number.value) and (
                number.low is None or number.high is None or number.low <= number.value <= number.high
            )
        if again.table:
            assert all(len(row) == len(again.table.columns) for row in again.table.rows)
    use_language("en")


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


def test_one_weak_class_among_many_is_found_and_named() -> None:
    case = evidence("perfect", 400)
    case.probabilities[case.truth == 2] = [0.9, 0.05, 0.04, 0.01]
    finding = AUDITS["classes"](case)
    assert (
        finding.verdict == "warn" and finding.message.values["name"] == "bird" and finding.message.values["recall"] == 0
    )


def test_the_lowest_of_many_classes_is_not_accused_for_bad_luck() -> None:
    """Fifty classes, all equally good (80 %), twenty images each: one in twenty is unlucky, none is to blame."""
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(50), 20)
    said = np.where(rng.random(1000) < 0.8, truth, (truth + 1) % 50)
    case = Evidence(tuple(map(str, range(50))), ("x",) * 1000, truth, np.eye(50)[said], 0)
    finding = AUDITS["classes"](case)
    lowest = min(row[5] for row in finding.table.rows)  # type: ignore[union-attr]
    assert lowest < 0.8 and finding.verdict == "unknown", (
        "neither accused nor praised: twenty images cannot rule out a gap"
    )


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
    assert "say how little it knows" in str(nothing) and "can be believed" not in str(nothing)
    assert "can be believed" in str(AUDITS["calibration"](stated(0.9, 0.9, 2000)))


# -- images that belong together


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
    assert any("say as much as" in str(detail) for detail in AUDITS["classes"](bursts(right, 10)).details)


@pytest.mark.parametrize("name", AUDITS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_verdict_where_images_may_belong_together_and_nothing_says_which(name: str, kind: str) -> None:
    finding = AUDITS[name](evidence(kind, groups_known=False))
    well_formed(finding, name)
    assert finding.verdict == "unknown"


def test_a_class_falls_behind_by_many_patients_and_not_by_one() -> None:
    """Class b is right on 60 of 100 images, class a on all: one patient's 40 pictures, or 40 of 100 people."""
    truth = np.repeat([0, 1], 100)
    said = np.where((truth == 1) & (np.arange(200) % 100 < 40), 0, truth)
    case = Evidence(("a", "b"), ("x",) * 200, truth, np.eye(2)[said], 0)
    assert AUDITS["classes"](case).verdict == "warn"
    assert AUDITS["classes"](dataclasses.replace(case, groups=np.arange(200) // 40)).verdict == "unknown"


def test_calibration_keeps_the_temperature_and_the_curve() -> None:
    finding = AUDITS["calibration"](evidence("good", temperature=1.7))
    assert finding.number("temperature").value == 1.7
    assert sum(b["n"] for b in finding.data["bins"]) == 400


# -- pictures


def coloured(i: int) -> Image.Image:
    return Image.new("RGB", (300, 200), (i % 256, 0, 0))


def test_pictures_are_small_jpegs_of_the_image_they_name() -> None:
    finding = AUDITS["mistakes"](evidence("random", image=coloured))
    assert len(finding.pictures) == MISTAKES
    for picture in finding.pictures:
        image = Image.open(io.BytesIO(base64.b64decode(picture.jpeg)))
        assert (
            image.size == (THUMB, 48)
            and picture.label != picture.predicted
            and picture.probability == pytest.approx(0.97)
        )
        assert abs(image.getpixel((30, 20))[0] - int(picture.file.removesuffix(".jpg")) % 256) < 6  # type: ignore[index]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((8, 8), (72, 72)),
        ((28, 28), (56, 56)),
        ((36, 20), (72, 40)),
        ((37, 20), (37, 20)),
        ((720, 72), (72, 7)),
        ((5, 200), (2, 72)),
    ],
)
def test_a_tiny_image_is_enlarged_and_a_large_one_reduced(size: tuple[int, int], shown: tuple[int, int]) -> None:
    finding = AUDITS["mistakes"](evidence("random", 40, image=lambda i: Image.new("RGB", size)))
    assert Image.open(io.BytesIO(base64.b64decode(finding.pictures[0].jpeg))).size == shown


def test_no_pictures_where_none_are_wanted() -> None:
    assert all(p.jpeg == "" for p in AUDITS["confusion"](evidence("random")).pictures)


def test_each_cell_of_the_confusion_shows_its_surest_images() -> None:
    case = evidence("random", 2000)
    case.probabilities[:] += np.random.default_rng(1).random(case.probabilities.shape) * 0.01
    finding = AUDITS["confusion"](case)
    cells: dict[tuple[str, str], list[float]] = {}
    for picture in finding.pictures:
        cells.setdefault((picture.label, picture.predicted), []).append(picture.probability)
    assert len(cells) == 16 and len(finding.pictures) <= MAX_PICTURES
    for (label, predicted), shown in cells.items():
        assert len(shown) == (PICTURES_RIGHT if label == predicted else PICTURES_A_CELL) and shown == sorted(
            shown, reverse=True
        )
        i, j = NAMES.index(label), NAMES.index(predicted)
        inside = case.probabilities[(case.truth == i) & (case.predicted == j)].max(1)
        assert shown[0] == pytest.approx(inside.max())
    wrong = [p.label != p.predicted for p in finding.pictures]
    assert wrong == sorted(wrong, reverse=True)


def test_no_confusion_is_called_the_most_frequent_where_each_came_once() -> None:
    def told(*wrong: tuple[int, int]) -> str:
        case = evidence("perfect", 40)
        for i, said in wrong:
            case.probabilities[i] = np.eye(len(case.classes))[said]
        return str(AUDITS["confusion"](case).message)

    first, second = (next(i for i, truth in enumerate(evidence("perfect", 40).truth) if truth == k) for k in (0, 1))
    assert told().startswith("It confused no two classes")
    assert told((first, 1)).startswith("Its most frequent confusion: 1 of ")
    assert told((first, 1), (second, 0)) == "Of 40 test images, no two of one class were given the same wrong name."


def test_the_surest_mistake_comes_first() -> None:
    case = evidence("perfect", 40)
    for i, sure in ((7, 0.6), (20, 0.99), (30, 0.8)):
        case.probabilities[i] = (1 - sure) / 3
        case.probabilities[i, (case.truth[i] + 1) % 4] = sure
    finding = AUDITS["mistakes"](case)
    assert [p.file for p in finding.pictures] == ["20.jpg", "30.jpg", "7.jpg"]
    assert finding.message.values == {"n": 3, "total": 40, "sure": 1} and finding.verdict == "unknown"


# -- findings about the run


def test_the_data() -> None:
    finding = run_facts.data_finding(
        {"train": 70, "validation": 10, "calibration": 0, "test": 20}, {TWO_LABELS: 2, EMPTY: 1}
    )
    well_formed(finding, "data")
    assert finding.verdict == "warn" and finding.message.values == {"n": 100, "out": 3} and finding.table
    assert [row[1] for row in finding.table.rows] == [70, 10, 20, 1, 2]
    assert str(finding.table.rows[3][0]) == f"left out: {EMPTY}"
    assert (
        run_facts.data_finding({"train": 1000}, {CUT_SHORT: 10}).verdict == "ok"
        and run_facts.data_finding({"train": 100}, {CUT_SHORT: 2}).verdict == "warn"
    )
    nothing = run_facts.data_finding({"train": 1, "test": 1}, {})
    assert nothing.verdict == "ok" and str(nothing) == "All 2 images were used."


def test_the_sealed_file() -> None:
    ours = np.array([[0.7, 0.3], [0.4, 0.6]])
    close, far, other = (
        ours + np.array([1e-5, -1e-5]),
        ours + np.array([2e-4, -2e-4]),
        np.array([[0.49995, 0.50005], [0.4, 0.6]]),
    )
    assert (
        run_facts.export_finding(close, ours).verdict == "ok" and run_facts.export_finding(far, ours).verdict == "bad"
    )
    # another class, however close
    assert run_facts.export_finding(other, np.array([[0.50004, 0.49996], [0.4, 0.6]])).verdict == "bad"
    assert run_facts.export_finding(far, ours).number("largest difference of a probability").value == pytest.approx(
        2e-4
    )
    for finding in (run_facts.export_finding(close, ours), run_facts.export_finding(far, ours)):
        well_formed(finding, "export")


@pytest.mark.parametrize(
    ("kind", "epochs", "planned", "says"),
    [
        ("trained", 3, 3, "After 3 epochs, the weights of epoch 2"),
        ("fine-tuned", 3, 10, "stopped after 3 of 10 epochs"),
        ("frozen", 0, 5, "new last layer"),
    ],
)
def test_how_training_ended(kind: str, epochs: int, planned: float, says: str) -> None:
    finding = run_facts.training_finding(1, epochs, planned, 0.9, 50, kind)
    well_formed(finding, "training")
    assert says in str(finding)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("measured", "was measured by the processor's own counters"),
        ("estimated", "at the 10 W a core"),
        ("assumed", "is assumed, not measured"),
    ],
)
def test_the_cost(how: str, says: str) -> None:
    finding = run_facts.cost_finding(
        parameters=3_500_000,
        multiply_adds=385_000_000,
        file_bytes=13_400_000,
        training=40,
        whole=74,
        quoted=60,
        memory=900_000_000,
        quoted_memory=800_000_000,
        milliseconds=4.2,
        energy=Energy(7200.0, how, 10.0),
    )
    well_formed(finding, "cost")
    assert (
        str(finding).replace("\N{NO-BREAK SPACE}", " ")
        == "The model file takes 13.4 MB and names an image in 4.2 ms here; the work took 1 min 14 s, quoted 1 min."
    )
    assert finding.number("parameters").value == 3_500_000
    assert finding.number(f"energy, {how}").value == 2.0 and says in str(finding.details[0]).replace(
        "\N{NO-BREAK SPACE}", " "
    )


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
