"""A stranger's audit: one file and one line of the table. Everything else in the house follows."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from starlette.requests import Request

from limpide import ImageClassifier
from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.judging import registry
from limpide.judging.audit import Audit
from limpide.judging.subject import Subject
from limpide.report.html.page import html_of
from limpide.report.terminal.summary import print_report
from limpide.studio.server import Studio
from limpide.text.messages import message
from limpide.workflows.train import deadline, estimate
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder

TINY = Recipe(model="cnn", image_size=16, batch=8, epochs=1, precision="fp32")

# -- the stranger's file


def run(subject: Subject) -> Iterator[Event | Finding]:
    """Does it see bright images as it sees dark ones?"""
    evidence, squares = (yield from subject.evidence()), []
    for k in range(len(evidence.truth)):
        yield Progress(message("weighing light"), k, len(evidence.truth))
        squares.append((yield from subject.squares(np.array([k])))[1].mean())
    features = yield from subject.features()
    says = message("The stranger looked at {n} images and {width} features.", n=len(squares), width=features.shape[1])
    yield Finding("brightness", "warn", says, source="test")


def cost(facts: Facts) -> Cost:
    return Cost(7.0 + facts.test, 3e9)


# -- the stranger's line

MINE = Audit(
    "brightness",
    "Does light decide?",
    run,
    frozenset({"answers", "images", "features"}),
    cost,
    part="asking whether light decides",
    in_evaluate=False,
)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("stranger") / "shapes", per_class=12, size=(16, 16))


@pytest.fixture(autouse=True)
def a_line_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "AUDITS", (*registry.AUDITS, MINE))
    monkeypatch.setattr(estimate.timing, "time_steps", lambda *_: estimate.timing.StepTime(0.01, 0.001))


def trained(shapes: Path, runs: Path, recipe: Recipe = TINY) -> Run:
    run, dataset, _ = prepare(str(shapes), recipe, runs)
    for _event in train(run, dataset):
        pass
    return run


def audit_page(run: Run) -> dict[str, list[dict[str, str]]]:
    """What the studio hands to its Audit page."""
    scope = {"type": "http", "path_params": {"run": run.path.name}, "headers": [], "query_string": b""}
    answer = asyncio.run(Studio(run.path.parent).findings(Request(scope)))
    return json.loads(bytes(answer.body))  # type: ignore[no-any-return]


def summary(run: Run) -> str:
    shown = io.StringIO()
    print_report(run, Console(file=shown, width=200))
    return shown.getvalue()


def test_its_finding_is_wherever_findings_are(shapes: Path, tmp_path: Path) -> None:
    run = trained(shapes, tmp_path)
    says = "The stranger looked at 6 images and 256 features."
    assert str(run.finding("brightness")) == says
    assert says in summary(run)
    page = run.report_file.read_text(encoding="utf-8")
    assert says in page and says in html_of(run)
    headings = [page.index(f">{heading}<") for heading in ("A look inside", "Does light decide?", "The images")]
    assert headings == sorted(headings), "in the order of the table, under the question that a person asks"
    told = audit_page(run)
    (own,) = (one for one in told["findings"] if one["name"] == "brightness")
    assert own["title"] == "Does light decide?" and own["text"] == says and not told["not_run"]
    assert list(ImageClassifier.load(run.path).audit())[:9] == [
        one.name for one in registry.AUDITS if not one.needs & {"good parts", "rare class"}
    ]
    quote = run.info().quote
    assert quote is not None and quote.audits["brightness"] == 13.0 and quote.memory >= 3e9
    assert quote.seconds > 13 + sum(quote.audits[name] for name in ("simpler", "inside", "shortcut"))


def test_without_time_it_is_not_run_and_that_is_said(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "now", lambda: 0.0)
    run = trained(shapes, tmp_path, TINY.but(time=12))
    assert run.finding("brightness") is None and run.finding("inside") is not None, "the quicker ones find their time"
    assert run.info().left_out == ("simpler models", "asking whether light decides"), "the first leaves room for others"
    assert "asking whether light decides" in str(run.finding("left_out"))
    assert "asking whether light decides" in summary(run)
    assert "asking whether light decides" in run.report_file.read_text(encoding="utf-8")
    waits = audit_page(run)["not_run"]
    assert [one["name"] for one in waits] == ["simpler", "brightness"]
    assert waits[1] == {"name": "brightness", "title": "Does light decide?", "why": "There was no time for it."}
    assert "brightness" not in ImageClassifier.load(run.path).audit()


def test_before_its_turn_the_page_says_that_it_waits(shapes: Path, tmp_path: Path) -> None:
    run, dataset, _ = prepare(str(shapes), TINY, tmp_path)
    events = train(run, dataset)
    next(event for event in events if run.finding("simpler") is not None)
    events.close()  # type: ignore[attr-defined]
    waiting = audit_page(run)["not_run"]
    assert [one["name"] for one in waiting] == ["shortcut", "inside", "brightness"]
    assert all(one["why"].startswith("Its turn has not come yet") for one in waiting)
    assert json.loads((run.path / "run.json").read_text())["phase"] == "judge"


def test_what_is_kept_is_not_run_again(shapes: Path, tmp_path: Path) -> None:
    """Finding by finding: a judging that was cut short goes on with the next."""
    run, dataset, _ = prepare(str(shapes), TINY, tmp_path)
    events = train(run, dataset)
    next(event for event in events if run.finding("inside") is not None)
    events.close()  # type: ignore[attr-defined]
    before = {file.name: file.stat().st_mtime_ns for file in (run.path / "findings").iterdir()}
    again, dataset, continued = prepare(str(shapes), TINY, tmp_path)
    for _event in train(again, dataset):
        pass
    after = {file.name: file.stat().st_mtime_ns for file in (run.path / "findings").iterdir()}
    assert continued and all(after[name] == before[name] for name in before)
    assert after.keys() - before.keys() == {"shortcut.json", "brightness.json", "cost.json"}


def light(subject: Subject) -> Iterator[Event | Finding]:
    evidence = yield from subject.evidence()
    _, squares = yield from subject.squares(np.arange(len(evidence.truth)))
    yield Finding("light", "ok", message("Their grey level is {level}.", level=int(squares.mean())))


def test_other_images_are_asked_the_same_where_it_needs_no_network(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, dataset, _ = prepare(str(shapes), TINY, tmp_path / "runs")
    for _event in train(run, dataset, judge=False):
        pass
    clf = ImageClassifier.load(run.path)
    other = photo_folder(tmp_path / "other", per_class=4, size=(16, 16), seed=9)
    mine = Audit("light", "How bright are they?", light, frozenset({"answers", "images"}))
    monkeypatch.setattr(registry, "AUDITS", (*registry.AUDITS, mine))
    assert str(clf.audit(other)["light"]).startswith("Their grey level is ")
    assert list(clf.audit(other)) == ["accuracy", "classes", "confusion", "mistakes", "calibration", "light"]
    assert clf.evaluate(other).name == "accuracy"
