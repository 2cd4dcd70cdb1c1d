"""With --time the network is chosen by what fits, the least is said before the work begins, and neither is asked of the
clock twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from limpide.core.cost import Facts, FrozenFacts
from limpide.core.events import Event, Note, Progress
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.read_images import ImageSample
from limpide.models import pretrained
from limpide.report.html import page
from limpide.training.defaults import decide_recipe
from limpide.workflows.train import deadline, first_model, minimum_time, seal
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.training import prepare, train
from tests.make_images import photo_folder


@pytest.fixture(scope="module")
def photos32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("least") / "shapes", per_class=6, size=(32, 32))


def takes(monkeypatch: pytest.MonkeyPatch, known: float, fresh: float) -> None:
    def seconds(_job: TrainContext, recipe: Recipe) -> float:
        return known if pretrained(recipe) else fresh

    monkeypatch.setattr(minimum_time, "minimum_seconds", seconds)


def until(run_and_data: tuple[Run, object, bool], there: Callable[[Event], bool]) -> tuple[Run, list[Event]]:
    """The events up to the first of these, and the run, which is left as a killed process would leave it."""
    run, dataset, _ = run_and_data
    found: list[Event] = []
    events = train(run, dataset)  # type: ignore[arg-type]
    for event in events:
        found.append(event)
        if there(event):
            break
    events.close()  # type: ignore[attr-defined]
    return run, found


def reading(event: Event) -> bool:
    return isinstance(event, Progress) and str(event.phase) == "reading images"


def said(events: list[Event], topic: str) -> list[str]:
    return [
        str(event.message).replace("\N{NO-BREAK SPACE}", " ")
        for event in events
        if isinstance(event, Note) and event.topic == topic
    ]


@pytest.mark.parametrize(
    ("known", "fresh", "model", "size"),
    [(250.0, 20.0, "cnn", 32), (80.0, 20.0, "efficientnet_lite0", 128), (250.0, 260.0, "efficientnet_lite0", 128)],
    ids=["would take four times as long", "fits into one and a half times", "nothing is quicker"],
)
def test_what_cannot_be_looked_through_in_time_is_not_chosen(
    photos32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: float, fresh: float, model: str, size: int
) -> None:
    takes(monkeypatch, known, fresh)
    run, events = until(prepare(str(photos32), Recipe(time=60), tmp_path), reading)
    assert (run.info().recipe["model"], run.info().recipe["image_size"]) == (model, size)
    why = next(text for text in said(events, "decision") if text.startswith("model "))
    assert ("takes at least 4 min 10 s here" in why) == (model == "cnn")
    told = said(events, "quote")
    assert bool(told) == (model != "cnn"), "what fits needs no word"
    assert all(text.startswith("the minimum is about ") and "1 min" in text for text in told)


def test_a_network_that_was_asked_for_is_kept(photos32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    takes(monkeypatch, 250.0, 20.0)
    run, events = until(prepare(str(photos32), Recipe(time=60, model="efficientnet_lite0"), tmp_path), reading)
    assert run.info().recipe["model"] == "efficientnet_lite0" and len(said(events, "quote")) == 1


def test_the_choice_is_made_once(photos32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    takes(monkeypatch, 250.0, 20.0)
    first, before = until(prepare(str(photos32), Recipe(time=10), tmp_path), reading)
    takes(monkeypatch, 1.0, 20.0)
    again, dataset, continued = prepare(str(photos32), Recipe(time=10), tmp_path)
    assert continued
    again, after = until(
        (again, dataset, True), lambda event: isinstance(event, Progress) and str(event.phase) == "checking the images"
    )
    assert again.path == first.path and again.info().recipe["model"] == "cnn"
    notes = [str(event.message) for event in again.events() if isinstance(event, Note)]
    assert len(notes) == len(set(notes)) and any("takes at least 4" in text for text in notes), "said once, and kept"
    assert said(before, "quote") and not said(after, "quote")


def test_without_a_time_nothing_is_timed_for_it(
    photos32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(_job: TrainContext, _recipe: Recipe) -> float:
        raise AssertionError("the clock has no say")

    monkeypatch.setattr(minimum_time, "minimum_seconds", seconds)
    run, _ = until(prepare(str(photos32), Recipe(), tmp_path), reading)
    assert run.info().recipe["model"] == "efficientnet_lite0"


def test_the_least_is_reading_the_first_model_and_the_score(
    photos32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, with a second to decode an image and a tenth of one to name it, seven seconds after the work began."""
    monkeypatch.setattr(minimum_time, "decoding_seconds", lambda *_: 1.0)
    monkeypatch.setattr(minimum_time, "_image_seconds", lambda *_: (0.1, 1_000_000))
    monkeypatch.setattr(deadline, "now", lambda: 7.0)
    run, dataset, _ = prepare(str(photos32), Recipe(time=60), tmp_path)
    job = TrainContext(run, dataset, 0.0, True, False, run.info())
    job.seen = ImageSample(32, False)
    n = len(dataset)
    score = minimum_time.score_seconds(Facts(test=round(0.2 * n), decoding_seconds=1.0, image_seconds=0.1))
    noted = (n - round(0.2 * n)) * 0.1  # the images that the statistics of the file are of: so few are all looked at
    assert score == pytest.approx(seal.SECONDS + page.SECONDS + round(0.2 * n) * 1.13)
    fresh, _ = decide_recipe(Recipe(model="cnn"), job.seen, n)
    known, _ = decide_recipe(Recipe(folds=0), job.seen, n)
    few, _ = decide_recipe(Recipe(), job.seen, n)
    assert minimum_time.minimum_seconds(job, fresh) == pytest.approx(7 + n + noted + score)
    assert minimum_time.minimum_seconds(job, known) == pytest.approx(
        7 + n + 0.1 * n + first_model.SECONDS + noted + score
    )
    classes = len(dataset.classes)
    in_folds = Facts(
        train=n,
        test=n,
        classes=classes,
        decoding_seconds=1.0,
        image_seconds=0.1,
        frozen=FrozenFacts(224, 0.1, n),
        folds=5,
    )
    later = 2 * 0.1 * n + n * classes * first_model.FOLD_SECONDS + first_model.SECONDS
    later += minimum_time.score_seconds(in_folds)
    assert minimum_time.minimum_seconds(job, few) == pytest.approx(7 + n + later), "each is looked at twice"
    for _event in train(run, dataset):
        if run.info().phase == "check":
            break
    assert minimum_time.minimum_seconds(job, few) == pytest.approx(7 + later), "what is decoded already takes no time"
