"""Answers about one unit: the same everywhere, and what wakes it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import limpide
from limpide.core.run import Run
from limpide.data.split_file import read_split
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session
from limpide.training.weights import trained_network as network_of
from limpide.workflows.explain import explain
from tests.inspector.ask import ask


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
