"""What the studio's process answers about a run and its images, asked without a server."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import limpide
from limpide import ImageClassifier
from limpide.core.errors import RunError
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.data.near_duplicates import fingerprint
from limpide.data.split_file import read_split
from limpide.explanation import saliency_evidence
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.lru_cache import LRUCache
from limpide.inspector.many_images import features_of_images
from limpide.inspector.network_session import trace_image
from limpide.inspector.progress import Cancelled, Progress
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session
from limpide.interpret.embedding import align_to, flat_map
from limpide.interpret.saliency import METHODS
from limpide.studio.label_marks import mark, marks
from limpide.training.weights import trained_network as network_of
from limpide.workflows.explain import explain
from tests.toy import copy_toy


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return Run(trained / "photos-001")


def ask(session: Session, run: Run, what: str, **values: object) -> dict:  # type: ignore[type-arg]
    return QUESTIONS[what].answer(session, path=str(run.path), snapshot=str(values.pop("snapshot", "best")), **values)[
        0
    ]


def test_an_image_of_the_data_is_what_the_network_learned_from(session: Session, run: Run) -> None:
    rows = list(read_split(run.split_file))
    model, preprocessing = network_of(run)
    for row in (0, 17, len(rows) - 1):
        pixels = preprocessing.pixels(Image.open(run.path.parents[1] / "photos" / rows[row]["file"]).convert("RGB"))
        mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
        logits = model(torch.from_numpy(((pixels - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)))[0]
        temperature = run.finding("calibration").number("temperature").value  # type: ignore[union-attr]
        expected = (logits.detach().double() / temperature).softmax(0)
        found = ask(session, run, "prediction", image=ImageReference(row=row))
        assert found["truth"] == rows[row]["label"] and found["file"] == rows[row]["file"]
        assert found["top"][0]["probability"] == pytest.approx(float(expected.max()), abs=1e-5)


PLAIN = ImageReference(row=0)


def test_turned_mirrored_and_noisy() -> None:
    square = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    assert np.array_equal(PLAIN.changed(square), square) and np.array_equal(
        replace(PLAIN, mirror=True).changed(square), square[:, ::-1]
    )
    quarter = replace(PLAIN, turn=90.0).changed(square)
    assert (quarter == np.rot90(square)).mean() > 0.9 and quarter.shape == square.shape, "counter-clockwise"
    grey = np.full((64, 64, 1), 128, np.uint8)
    noisy = replace(PLAIN, noise=20.0).changed(grey)
    assert 18 < float(noisy.std()) < 22 and np.array_equal(noisy, replace(PLAIN, noise=20.0).changed(grey))


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
    with pytest.raises(RunError, match=r"it has 40 whole rows, and 80 were written.*\[L517\]"):
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


def test_a_shelf_keeps_what_was_used_last_within_its_bytes() -> None:
    shelf, made = LRUCache(10_000), []

    def work(k: int) -> np.ndarray:
        made.append(k)
        return np.zeros(500)  # 4,000 bytes

    for k in (1, 2, 1, 3, 1, 2):
        shelf.get(k, lambda k=k: work(k))
    assert made == [1, 2, 3, 2] and len(shelf) == 2
    shelf.get(9, lambda: np.zeros(5_000))
    assert len(shelf) == 1, "the newest stays, however large"
    shelf.get(10, lambda: bytes(9_000))
    shelf.get(11, lambda: bytes(2_000))
    assert len(shelf) == 1, "bytes weigh what they are"


def test_changes_reach_every_question(session: Session, run: Run) -> None:
    plain, turned = (
        ask(session, run, "prediction", image=ImageReference(row=1, **more))["top"]
        for more in ({}, {"turn": 35.0, "noise": 40.0})
    )
    assert plain != turned
    before, after = (
        QUESTIONS["maps"].answer(
            session, path=str(run.path), snapshot="best", image=ImageReference(row=1, **more), key="blocks.0.0"
        )[1]
        for more in ({}, {"turn": 35.0})
    )
    assert before != after and len(before) == len(after)


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


def test_report_explain_see_and_studio_open_the_same_unit(session: Session, run: Run) -> None:
    reported = run.finding("inside")
    assert reported is not None
    name = reported.pictures[0].file
    row = next(k for k, line in enumerate(read_split(run.split_file)) if line["file"] == name)
    file = run.path.parents[1] / "photos" / name
    explained, seen = explain(str(run.path), str(file))["inside"], limpide.see(run, file).why(reported.data["layer"])
    shown = ask(session, run, "unit", image=ImageReference(row=row), key=reported.data["layer"])
    places = [(one["channel"], one["y"], one["x"]) for one in (reported.data, explained.data, vars(seen), shown)]
    assert len(set(places)) == 1, places
    assert shown["key"] == reported.data["layer"] == explained.data["layer"] == seen.layer and any(
        vote["slope"] for vote in shown["votes"]
    )


def test_neighbours_are_training_images_and_never_the_image_itself(session: Session, run: Run) -> None:
    rows = list(read_split(run.split_file))
    own = next(k for k, row in enumerate(rows) if row["part"] == "train")
    found = ask(session, run, "neighbors", image=ImageReference(row=own))
    assert len(found["top"]) == 8 and found["compared"] == found["of"]
    assert all(rows[one["row"]]["part"] == "train" and one["row"] != own for one in found["top"])
    assert [one["cosine"] for one in found["top"]] == sorted(
        (one["cosine"] for one in found["top"]), reverse=True
    ) and found["top"][0]["cosine"] <= 1.0001
    model, preprocessing = network_of(run)
    train = [k for k, row in enumerate(rows) if row["part"] == "train"]
    squares = np.stack(
        [
            preprocessing.pixels(Image.open(run.path.parents[1] / "photos" / rows[k]["file"]).convert("RGB"))
            for k in train
        ]
    )
    images = torch.from_numpy(
        ((squares - np.array(preprocessing.mean)) / np.array(preprocessing.std))
        .transpose(0, 3, 1, 2)
        .astype(np.float32)
    )
    features = model.features(images).detach()
    alike = torch.cosine_similarity(features, features[train.index(own)][None]).numpy()
    alike[train.index(own)] = -2
    assert found["top"][0]["row"] == train[int(alike.argmax())] and found["top"][0]["cosine"] == pytest.approx(
        float(alike.max()), abs=1e-4
    )
    # it is known by its bytes, wherever its file lies
    seen = limpide.see(run, run.path.parents[1] / "photos" / rows[own]["file"])
    assert [(one.file, one.cosine) for one in seen.neighbors().images] == [
        (one["file"], pytest.approx(one["cosine"], abs=1e-5)) for one in found["top"]
    ]


def test_the_map_says_what_each_image_is_and_is_called(session: Session, run: Run) -> None:
    for snapshot in ("best", "0"):
        found = ask(session, run, "embedding", snapshot=snapshot)
        assert len(found["places"]) == len(found["rows"]) == len(found["predicted"]) == 80 and 0 < found["kept"] <= 1
        one = ask(session, run, "prediction", snapshot=snapshot, image=ImageReference(row=found["rows"][5]))
        assert one["top"][0]["class"] == found["predicted"][5] and one["truth"] == found["labels"][5]
        assert one["top"][0]["probability"] == pytest.approx(found["probability"][5], abs=1e-3)
    with pytest.raises(LookupError, match="pca, tsne"):
        ask(session, run, "embedding", method="astrology")


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


def test_a_watched_image_is_decoded_for_the_weights_that_look_at_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-tuning may see squares of 128 pixels, the frozen model that is kept 224: the small squares enlarged are
    other images.
    """
    session = Session()
    kept, album = session.probes(str(run.path)), session.album(str(run.path))
    preprocessing = network_of(run)[1]
    small = replace(kept, squares=kept.squares[:, ::2, ::2])
    monkeypatch.setattr(session, "probes", lambda _: small)
    for k, file in enumerate(kept.files.tolist()[:3]):
        watched = session.square(str(run.path), preprocessing, ImageReference(probe=k))
        np.testing.assert_array_equal(watched, kept.squares[k])
        np.testing.assert_array_equal(
            watched, session.square(str(run.path), preprocessing, ImageReference(row=album.row_of[file.decode()]))
        )
    gone = replace(small, files=np.array([b"gone.png"] * len(kept)))
    monkeypatch.setattr(session, "probes", lambda _: gone)
    with pytest.raises(LookupError, match="another size"):
        session.square(str(run.path), preprocessing, ImageReference(probe=0))


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
        "One small place decides: what marked shows at the top, on the right"
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
    assert "One small place decides" in (tmp_path / "runs" / "photos-001" / "report.html").read_text()
    assert found["shown"][0]["class"] == "marked" and top <= 2 and bottom >= 4 and left <= 29 and right == 32
    assert np.array(found["shown"][0]["shares"]).shape == (8, 8) and found["judged"] == found["of"] == 3


