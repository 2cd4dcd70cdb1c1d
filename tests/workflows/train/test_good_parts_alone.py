"""Good plates and hardly any scratched one: an ordinary training, and whether good parts alone would do as well."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from limpide.audit.good_parts_alone import NAME, good_parts_alone_finding
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.judging import good_parts_alone
from limpide.judging.fold_heads import FoldHeads
from limpide.judging.registry import not_run
from limpide.judging.run_subject import subject_of_run
from limpide.report.html.page import html_of
from limpide.training import good_parts
from limpide.workflows.train.training import prepare, train
from tests.make_parts import part_folder
from tests.quick_judge import quick_judge

RECIPE = Recipe(model="efficientnet_lite0", device="cpu", folds=2, freeze="head", view="auto", flip="no")
GOOD, RARE = 44, 4


@pytest.fixture(scope="module")
def place(once: Any) -> Path:
    """`plates`, and `runs` with a training on them whose judging asked nothing that takes long."""

    def make(folder: Path) -> None:
        part_folder(folder / "plates", {"good": GOOD, "scratch": RARE})
        run, dataset, _ = prepare(str(folder / "plates"), RECIPE, folder / "runs")
        with quick_judge():
            list(train(run, dataset, images=False))

    return once("hardly any scratch", make)  # type: ignore[no-any-return]


@pytest.fixture
def run(place: Path, tmp_path: Path) -> Run:
    shutil.copytree(place / "runs", tmp_path / "runs")
    return Run.all_in(tmp_path / "runs")[0]


def test_each_image_is_held_against_good_parts_of_the_other_fold(
    place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[set[int], set[int]]] = []

    def describe(describer: Any, rows: np.ndarray, each: int) -> Any:
        asked.append((set(rows.tolist()), set()))
        return (yield from original_describe(describer, rows, each))

    def scores_of(model: Any, describer: Any, rows: np.ndarray, of: Any) -> Any:
        asked[-1][1].update(rows.tolist())
        yield from original_scores(model, describer, rows, of)

    original_describe, original_scores = good_parts.describe, good_parts.scores_of
    monkeypatch.setattr(good_parts, "describe", describe)
    monkeypatch.setattr(good_parts, "scores_of", scores_of)
    _, dataset, _ = prepare(str(place / "plates"), RECIPE, run.path.parent / "unused")
    subject = subject_of_run(run, dataset, np.ones(GOOD + RARE, np.uint8), None, lambda *_: True)  # type: ignore[arg-type]
    assert {"rare class"} <= subject.offers
    found: list[Event | Finding] = list(good_parts_alone.run(subject))
    finding = found[-1]
    assert isinstance(finding, Finding) and finding.name == NAME and finding.source == "folds"
    heads = FoldHeads.load(run)
    for learned, judged in asked:
        own = {int(heads.fold[heads.rows == row][0]) for row in judged}
        assert len(own) == 1 and learned <= set(range(GOOD)), "of the good class alone"
        assert not own & {int(heads.fold[heads.rows == row][0]) for row in learned}
    assert set().union(*(judged for _, judged in asked)) == set(heads.rows.tolist())
    alone, network = (finding.number(f"area under the ROC curve, {of}") for of in ("good parts alone", "the network"))
    assert alone.value > 0.9, "scratches on plates are what it is made for"
    with np.load(run.predictions / "test.npz") as stored:
        theirs = roc_auc_score(stored["truth"], stored["probabilities"][:, 1])
    assert network.value == pytest.approx(theirs) and network.n == GOOD + RARE
    run.add_finding(finding)
    assert "Would good parts alone do?" in html_of(run)


def test_it_is_asked_only_where_a_class_is_rare(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    info = run.info()
    assert info.has_rare_class and any(one.audit.name == NAME for one in not_run(info, run.findings()))
    run.update(recipe=dict(info.recipe) | {"balance": "no"})
    assert not any(one.audit.name == NAME for one in not_run(run.info(), run.findings()))
    _, dataset, _ = prepare(str(place / "plates"), RECIPE, run.path.parent / "unused")
    parts = np.ones(GOOD + RARE, np.uint8)
    assert "rare class" not in subject_of_run(run, dataset, parts, None, lambda *_: True).offers  # type: ignore[arg-type]


class Judged:
    """What the finding reads of evidence."""

    def __init__(self, network: np.ndarray, truth: np.ndarray) -> None:
        self.truth, self.majority, self.classes, self.groups, self.source = truth, 0, ("good", "scratch"), None, "test"
        self.probabilities = np.stack([1 - network, network], 1)


@pytest.mark.parametrize(
    ("network", "alone", "verdict", "says"),
    [
        (0.0, 3.0, "warn", "Learn good parts alone: limpide train plates --good good"),
        (3.0, 0.0, "ok", "The network recognises scratch better than the distance to good alone"),
        (1.0, 1.0, "unknown", "12 images of scratch cannot tell"),
    ],
)
def test_the_sentence_follows_from_both_areas(network: float, alone: float, verdict: str, says: str) -> None:
    truth, random = (np.arange(150) < 12).astype(int), np.random.default_rng(1)
    scores = [1 / (1 + np.exp(-random.normal(size=150) - distance * truth)) for distance in (network, alone)]
    judged = Judged(scores[0], truth)
    finding = good_parts_alone_finding(judged, np.arange(150), scores[1], "plates")  # type: ignore[arg-type]
    assert finding.verdict == verdict and says in str(finding.message)
    numbers = [number.value for number in finding.numbers]
    assert numbers == pytest.approx([roc_auc_score(truth, one) for one in scores])
