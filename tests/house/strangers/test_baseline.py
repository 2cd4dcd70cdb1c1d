"""A stranger's baseline: one file and one line of the table. Comparison, kept answers, quote and memory follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from limpide.baselines import registry
from limpide.baselines.baseline import Allowance, Baseline, BaselineData, Budget, Scores, Sizes, Work
from limpide.baselines.compare import budget_of
from limpide.baselines.cost import cost
from limpide.baselines.fitting import fit_allowed, in_thread, score
from limpide.baselines.verdict import LimitsMet, baselines_finding
from limpide.core.cost import Facts
from limpide.core.events import Progress
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.report.html.page import html_of
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder

TINY = Recipe(model="cnn", image_size=16, batch=8, epochs=1, precision="fp32")

# -- the stranger's file


class Brightness:
    """The class whose training images are as bright."""

    def __init__(self, x: np.ndarray, labels: np.ndarray) -> None:
        self.classes = np.unique(labels)
        self.means = np.array([x[labels == k].mean() for k in self.classes])

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.classes[np.abs(x.mean(1)[:, None] - self.means).argmin(1)])


def fit(data: BaselineData, allowance: Allowance) -> Scores | None:
    x, labels = data.pixels, data.labels
    found = fit_allowed(labels, lambda rows: Brightness(x[rows], labels[rows]), allowance)
    return found and score(found, data.test, kept=8 * len(found.model.classes))


def images(sizes: Sizes, budget: Budget) -> float:
    return 40


def work(facts: Facts, sizes: Sizes, n: int) -> Work:
    return Work(n * facts.multiply_adds_a_second, bytes=4e9, seconds=0.5)


# -- the stranger's line

MINE = Baseline("brightness", "the nearest mean brightness", in_thread(fit), images, work)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BASELINES", (*registry.BASELINES, MINE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos") / "shapes", per_class=20, size=(16, 16))


def trained(folder: Path, runs: Path, recipe: Recipe) -> Iterator[Progress | Run]:
    run, dataset, _ = prepare(str(folder), recipe, runs)
    yield from (event for event in train(run, dataset, images=False) if isinstance(event, Progress))
    yield run


def test_it_is_compared_kept_and_shown(table: None, folder: Path, tmp_path: Path) -> None:
    *phases, run = trained(folder, tmp_path, TINY)
    assert isinstance(run, Run)
    assert "trying simpler models: the nearest mean brightness" in {str(phase.phase) for phase in phases}  # type: ignore[union-attr]
    finding = run.finding("simpler")
    assert finding and finding.table
    row = next(row for row in finding.table.rows if str(row[0]) == "the nearest mean brightness")
    with np.load(run.predictions / "rivals.npz", allow_pickle=False) as kept:
        right = kept["right"][kept["models"].tolist().index("brightness")]
    assert row[1] == (right == 1).mean() and row[4:6] == [len(right), 40] and row[8] == 8 * 3
    assert any("Training images of the nearest mean brightness: 40 of 42" in str(line) for line in finding.details)
    assert "the nearest mean brightness" in html_of(run)


def test_where_its_time_is_too_short_it_is_named() -> None:
    model = MINE.compared(Scores(np.ones(12, bool), np.arange(12), 42, 0.1))
    details = baselines_finding(model, [model], LimitsMet(42, 1.0, late=[MINE], left_out=[MINE])).details
    said = [str(line) for line in details]
    assert "There was no time for the nearest mean brightness." in said
    assert any("the nearest mean brightness could not be fitted" in line for line in said)


def test_the_quote_counts_its_seconds_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts(train=42, test=12, classes=3, size=16, multiply_adds_a_second=1e10)
    before, limited = cost(facts), cost(Facts(**vars(facts) | {"asked": 1.0}))
    monkeypatch.setattr(registry, "BASELINES", (*registry.BASELINES, MINE))
    assert cost(facts).seconds == pytest.approx(before.seconds + 40 + 0.5)
    within = cost(Facts(**vars(facts) | {"asked": 1.0})).seconds
    assert within == pytest.approx(limited.seconds + (budget_of(1.0).seconds or 0) + 0.5)
    assert cost(facts).bytes > 4e9 > before.bytes
