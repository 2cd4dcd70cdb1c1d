"""Answers about one image: what the network says of it, changed or not, and which maps are drawn."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import limpide
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.explanation import saliency_evidence
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.network_session import trace_image
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session
from limpide.training.weights import trained_network as network_of
from tests.inspector.ask import ask


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
