"""Which images belong together is known where it was known once: from the table to the split, the verdicts, evaluate
and the studio.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide.core.errors import DataError
from limpide.core.events import Judged
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.core.run_info import require
from limpide.data.split_file import groups_in
from limpide.inspector.test_set import read_evidence
from limpide.system.files import read_json
from limpide.workflows.evaluate import evaluate
from tests.quick_judge import quick_judge
from tests.workflows.train.test_parts import TINY, noise, trained

PATIENTS, EACH = 20, 4


def clinic(root: Path, seed: int = 0, column: str = "patient") -> Path:
    """Noise of two classes, four pictures of each patient, and a table that says so."""
    random = np.random.default_rng(seed)
    root.mkdir(parents=True)
    rows = [f"file,label,{column}"]
    for patient in range(PATIENTS):
        for k in range(EACH):
            name = f"p{patient}_{k}.png"
            Image.fromarray(random.integers(0, 256, (16, 16), np.uint8)).save(root / name)
            rows.append(f"{name},{'sick' if patient % 2 else 'well'},P{patient}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with quick_judge():
        return trained(clinic(tmp_path_factory.mktemp("clinic") / "data"))[0]


def findings(run: Path, data: Path) -> Mapping[str, Finding]:
    return {event.finding.name: event.finding for event in evaluate(str(run), str(data)) if isinstance(event, Judged)}


def test_a_trained_run_says_of_how_many_patients_its_test_images_are(run: Run) -> None:
    score = run.findings()["accuracy"]
    n = int(score.number("accuracy").n or 0)
    assert f"{n} images of {n // EACH} patients" in str(score) and run.info().grouped_by == "patient"
    assert score.number("accuracy").high - score.number("accuracy").low > 0.45  # type: ignore[operator]
    assert any("tell as much as" in str(detail) for detail in score.details)
    evidence = read_evidence(str(run.path))  # the studio's
    assert evidence.grouped_by == "patient" and evidence.group_count == n // EACH and evidence.groups_known


def test_groups_of_a_split(run: Run, tmp_path: Path) -> None:
    names = [f"p3_{k}.png" for k in range(EACH)] + ["p4_0.png", "not there.png"]
    groups = groups_in(run.split_file, names)
    assert (
        groups is not None
        and len(set(groups[:4].tolist())) == 1
        and len(set(groups.tolist())) == 3
        and groups[5] < 0 <= groups[0]
    )
    assert groups_in(tmp_path / "none.csv", names) is None
    (tmp_path / "old.csv").write_text("file,label,part,content\np3_0.png,sick,test,00\n")
    assert groups_in(tmp_path / "old.csv", names) is None


def test_evaluate_takes_the_groups_of_the_other_table(run: Run, tmp_path: Path) -> None:
    assert f"80 images of {PATIENTS} patients" in str(
        findings(run.path, clinic(tmp_path / "other", seed=5))["accuracy"]
    )


def test_a_folder_that_does_not_say_which_belong_together_gets_no_verdict(run: Run, tmp_path: Path) -> None:
    """The training kept patients together; here nothing says who is who, and a file alone knows no more."""
    folder = noise(tmp_path / "folder", seed=9, sick=40, well=40)
    for source in (run.path, run.model_file):
        for finding in findings(source, folder).values():
            assert finding.verdict == "unknown", finding.name
        assert any("is not known here" in str(detail) for detail in findings(source, folder)["accuracy"].details)


def test_without_groups_each_image_stands_alone(tmp_path: Path) -> None:
    with quick_judge():
        alone, _ = trained(noise(tmp_path / "data", a=30, b=30))
    score = alone.findings()["accuracy"]
    assert "groups" not in str(score) and not any("belong together" in str(detail) for detail in score.details)
    found = findings(alone.path, noise(tmp_path / "more", seed=3, a=30, b=30))["classes"]
    assert not any("belong together" in str(detail) for detail in found.details)
    assert read_json(alone.path / "run.json")["grouped_by"] == ""


def test_a_score_that_may_be_of_images_that_belong_together_has_no_interval(run: Run, tmp_path: Path) -> None:
    """Counted as independent ones they would promise too much, in words and in numbers."""
    found = findings(run.path, noise(tmp_path / "folder", seed=9, sick=40, well=40))
    score, error = found["accuracy"].number("accuracy"), found["calibration"].number("calibration error")
    assert (score.low, score.high, error.low, error.high) == (None,) * 4 and "belong together" in str(
        found["calibration"]
    )
    table = found["classes"].table
    assert table is not None and all(row[4:] == [None, None] for row in table.rows)
    assert not any("95 %" in str(detail) for detail in found["accuracy"].details)


def test_evaluate_keeps_together_what_the_run_kept_together_under_any_name(tmp_path: Path) -> None:
    data = clinic(tmp_path / "data", column="ward_7")
    with quick_judge():
        run, _ = trained(data, recipe=TINY.but(groups="ward_7"))
    assert run.info().grouped_by == "ward_7"
    found = findings(run.path, clinic(tmp_path / "other", seed=5, column="ward_7"))["accuracy"]
    assert f"80 images in {PATIENTS} groups (ward_7)" in str(found)
    folder = noise(tmp_path / "folder", seed=9, sick=9, well=9)
    assert findings(run.path, folder)["accuracy"].verdict == "unknown"


def test_where_no_image_of_a_known_class_can_be_read_that_is_said(run: Run, tmp_path: Path) -> None:
    data = noise(tmp_path / "odd", other=4)
    (data / "sick").mkdir()
    for k in range(3):
        (data / "sick" / f"{k}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(DataError) as error:
        findings(run.path, data)
    assert error.value.code == "L284"


def test_the_studio_knows_the_temperature(run: Run) -> None:
    run.update(temperature={**vars(require(run.info().temperature, "temperature")), "value": 1.75})
    assert read_evidence(str(run.path)).temperature == 1.75
