"""Answers about many images at once: features, the map of the data, and how far a long question is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from limpide.core.errors import RunError
from limpide.core.run import Run
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.many_images import features_of_images
from limpide.inspector.progress import Cancelled, Progress
from limpide.inspector.session import Session
from limpide.interpret.embedding import align_to, flat_map
from limpide.interpret.saliency import METHODS
from tests.inspector.ask import ask


def test_answers_are_of_these_weights_and_this_image(session: Session, run: Run) -> None:
    """However often others were looked at in between: a freed network's place in memory is taken by the next."""
    rows = np.arange(20)
    few = Session()
    few.networks.max_bytes = few.traces.max_bytes = 1  # nothing is kept
    steps = [str(step) for step in run.kept()]
    for _ in range(3):
        for snapshot in (*steps, "best"):
            fresh = features_of_images(Session(), str(run.path), snapshot, rows)
            assert np.array_equal(features_of_images(few, str(run.path), snapshot, rows).features, fresh.features), (
                snapshot
            )
    one, two = (ask(session, run, "prediction", image=ImageReference(row=3, turn=turn))["top"] for turn in (-1.0, -2.0))
    assert two == ask(Session(), run, "prediction", image=ImageReference(row=3, turn=-2.0))["top"] != one


def test_a_run_of_the_same_name_is_another_run(tmp_path: Path, run: Run, trained: Path) -> None:
    shutil.copytree(run.path, tmp_path / "runs" / "a-001")
    copy, session = Run(tmp_path / "runs" / "a-001"), Session()
    copy.update(location=str(trained.parent / "photos"))
    before = [
        ask(session, copy, what, **values)
        for what, values in (("groups", {"by": "brightness"}), ("alike", {"distance": 64}), ("embedding", {}))
    ]
    lines = copy.split_file.read_text().splitlines()
    copy.split_file.write_text("\n".join(lines[:41]) + "\n")
    with pytest.raises(RunError, match=r"complete rows: 40 instead of 80.*\[L517\]"):
        ask(Session(), copy, "embedding")
    copy.update(split_rows=40)
    stored = dict(np.load(copy.predictions / "test.npz"))
    np.savez(copy.predictions / "test.npz", **{name: values[:9] for name, values in stored.items()})
    after = [
        ask(session, copy, what, **values)
        for what, values in (("groups", {"by": "brightness"}), ("alike", {"distance": 64}), ("embedding", {}))
    ]
    assert before[0]["of"] > after[0]["of"] == 9 and after[1]["of"] == 40 and len(after[2]["rows"]) == 40


def test_probabilities_of_many_are_calibrated_as_those_of_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    before = ask(session, run, "embedding")["probability"]  # a run is calibrated after its weights are there
    monkeypatch.setattr(session, "temperature", lambda *_: 3.0)
    found = ask(session, run, "embedding")
    one = ask(session, run, "prediction", image=ImageReference(row=found["rows"][5]))
    assert one["top"][0]["probability"] == pytest.approx(found["probability"][5], abs=1e-3)
    assert found["probability"] != ask(Session(), run, "embedding")["probability"] == before


def test_the_map_of_other_weights_lies_on_that_of_the_final_ones(session: Session, run: Run) -> None:
    rows = np.array(ask(session, run, "embedding")["rows"])
    best, early = (
        flat_map(features_of_images(session, str(run.path), snapshot, rows).features)[0] for snapshot in ("best", "2")
    )
    assert np.allclose(ask(session, run, "embedding", snapshot="2")["places"], align_to(early, best), atol=1e-3)
    assert np.allclose(ask(session, run, "embedding")["places"], best, atol=1e-3)


def test_the_map_says_what_each_image_is_and_is_called(session: Session, run: Run) -> None:
    for snapshot in ("best", "0"):
        found = ask(session, run, "embedding", snapshot=snapshot)
        assert len(found["places"]) == len(found["rows"]) == len(found["predicted"]) == 80 and 0 < found["kept"] <= 1
        one = ask(session, run, "prediction", snapshot=snapshot, image=ImageReference(row=found["rows"][5]))
        assert one["top"][0]["class"] == found["predicted"][5] and one["truth"] == found["labels"][5]
        assert one["top"][0]["probability"] == pytest.approx(found["probability"][5], abs=1e-3)
    with pytest.raises(LookupError, match="pca, tsne"):
        ask(session, run, "embedding", method="astrology")


