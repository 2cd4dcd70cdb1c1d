"""Answers about the images of a run: album, copies, augmentation, marks, and images that went away."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import limpide
from limpide import ImageClassifier
from limpide.core.run import Run
from limpide.data.near_duplicates import fingerprint
from limpide.data.split_file import read_split
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session
from limpide.studio.label_marks import mark, marks
from tests.inspector.ask import ask
from tests.toy import copy_toy


def test_the_album_counts_and_pages(session: Session, run: Run) -> None:
    found = ask(session, run, "album", part="test", label="disc")
    assert found["total"] == found["counts"]["disc"]["test"] == len(found["images"])
    assert sum(n for parts in found["counts"].values() for n in parts.values()) == 80
    assert {one["part"] for one in found["images"]} == {"test"} and {one["label"] for one in found["images"]} == {
        "disc"
    }
    assert ask(session, run, "album", start=60)["images"][0]["row"] == 60
    jpeg = QUESTIONS["thumb"].answer(session, path=str(run.path), snapshot="best", row=3)[1]
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"


def test_copies_are_counted_at_every_threshold(session: Session, run: Run) -> None:
    rows = [row["file"] for row in read_split(run.split_file)]
    prints = [fingerprint(Image.open(run.path.parents[1] / "photos" / name).convert("RGB")) for name in rows]
    far = np.array([[int(np.bitwise_count(a ^ b).sum()) for b in prints] for a in prints])
    ones = np.array([int(np.bitwise_count(a).sum()) for a in prints])
    for bits in (20, 42, 64):
        i, j = np.triu_indices(len(rows), 1)
        near = (far[i, j] <= bits) & (4 * far[i, j] <= ones[i] + ones[j]) & (np.minimum(ones[i], ones[j]) >= 48)
        found = ask(session, run, "alike", distance=bits)
        assert found["total"] == int(near.sum()) == found["counts"][bits] and found["compared"] == 80
        assert [pair["distance"] for pair in found["pairs"]] == sorted(pair["distance"] for pair in found["pairs"])


def test_lines_on_a_plain_ground_are_measured(tmp_path: Path) -> None:
    """Crosses of known width and size, dark on light, off the middle of their box; and noise, which is no drawing."""
    run = Run.create(tmp_path, "drawn", {})
    run.probes_file.parent.mkdir(exist_ok=True)
    dice = np.random.default_rng(0)

    def kept(squares: np.ndarray) -> dict:  # type: ignore[type-arg]
        np.savez(run.probes_file, squares=squares, truth=np.zeros(len(squares)), files=np.zeros(len(squares)))
        return QUESTIONS["ink"].answer(Session(), path=str(run.path), snapshot="best")[0]

    for width in (4, 6, 9):
        squares = np.full((6, 64, 64, 1), 230, np.uint8)
        squares[:, 10:54, 30 - width // 2 : 30 - width // 2 + width] = 20
        squares[:, 44 : 44 + width, 12:48] = 20
        found = kept(squares)
        assert found["drawn"] and not found["light"] and (found["level"], found["ground"]) == (20, 230)
        assert (
            found["stroke"] * 64 == pytest.approx(width, rel=0.08)
            and found["width"] == found["height"] == 44 / 64
            and found["centre"] == "box"
        )
    assert kept(dice.integers(0, 255, (6, 64, 64, 1)).astype(np.uint8)) == {"drawn": False}
    blobs = np.zeros((6, 64, 64, 3), np.uint8)
    blobs[:, 12:52, 12:52] = 255
    assert kept(blobs) == {"drawn": False}, "no line"
    small = np.zeros((6, 64, 64), np.uint8)  # a ring whose lines are less than two pixels wide in an image of eight
    rows, columns = np.mgrid[:64, :64] - 31.5
    small[:, abs(np.hypot(rows, columns) - 18) < 6.5] = 255
    assert kept(small.reshape(6, 8, 8, 8, 8).mean((2, 4))[..., None].astype(np.uint8))["stroke"] * 64 == pytest.approx(
        13, rel=0.25
    )


def test_training_changes_an_image_where_it_changes_images(
    tmp_path: Path,
    session: Session,
    run: Run,
    trained: Path,
) -> None:
    assert ask(session, run, "augmented", image=ImageReference(row=0)) == {"images": 0}, "three passes need no variety"
    ImageClassifier(model="cnn", epochs=5, image_size=32, runs=str(tmp_path), quiet=True, judge=False).fit(
        str(trained.parent / "photos")
    )
    other = Run(tmp_path / "photos-001")
    first, second = (
        QUESTIONS["augmented"].answer(
            session, path=str(other.path), snapshot="best", image=ImageReference(row=0), seed=seed
        )[1]
        for seed in (0, 1)
    )
    picture = Image.open(io.BytesIO(first))
    assert picture.size == (8 * 32, 32) and first != second
    squares = np.asarray(picture).reshape(32, 8, 32, 3).transpose(1, 0, 2, 3)
    assert len({square.tobytes() for square in squares}) == 8


def test_a_mixture_is_shown_with_other_images(tmp_path: Path, session: Session, trained: Path) -> None:
    chosen = dict(model="linear", epochs=1, image_size=32, augment="mixup", runs=str(tmp_path), quiet=True, judge=False)
    ImageClassifier(**chosen).fit(str(trained.parent / "photos"))
    path, image = str(tmp_path / "photos-001"), ImageReference(row=0)
    kinds = []
    for seed in range(5):  # the shares are often close to 0 and 1
        mixed = QUESTIONS["augmented"].answer(session, path=path, snapshot="best", image=image, seed=seed)[1]
        squares = np.asarray(Image.open(io.BytesIO(mixed))).reshape(32, 8, 32, 3).transpose(1, 0, 2, 3)
        kinds.append(len({square.tobytes() for square in squares}))
    assert max(kinds) > 4, "with itself alone it would be eight times the same"


def test_images_that_went_away_are_said_and_stop_nothing(tmp_path: Path, session: Session, trained: Path) -> None:
    copy_toy(trained.parent, tmp_path)
    run = Run(tmp_path / "runs" / "photos-001")
    row, gone = next((k, line["file"]) for k, line in enumerate(read_split(run.split_file)) if line["part"] == "train")
    (tmp_path / "photos" / gone).unlink()
    with pytest.raises(LookupError, match="can no longer be read"):
        ask(session, run, "prediction", image=ImageReference(row=row))
    assert len(ask(session, run, "embedding")["rows"]) == 79
    judged = next(line["file"] for line in read_split(run.split_file) if line["part"] == "test")
    (tmp_path / "photos" / judged).unlink()
    found = ask(Session(), run, "groups", by="brightness")
    assert found["judged"] == found["of"] - 1
    other = next(
        (k, line["file"])
        for k, line in enumerate(read_split(run.split_file))
        if (tmp_path / "photos" / line["file"]).exists()
    )
    Image.new("RGB", (32, 32), "red").save(tmp_path / "photos" / other[1])
    with pytest.raises(LookupError, match="has changed"):
        ask(Session(), run, "prediction", image=ImageReference(row=other[0]))
    judged_image = shutil.copy(next((tmp_path / "photos").rglob("*.png")), tmp_path)
    shutil.rmtree(tmp_path / "photos")
    for what in ("embedding", "neighbors", "alike"):
        with pytest.raises(LookupError, match="no longer where they were"):
            ask(
                Session(),
                run,
                what,
                **(
                    {"image": ImageReference(probe=0)}
                    if what == "neighbors"
                    else {"distance": 42}
                    if what == "alike"
                    else {}
                ),
            )
    alone = limpide.see(run, judged_image).neighbors()
    assert not alone.images and "no longer where they were" in str(alone.note)
    with pytest.raises(LookupError, match="the rows are numbered from 0 to 79"):
        ask(session, run, "prediction", image=ImageReference(row=80))


def test_a_run_from_an_array_says_that_its_images_are_on_no_disk(tmp_path: Path, session: Session) -> None:
    dice = np.random.default_rng(0)
    clf = ImageClassifier(model="cnn", epochs=1, runs=str(tmp_path), quiet=True, judge=False).fit(
        dice.integers(0, 255, (60, 16, 16), np.uint8), np.arange(60) % 2
    )
    assert clf.run is not None
    with pytest.raises(LookupError, match="not on disk"):
        ask(session, clf.run, "embedding")
    assert ask(session, clf.run, "prediction", image=ImageReference(probe=0))["top"]


def test_marks_are_a_table_beside_the_run_and_touch_nothing(run: Run) -> None:
    before = {file: file.stat().st_mtime_ns for file in (run.path.parents[1] / "photos").rglob("*.png")}
    mark(run, "disc/1.png", "disc", "=cmd()")
    mark(run, "disc/2.png", "disc", "?")
    mark(run, "disc/1.png", "disc", "square")
    assert marks(run) == [
        {"file": "disc/2.png", "label": "disc", "suggested": "?"},
        {"file": "disc/1.png", "label": "disc", "suggested": "square"},
    ]
    mark(run, "disc/2.png", "disc", "")
    mark(run, "=evil", "disc", "?")
    assert [one["file"] for one in marks(run)] == [
        "disc/1.png",
        "=evil",
    ] and ",'=evil" in "," + run.marks_file.read_text().splitlines()[2]
    run.marks_file.write_text("file,label,suggested,note\nx.png,disc,?,blurred\n")
    mark(run, "y.png", "disc", "?")
    assert marks(run)[0]["note"] == "blurred" and marks(run)[1]["note"] == ""
    run.marks_file.write_text("my own table\n1\n")
    with pytest.raises(LookupError, match="move it elsewhere"):
        mark(run, "y.png", "disc", "?")
    assert run.marks_file.read_text() == "my own table\n1\n"
    run.marks_file.unlink()
    assert before == {file: file.stat().st_mtime_ns for file in (run.path.parents[1] / "photos").rglob("*.png")}
