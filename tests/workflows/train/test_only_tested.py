"""A class that is only in the test part that was given: not learned, not passed over, and told wherever the
score is.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from limpide import ImageClassifier
from limpide.core.errors import DataError
from limpide.core.events import Judged
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.deploy.predictor import Predictor
from limpide.inspector import test_set
from limpide.inspector.session import Session
from limpide.report.terminal import summary
from limpide.workflows.check import check
from limpide.workflows.evaluate import evaluate
from tests.quick_judge import quick_judge
from tests.workflows.train.test_parts import again, noise, trained

COUNTS = {"a": 20, "m": 20, "z": 20}  # m stands between the two that are learned


@pytest.fixture(scope="module")
def extra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("extra") / "data"
    noise(root / "train", a=30, z=30)
    noise(root / "test", seed=1, **COUNTS)
    return root


@pytest.fixture(scope="module")
def run(extra: Path) -> Run:
    return trained(extra)[0]


def accuracy(run: Run) -> Finding:
    found = run.finding("accuracy")
    assert found is not None
    return found


def test_the_model_knows_what_was_learned(run: Run) -> None:
    assert Predictor(run.model_file).classes == ("a", "z")
    info = run.info()
    assert info.classes == ("a", "z") and info.only_tested == ("m",)
    assert ImageClassifier.load(run.path).classes_.tolist() == ["a", "z"]


def test_it_is_told(run: Run) -> None:
    notes = [str(event.message) for event in run.events() if hasattr(event, "message")]
    assert "class m is only in the test part: it is not learned, and its 20 images can never be correct" in notes
    assert not run.excluded_file.read_text().splitlines()[1:]
    with open(run.split_file, newline="") as stream:
        tested = [row["label"] for row in csv.DictReader(stream) if row["part"] == "test"]
    assert {name: tested.count(name) for name in COUNTS} == COUNTS


def test_the_headline_counts_all_and_a_second_line_the_learned(run: Run) -> None:
    finding = accuracy(run)
    whole, known = finding.number("accuracy"), finding.number("accuracy on the classes it knows")
    assert (whole.n, known.n) == (60, 40) and whole.value * 60 == pytest.approx(known.value * 40)
    assert finding.number("chance").value == 1 / 2
    second = (
        "20 of these images are of classes that it never learned (m), so it can never name them correctly; of the "
        "other 40"
    )
    assert second in str(finding.details[0])
    console = Console(width=200, record=True, file=io.StringIO())
    summary.print_report(run, console)
    assert second in console.export_text()
    assert second in run.report_file.read_text()


def test_each_page_has_a_row_for_it_and_no_answer(run: Run) -> None:
    with np.load(run.predictions / "test.npz") as stored:
        truth, probabilities = stored["truth"], stored["probabilities"]
    assert probabilities.shape == (60, 3) and not probabilities[:, 2].any() and np.allclose(probabilities.sum(1), 1)
    assert np.bincount(truth).tolist() == [20, 20, 20]
    findings = run.findings()
    assert findings["confusion"].data["classes"] == ["a", "z", "m"]
    matrix = np.array(findings["confusion"].data["matrix"])
    assert matrix.sum(1).tolist() == [20, 20, 20] and not matrix[:, 2].any()
    rows = {row[0]: row for row in findings["classes"].table.rows}  # type: ignore[union-attr]
    assert rows["m"][1:4] == [20, None, 0.0] and findings["classes"].message.values["name"] != "m"
    with np.load(run.probes_file) as probes:
        assert set(probes["truth"].tolist()) <= {0, 1}


def test_the_studio_shows_it(run: Run, extra: Path) -> None:
    session = Session()
    found, _ = test_set.worst(session, str(run.path), "")
    assert found["classes"] == ["a", "z", "m"] and found["total"] == 60
    assert all(one["suggested"] != "m" for one in test_set.suspects(session, str(run.path), "")[0]["images"])
    assert (
        test_set.cell(session, str(run.path), "", 2, 0)[0]["total"]
        + test_set.cell(session, str(run.path), "", 2, 1)[0]["total"]
        == 20
    )


def test_evaluate_says_the_same_of_the_same_images(run: Run, extra: Path) -> None:
    found = {
        event.finding.name: event.finding for event in evaluate(str(run.path), str(extra)) if isinstance(event, Judged)
    }
    for name in ("accuracy", "accuracy on the classes it knows", "chance", "balanced accuracy"):
        assert found["accuracy"].number(name) == accuracy(run).number(name)


def test_a_judge_that_was_killed_goes_on(run: Run, extra: Path) -> None:
    before = accuracy(run)
    again(run, extra)
    assert accuracy(run) == before


def test_a_test_part_of_other_classes_only_is_refused(tmp_path: Path) -> None:
    noise(tmp_path / "data" / "train", a=10, z=10)
    noise(tmp_path / "data" / "test", seed=1, m=10)
    with pytest.raises(DataError) as error:
        trained(tmp_path / "data")
    assert error.value.code == "L263" and "the test classes are m" in str(error.value)


def test_labels_from_python_lose_what_is_not_learned(tmp_path: Path) -> None:
    """The only images of 5 are those of 9, too: neither can be learned, and columns and labels stay in step."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (42, 16, 16), np.uint8)
    labels = np.array([3, 7] * 20 + [5, 9])
    images[41] = images[40]
    with quick_judge():
        clf = ImageClassifier(model="cnn", epochs=1, image_size=16, runs=str(tmp_path), quiet=True).fit(images, labels)
    assert clf.classes_.tolist() == [3, 7] and clf.predict_proba(images[:2]).shape == (2, 2)
    assert ImageClassifier.load(clf.run_).classes_.tolist() == [3, 7]


def test_the_check_tells_it_before(extra: Path, tmp_path: Path) -> None:
    found = {event.finding.name: event.finding for event in check(str(extra)) if isinstance(event, Judged)}
    assert found["only_tested"].verdict == "warn" and "Class m is only in the test part" in str(found["only_tested"])
    ours = {
        event.finding.name: event.finding
        for event in check(str(noise(tmp_path / "data", a=2, b=2)))
        if isinstance(event, Judged)
    }
    assert ours["only_tested"].verdict == "ok"