OF_CLASSES = [method for method in METHODS if method != "distance"]  # which is of models of good parts
LONG = [
    *(("saliency", {"image": ImageReference(row=5), "label": 1, "method": method}) for method in OF_CLASSES),
    *(("sanity", {"image": ImageReference(row=5), "label": 1, "method": method}) for method in OF_CLASSES),
    ("embedding", {}),
    ("shortcut", {}),
    ("alike", {"distance": 9}),
    ("groups", {"by": "brightness"}),
    ("strongest", {"key": "head", "channel": 0, "among": 40}),
    ("maximized", {"key": "features.0.0", "channel": 0}),
]


def test_whoever_waits_is_told_how_far_a_long_question_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limpide.inspector.progress.PROGRESS_SECONDS", 0.0)
    told: list[tuple[int, int, str]] = []
    session = Session(Progress(report=lambda *far: told.append(far)))
    first = next(
        op["key"] for op in ask(session, run, "anatomy", image=ImageReference(row=5))["ops"] if op["name"] == "conv2d"
    )
    for what, values in LONG:
        told.clear()
        ask(session, run, what, **{name: first if name == "key" else value for name, value in values.items()})
        assert told, what
        done, totals = [k for k, _, _ in told], {n for _, n, _ in told}
        assert done == sorted(done) and len(totals) == 1 and len({unit for _, _, unit in told}) == 1, (what, told)
        assert (told[0][2] == "images") == (what in ("embedding", "alike", "groups", "strongest")), what
        assert what != "embedding" or max(totals) == 80, "so many images as the run has"
        least = 0.3 if what == "shortcut" else 0.7  # classes of which too few are named right are not looked at
        assert least * max(totals) <= done[-1] <= max(totals), f"{what}: it ends where it said it would, {told[-1]}"
    told.clear()
    ask(session, run, "prediction", image=ImageReference(row=6))
    assert told == [], "what is answered at once says nothing"


def counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Images of each look from now on that was not given up."""
    looks: list[int] = []
    advance = session.progress.advance

    def count(images: int) -> None:
        advance(images)
        looks.append(images)

    monkeypatch.setattr(session.progress, "advance", count)
    return looks


def test_a_question_that_was_given_up_goes_on_where_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limpide.inspector.many_images.PIECE", 8)
    left: list[bool] = []
    session = Session(Progress(lambda: bool(left) and left.pop()))
    looks = counted(session, monkeypatch)
    rows = np.arange(40)
    whole = features_of_images(Session(), str(run.path), "best", rows)
    left[:] = [True] + [False] * 30  # within the fourth piece
    with pytest.raises(Cancelled):
        features_of_images(session, str(run.path), "best", rows)
    before = sum(looks)
    found = features_of_images(session, str(run.path), "best", rows)
    assert np.array_equal(found.rows, whole.rows) and np.allclose(found.features, whole.features, atol=1e-5)
    assert before > 3 * 16 and sum(looks) == before + 2 * 16, "three pieces were finished, and are not looked at again"
    looks.clear()
    features_of_images(session, str(run.path), "best", rows)
    assert looks == []
    for what, values in (("alike", {"distance": 9}), ("groups", {"by": "brightness"})):
        left[:] = [True] + [False] * 10  # within the second piece
        with pytest.raises(Cancelled):
            ask(session, run, what, **values)
        before = sum(looks)
        ask(session, run, what, **values)
        assert before == 10 and sum(looks) == before - 2 + (80 if what == "alike" else 16) - 8 + 2, what
        looks.clear()
    whole, once = ask(session, run, "shortcut"), len(looks)
    again = Session(Progress(lambda: bool(left) and left.pop()))
    left[:] = [True] + [False] * (once - 2)  # in the last class
    with pytest.raises(Cancelled):
        ask(again, run, "shortcut")
    done = counted(again, monkeypatch)
    assert ask(again, run, "shortcut") == whole and 0 < len(done) < once / 2
