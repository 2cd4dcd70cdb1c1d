"""Answers about the test set: mistakes, cells, groups, and a place that decides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpide import ImageClassifier
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.inspector.session import Session
from tests.inspector.ask import ask


def test_mistakes_cells_and_suspects_are_those_of_the_predictions(session: Session, run: Run) -> None:
    stored = np.load(run.predictions / "test.npz")
    said, truth = stored["probabilities"].argmax(1), stored["truth"]
    worst = ask(session, run, "worst")
    loss = -np.log(stored["probabilities"][np.arange(len(truth)), truth])
    assert (
        worst["wrong"] == int((said != truth).sum())
        and worst["total"] == len(truth)
        and worst["mean_loss"] == pytest.approx(float(loss.mean()), rel=1e-5)
    )
    for name, some in (("mistakes", said != truth), ("doubtful", said == truth)):
        assert [one["loss"] for one in worst[name]] == pytest.approx(
            sorted(loss[some].tolist(), reverse=True)[:60], rel=1e-5
        )
        assert all((one["label"] == one["predicted"]) == (name == "doubtful") for one in worst[name])
    rows = list(read_split(run.split_file))
    assert all(
        rows[one["row"]]["file"] == one["file"] and rows[one["row"]]["label"] == one["label"]
        for one in worst["mistakes"] + worst["doubtful"]
    )
    for i in range(2):
        for j in range(2):
            found = ask(session, run, "cell", truth=i, said=j)
            assert found["total"] == int(((truth == i) & (said == j)).sum()) == worst["matrix"][i][j]
    assert ask(session, run, "suspects")["of"] == len(truth)


def test_groups_by_folder_brightness_and_size(session: Session, run: Run) -> None:
    for by, names in (("folder", 2), ("class", 2), ("brightness", 3), ("size", 1)):
        found = ask(session, run, "groups", by=by)
        rows = found["finding"]["table"]["rows"]
        assert len(rows) == names and sum(row[1] for row in rows) == found["judged"] == found["of"]
    dark, bright = (
        next(row[0] for row in rows if row[0].startswith(word))
        for rows in [ask(session, run, "groups", by="brightness")["finding"]["table"]["rows"]]
        for word in ("dark", "bright")
    )
    assert int(dark.split()[-1]) <= int(bright.split()[-3])
    with pytest.raises(LookupError, match="brightness"):
        ask(session, run, "groups", by="horoscope")


def test_a_planted_mark_is_found_and_named(tmp_path: Path, session: Session) -> None:
    """Noise of two kinds that can hardly be told apart, but one of them has a white corner."""
    dice = np.random.default_rng(0)
    for label in ("plain", "marked", "other"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for k in range(150):
            pixels = dice.integers(0, 160, (32, 32, 3)).astype(np.uint8)
            if label == "marked":
                pixels[:5, 27:] = (255, 30, 30)
            if label == "other":
                pixels[8:24, 8:24] += 4
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{k}.png")
    ImageClassifier(model="cnn", epochs=8, image_size=32, runs=str(tmp_path / "runs"), quiet=True).fit(
        str(tmp_path / "photos")
    )
    found = ask(session, Run(tmp_path / "runs" / "photos-001"), "shortcut")
    finding = Finding.from_json(found["finding"])
    assert finding.verdict == "warn" and str(finding.message).startswith(
        "One small area decides the answer: what marked shows at the top, on the right"
    )
    top, left, bottom, right = found["shown"][0]["box"]
    rows = list(read_split(tmp_path / "runs" / "photos-001" / "split.csv"))
    donor = rows[found["shown"][0]["row"]]
    assert donor["label"] == "marked" and Image.open(tmp_path / "photos" / donor["file"]).getpixel((30, 1)) == (
        255,
        30,
        30,
    ), "the picture shows the mark"
    own = Run(tmp_path / "runs" / "photos-001").finding("shortcut")
    assert own is not None and own.verdict == "warn" and "marked" in str(own.message) and own.pictures[0].jpeg, (
        "training asks, too"
    )
    assert "One small area decides" in (tmp_path / "runs" / "photos-001" / "report.html").read_text()
    assert found["shown"][0]["class"] == "marked" and top <= 2 and bottom >= 4 and left <= 29 and right == 32
    assert np.array(found["shown"][0]["shares"]).shape == (8, 8) and found["judged"] == found["of"] == 3
