"""A training on good parts alone: what it refuses, what it promises, and that it finds defects it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from limpide.core.errors import LimpideError
from limpide.core.events import Judged
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.deploy.predictor import Predictor
from limpide.report.html.page import html_of
from limpide.training.weights import trained_network
from limpide.workflows.evaluate import evaluate
from limpide.workflows.explain import explain
from limpide.workflows.train.training import prepare, train
from tests.make_parts import DEFECTS, part_folder
from tests.workflows.train.killing import Job, chain, exists, job_of, phase, uninterrupted

SIDE = 160  # pixels: on smaller ones a scratch is lost
SMALL = Recipe(image_size=96, device="cpu")


def trained(data: Path, runs: Path, recipe: Recipe = SMALL) -> Run:
    run, dataset, _ = prepare(str(data), recipe, runs)
    for _ in train(run, dataset, images=False):
        pass
    return run


def refusal(data: Path, recipe: Recipe = SMALL) -> LimpideError:
    with pytest.raises(LimpideError) as raised:
        trained(data, data.parent / "runs", recipe)
    return raised.value


def parts_of(run: Run) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for row in read_split(run.split_file):
        counts[row["label"], row["part"]] = counts.get((row["label"], row["part"]), 0) + 1
    return counts


@pytest.fixture(scope="module")
def place(once: Any) -> Path:
    """Plates, most of them good, and the run that learned from these: `plates`, `runs`."""

    def make(folder: Path) -> None:
        part_folder(folder / "plates", {"good": 60, **dict.fromkeys(DEFECTS, 6)}, side=SIDE)
        trained(folder / "plates", folder / "runs", SMALL.but(good="good", image_size=SIDE))

    return once("good parts", make)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return Run.all_in(place / "runs")[0]


@pytest.fixture(scope="module")
def few(once: Any) -> Run:
    """Learned from 24 plates that lie in no folder."""

    def make(folder: Path) -> None:
        part_folder(folder, {"plates": 24}, side=96, seed=1)
        trained(folder / "plates", folder / "runs")

    return Run.all_in(once("few good parts", make) / "runs")[0]


def test_good_parts_are_shared_out_and_every_defect_judges(run: Run) -> None:
    found = parts_of(run)
    assert found["good", "test"] == 12 and found["good", "train"] == found["good", "calibration"] == 24
    assert all(found[name, "test"] == 6 and (name, "train") not in found for name in DEFECTS)
    assert run.info().good == "good" and run.info().classes == ("good", "defect")


def test_it_finds_defects_that_it_never_saw(run: Run, place: Path) -> None:
    """And the area under the curve is that of scikit-learn on the scores of the sealed file."""
    finding = run.findings()["defects"]
    assert finding.verdict == "ok" and "12 good parts it had not seen" in str(finding)
    area, escapes = finding.number("area under the ROC curve"), finding.number("escapes")
    assert area.value > 0.9 and area.low is not None and area.low > 0.5 and escapes.n == 18 and escapes.value < 0.5
    predictor = Predictor(run.model_file)
    rows = [row for row in read_split(run.split_file) if row["part"] == "test"]
    images = [predictor.decode((place / "plates" / row["file"]).read_bytes()) for row in rows]
    scores = [one.score for one in predictor.strangeness(images)]
    truth = [row["label"] != "good" for row in rows]
    assert area.value == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)
    assert escapes.value == np.mean([score <= 1 for score, defect in zip(scores, truth, strict=True) if defect])
    assert finding.table and [row[0] for row in finding.table.rows] == ["good", *sorted(DEFECTS)]


def test_the_threshold_is_that_of_the_calibration_part(run: Run, place: Path) -> None:
    """By another way: the scores that the sealed file gives to these images."""
    predictor = Predictor(run.model_file)
    rows = [row["file"] for row in read_split(run.split_file) if row["part"] == "calibration"]
    images = [predictor.decode((place / "plates" / file).read_bytes()) for file in rows]
    scores = sorted(one.score for one in predictor.strangeness(images))
    k = int(np.ceil(25 * 0.95)) - 1
    assert scores[k] == pytest.approx(1.0, abs=1e-3)
    assert predictor.detection and predictor.detection.scores == pytest.approx(scores, abs=1e-3)
    assert predictor.detection.false_alarms == 0.05
    assert run.findings()["threshold"].number("promised false alarms").value == 0.05
    assert run.findings()["export"].verdict == "ok"


def test_audits_of_classes_are_not_asked(run: Run) -> None:
    assert not run.findings().keys() & {"accuracy", "calibration", "simpler", "confusion", "shortcut"}
    page = html_of(run)
    assert "it had not seen" in page and "This run has no score yet" not in page
    assert run.model_file.stat().st_size < 15_000_000


def test_evaluate_counts_every_other_class_as_a_defect(run: Run, tmp_path: Path) -> None:
    data = part_folder(tmp_path / "new", {"good": 10, "stain": 3, "bent": 2}, side=SIDE, seed=7)
    events = evaluate(str(run.path), str(data))
    findings = {event.finding.name: event.finding for event in events if isinstance(event, Judged)}
    assert set(findings) == {"defects"}
    assert findings["defects"].number("escapes").n == 5 and findings["defects"].number("false alarms").n == 10
    (data / "good").rename(data / "fine")
    with pytest.raises(LimpideError) as raised:
        list(evaluate(str(run.path), str(data)))
    assert raised.value.code == "L243"


def test_the_map_points_at_the_defect(run: Run) -> None:
    from limpide.explanation.saliency_evidence import evidence_of
    from limpide.training.batches import as_tensor
    from tests.make_parts import plate

    model, preprocessing = trained_network(run)
    square = preprocessing.pixels(plate("", np.random.default_rng(3))).copy()
    square[64:84, 50:70] = (200, 60, 40)
    (*_, evidence) = evidence_of(model, as_tensor(square[None], preprocessing), 1)
    assert isinstance(evidence, list) and [one.method for one in evidence] == ["distance"]
    plane = evidence[0].plane
    assert plane is not None and plane.shape == (SIDE, SIDE)
    y, x = np.unravel_index(plane.argmax(), plane.shape)
    assert 56 <= y < 92 and 42 <= x < 78


def test_explain_says_how_strange(run: Run, place: Path) -> None:
    says = str(explain(str(run.path), str(place / "plates" / "stain" / "000.png"))["prediction"])
    assert "times the threshold" in says and "probability" not in says


def test_few_are_all_learned_from_and_held_against_each_other(few: Run) -> None:
    assert parts_of(few) == {("good", "train"): 24}
    assert {row["fold"] for row in read_split(few.split_file)} == set("01234")
    findings = few.findings()
    assert "in 5 folds" in str(findings["threshold"]) and findings["threshold"].source == "folds"
    assert findings["defects"].verdict == "unknown" and "none was shown" in str(findings["defects"])
    detection = Predictor(few.model_file).detection
    assert detection and len(detection.scores) == 24 and max(detection.scores) > 0.999
    assert few.info().status == "finished"


def test_two_kinds_are_said(tmp_path: Path) -> None:
    data = part_folder(tmp_path / "plates", {"good": 16}, side=96)
    part_folder(tmp_path / "other", {"good": 12}, side=96, holes=2, seed=5)
    for file in (tmp_path / "other" / "good").iterdir():
        file.rename(data / "good" / f"b{file.name}")
    kinds = trained(data, tmp_path / "runs").findings()["kinds"]
    assert kinds.verdict == "warn" and "b000.png" in str(kinds)


def test_one_kind_is_no_warning(run: Run, few: Run) -> None:
    assert run.findings()["kinds"].verdict == few.findings()["kinds"].verdict == "ok"


def test_mistakes_are_said_in_one_line(tmp_path: Path) -> None:
    data = part_folder(tmp_path / "plates", {"good": 12}, side=32)
    assert refusal(data, SMALL.but(epochs=3)).code == "L170"
    assert refusal(data, SMALL.but(model="cnn")).code == "L170"
    error = refusal(data, SMALL.but(false_alarms=0.01))
    assert error.code == "L171" and "12 found, 99 needed" in str(error) and "99" in str(error) and "0.077" in str(error)
    part_folder(data, {"stain": 3}, side=32)
    assert refusal(data, SMALL.but(good="god")).code == "L173" and "--good good" in str(
        refusal(data, SMALL.but(good="god"))
    )
    assert refusal(data, SMALL.but(false_alarms=0.1)).code == "L174"
    small = part_folder(tmp_path / "small", {"good": 5}, side=32)
    error = refusal(small)
    assert error.code == "L299" and len(str(error).splitlines()) == 1


def test_a_classifier_learns_no_good_parts_alone(tmp_path: Path) -> None:
    from limpide import ImageClassifier

    data = part_folder(tmp_path / "plates", {"good": 3}, side=32)
    for choices, code in (({"good": "good"}, "L172"), ({"false_alarms": 0.1}, "L172"), ({}, "L204")):
        with pytest.raises(LimpideError) as raised:
            ImageClassifier(runs=str(tmp_path / "runs"), **choices).fit(str(data))  # type: ignore[arg-type]
        assert raised.value.code == code


def test_the_layout_of_mvtec_is_meant_so(tmp_path: Path) -> None:
    data = part_folder(tmp_path / "bottle" / "train", {"good": 20}, side=32).parent
    part_folder(data / "test", {"good": 4, "stain": 3}, side=32, seed=3)
    run, dataset, _ = prepare(str(data), SMALL, tmp_path / "runs")
    assert run.info().good == "good" and dataset.classes[0] == "good" and dataset.of_good_parts


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    cwd = tmp_path_factory.mktemp("killed")
    folder = part_folder(cwd / "plates", {"good": 24, "stain": 3}, side=32)
    options: tuple[object, ...] = ("--good", "good", "--image-size", 64)
    uninterrupted(folder, options, cwd)
    return job_of("good parts", folder, options, cwd)


def test_killed_at_any_phase_the_same_run_comes_out(job: Job, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    hit = chain(job, [phase("split"), phase("first"), exists("runs/*/model.onnx"), phase("judge")], runs)
    assert {"split", "first"} <= set(hit)


def test_the_record_replays(run: Run) -> None:
    recipe = Recipe.from_json(json.loads((run.path / "run.json").read_text())["recipe"])
    assert recipe.model == "good_parts" and recipe.good == "good" and recipe.false_alarms == 0.05


def test_the_studio_answers_what_it_asks_of_every_run(run: Run) -> None:
    from limpide.inspector.image_reference import ImageReference
    from limpide.inspector.session import Session
    from tests.inspector.ask import ask

    session = Session()
    found = ask(session, run, "prediction", image=ImageReference(probe=0))
    assert found["truth"] == "good" and found["score"] == pytest.approx(1.0, abs=0.6)
    rows = list(read_split(run.split_file))
    scratch = next(k for k, row in enumerate(rows) if row["label"] == "scratch")
    assert ask(session, run, "prediction", image=ImageReference(row=scratch))["truth"] == "defect"
    assert len(ask(session, run, "predictions")["predicted"]) == 24
    assert ask(session, run, "saliency", image=ImageReference(probe=0), method="distance", label=1) == {}
    assert ask(session, run, "sanity", image=ImageReference(probe=0), method="distance", label=1)["finding"]
    assert ask(session, run, "worst")["total"] == 30