def test_a_map_does_not_wait_for_its_badge_and_both_are_what_explain_says(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    traced = trace_image(session, str(run.path), "best", ImageReference(row=2))
    network, seen = traced.network, traced.trace
    for method in ("gradient", "grad_cam"):
        expected = saliency_evidence.saliency_of(network, seen.image, 1, method)
        with monkeypatch.context() as broken:
            broken.setattr(saliency_evidence, "usual_of", None)
            broken.setattr(saliency_evidence, "badge_of", None)
            about, data = QUESTIONS["saliency"].answer(
                session, path=str(run.path), snapshot="best", image=ImageReference(row=2), method=method, label=1
            )
        assert expected.plane is not None and np.array_equal(np.load(io.BytesIO(data)), expected.plane) and about == {}
        assert (
            ask(session, run, "sanity", image=ImageReference(row=2), method=method, label=1)["finding"]
            == expected.badge.to_json()
        )
    with monkeypatch.context() as broken:
        broken.setattr(saliency_evidence, "plane_of", None)
        broken.setattr(saliency_evidence, "badge_of", None)
        ask(session, run, "sanity", image=ImageReference(row=2), method="gradient", label=1)  # kept


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


def test_what_wakes_a_unit_is_looked_for_among_the_data(session: Session, run: Run) -> None:
    found = ask(session, run, "strongest", key="head", channel=1, among=200)
    values = [one["value"] for one in found["top"]]
    assert found["among"] == sum(row["part"] == "train" for row in read_split(run.split_file)) and values == sorted(
        values, reverse=True
    )
    assert all("row" in one for one in found["top"]) and all(
        "probe" in one for one in ask(session, run, "strongest", key="head", channel=1)["top"]
    )


def test_a_picture_is_made_that_wakes_a_channel_more_than_the_data(session: Session, run: Run) -> None:
    about, data = QUESTIONS["maximized"].answer(
        session, path=str(run.path), snapshot="best", key="blocks.0.0", channel=3
    )
    made = Image.open(io.BytesIO(data))
    assert about["after"] > about["before"] and made.size == (32, 32)
    model, preprocessing = network_of(run)
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    image = torch.from_numpy(((np.asarray(made, np.float32) - mean) / std).transpose(2, 0, 1)[None])
    with torch.no_grad():
        assert float(model.blocks[0][0](image)[0, 3].max()) == pytest.approx(about["after"], abs=0.1), (
            "the picture is the one that was found"
        )
    with pytest.raises(LookupError):
        ask(session, run, "maximized", key="blocks.0.0", channel=999)


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
    with pytest.raises(LookupError, match="rows go from 0 to 79"):
        ask(session, run, "prediction", image=ImageReference(row=80))


def test_a_run_from_an_array_says_that_its_images_are_on_no_disk(tmp_path: Path, session: Session) -> None:
    dice = np.random.default_rng(0)
    clf = ImageClassifier(model="cnn", epochs=1, runs=str(tmp_path), quiet=True, judge=False).fit(
        dice.integers(0, 255, (60, 16, 16), np.uint8), np.arange(60) % 2
    )
    assert clf.run is not None
    with pytest.raises(LookupError, match="on no disk"):
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
    with pytest.raises(LookupError, match="move it away"):
        mark(run, "y.png", "disc", "?")
    assert run.marks_file.read_text() == "my own table\n1\n"
    run.marks_file.unlink()
    assert before == {file: file.stat().st_mtime_ns for file in (run.path.parents[1] / "photos").rglob("*.png")}


def test_the_images_aside_are_read_once_and_anew_when_they_are_others(
    session: Session, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "predictions").mkdir()
    file = tmp_path / "predictions" / "probes.npz"
    shutil.copy(run.path / "predictions" / "probes.npz", file)
    read = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda *args: read.append(1) or load(*args))
    first = session.probes(str(tmp_path))
    assert session.probes(str(tmp_path)) is first and len(read) == 1
    with pytest.raises(ValueError, match="read-only"):
        first.squares[0] = 0
    np.savez(file, squares=first.squares[:1] // 2, truth=first.truth[:1], files=first.files[:1])
    os.utime(file, ns=(1, 1))
    assert np.array_equal(session.probes(str(tmp_path)).squares, first.squares[:1] // 2)
    file.write_bytes(b"PK damaged")
    with pytest.raises(LookupError, match="kept no images"):
        session.probes(str(tmp_path))


LONG = [
    *(("saliency", {"image": ImageReference(row=5), "label": 1, "method": method}) for method in METHODS),
    *(("sanity", {"image": ImageReference(row=5), "label": 1, "method": method}) for method in METHODS),
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
