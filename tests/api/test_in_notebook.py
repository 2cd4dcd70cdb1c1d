"""How every result shows itself in a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import limpide
from limpide.api.see import Explanation, see
from limpide.core.finding import Finding, Number, Table
from limpide.core.run import Run
from limpide.deploy.predictor import Prediction
from limpide.explanation.picture import draw_picture
from limpide.explanation.writers import html_of
from limpide.interpret.unit import why
from limpide.text import notebook_html
from limpide.text.language import use_language
from limpide.text.messages import message
from tests.api.test_see import HOSTILE, checked


def shows(name: str, tmp_path: Path) -> object:
    """A result of each kind, with a hostile name wherever one can come from outside."""
    claim = Finding(
        "accuracy",
        "warn",
        message("{x}: {p:percent}", x=HOSTILE, p=0.9012),
        [
            Number(HOSTILE, 0.9012, "share", 0.88, 0.92, 1500),
            Number("time", 74.0, "s"),
            Number("weights", 18_600_000, "bytes"),
        ],
        Table([("class", "text"), ("probability", "percent")], [[HOSTILE, 0.5]]),
    )
    if name == "finding":
        return claim
    if name == "prediction":
        return Prediction(HOSTILE, HOSTILE, 0.9012, ((HOSTILE, 0.9012), ("b", 0.0988)))
    if name == "run":
        run = Run.create(tmp_path, "run", {"data": HOSTILE, "classes": [HOSTILE], "recipe": {"model": HOSTILE}})
        run.add_finding(claim)
        return run
    if name == "classifier":
        clf = limpide.ImageClassifier(model="cnn")
        clf.run_ = str(shows("run", tmp_path).path)  # type: ignore[attr-defined]
        return clf
    network = nn.Sequential()
    network.add_module("<b>", nn.Conv2d(1, 2, 3))
    image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    if name == "unit":
        return why(network, image, "<b>", 0, 2, 2)
    network.add_module("mean", nn.AdaptiveAvgPool2d(1))
    network.add_module("flat", nn.Flatten())
    found = see(network, image)
    found.file = HOSTILE
    object.__setattr__(found._opened, "classes", (HOSTILE, "b"))
    return found


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("name", ["finding", "prediction", "run", "classifier", "unit", "seen"])
def test_a_notebook_shows_it_and_nothing_else(name: str, lang: str, tmp_path: Path) -> None:
    use_language(lang)
    result = shows(name, tmp_path)
    html = result._repr_html_()  # type: ignore[attr-defined]
    found = checked(html)
    assert "<img src=x" not in html and "<b></b>" not in html and "\u202e" not in html
    if name != "unit":
        assert HOSTILE.split("\u202e")[0] in found.text and "évil" in found.text  # said, and not done
        percents = {"en": "90.1\N{NO-BREAK SPACE}%", "fr": "90,1\N{NO-BREAK SPACE}%"}
        assert percents[lang] in found.text or name == "seen"
    if name in ("finding", "run", "classifier"):
        units = {
            "en": ("1 min 14 s", "18.6 MB", "88.0 % to 92.0 %", "worth a look"),
            "fr": ("1 min 14 s", "18,6 Mo", "88,0 % à 92,0 %", "à regarder"),
        }
        assert all(words in found.text.replace("\N{NO-BREAK SPACE}", " ") for words in units[lang]), found.text
    if name == "unit":
        assert {"en": "value of the unit", "fr": "valeur de l’unité"}[lang] in found.text and html.count("<table") == 4


def test_pages_of_hostile_names_are_only_text(tmp_path: Path) -> None:
    found = shows("seen", tmp_path)
    assert isinstance(found, Explanation)
    text = checked(html_of(found.sight()).replace("<!doctype html>", "")).text
    assert HOSTILE.split("\u202e")[0] in text and "\u202e" not in text
    draw_picture(found.sight())
    with pytest.raises(ValueError, match="fetched"):
        notebook_html.image("https://example.org/a.png", "", 10)
