"""The instruments in a notebook, without a page: where they stand, and what the kernel answers."""

from __future__ import annotations

import builtins
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limpide import see
from limpide.core.errors import UsageError
from limpide.inspector.image_reference import ImageReference
from limpide.interpret.saliency import METHODS
from limpide.text.language import current_language
from tests.studio.widget.kernel import Kernel, told

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install anywidget")


def test_it_opens_where_it_is_asked_to(network: nn.Module, image: Tensor) -> None:
    seen = see(network, image)
    assert (seen.widget().page, seen.widget().layer, seen.widget().channel) == ("layer", "first", None)
    w = seen.widget("second", 5, 7, 9)
    assert (w.page, w.layer, w.channel, w.y, w.x, w.language) == ("unit", "second", 5, 7, 9, "en")
    assert repr(w) == "Instruments(Net: unit, second, channel 5, row 7, column 9)"
    assert see(nn.Sequential(nn.Flatten(), nn.Linear(960, 3)), image).widget().layer == "1"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("page", "runs", "L102"),
        ("language", "tlh", "L102"),
        ("layer", "secnd", "L109"),
        ("channel", 4, "L110"),
        ("channel", -1, "L110"),
        ("y", 16, "L110"),
        ("x", 20, "L110"),
    ],
)
def test_a_place_that_is_not_there_is_refused(kernel: Kernel, name: str, value: object, code: str) -> None:
    kernel.widget.channel = 0
    before = kernel.widget._place()
    with pytest.raises(UsageError) as caught:
        setattr(kernel.widget, name, value)
    assert caught.value.code == code and kernel.widget._place() == before


def test_a_unit_goes_where_its_layer_goes(kernel: Kernel) -> None:
    w = kernel.widget
    w.channel, w.y, w.x = 3, 5, 6
    w.layer = "second"  # 6 channels of 8 × 10: it is there, too
    assert (w.channel, w.y, w.x) == (3, 5, 6)
    w.layer = "head"
    assert (w.channel, w.y, w.x) == (None, 0, 0)
    w.layer = ":relu"
    assert w.layer == ":relu", "a key of an operation"


def test_the_page_sets_it_all_at_once_or_not_at_all(kernel: Kernel) -> None:
    kernel.hear({"method": "update", "state": {"page": "unit", "layer": "second", "channel": 5, "y": 7, "x": 9}})
    place = {"page": "unit", "layer": "second", "channel": 5, "y": 7, "x": 9, "language": "en"}
    assert kernel.widget._place() == place
    for state in (
        {"layer": "first"} | {"channel": 5},
        {"page": "<b>"},
        {"channel": "5"},
        {"channel": 2.5},
        {"y": 80},
        {"layer": None},
        {"x": []},
    ):
        (*_, answer) = kernel.hear({"method": "update", "state": state})
        assert kernel.widget._place() == place and place.items() <= answer["state"].items(), "and is told where we are"


def test_answers_are_what_torch_says(kernel: Kernel, network: nn.Module, image: Tensor) -> None:
    values = told(network, image)
    unit = kernel.ask("unit", key="second", channel=2, y=3, x=4, image="own")["about"]
    assert unit["torch"] == pytest.approx(float(values["second"][2, 3, 4]), abs=1e-6) and unit["agrees"]
    patch = torch.relu(values["first"])[:, 5:8, 7:10]
    assert unit["values"] == pytest.approx(patch.flatten().tolist(), abs=1e-6)
    assert unit["weights"] == pytest.approx(network.second.weight[2].flatten().tolist())
    maps = np.frombuffer(kernel.ask("maps", key="first", image="own")["bytes"][-4 * 16 * 20 * 4 :], "<f4")
    assert maps == pytest.approx(values["first"].numpy().ravel(), abs=1e-6)
    top = kernel.ask("prediction", image="own")["about"]["top"]
    assert [one["index"] for one in top] == values["head"].argsort(descending=True).tolist() and top[0]["class"] == str(
        top[0]["index"]
    )
    map = np.frombuffer(kernel.ask("saliency", image="own", method="gradient", label=3)["bytes"][-4 * 16 * 20 :], "<f4")
    network.eval()
    assert map == pytest.approx(METHODS["gradient"](network, image, 3).numpy().ravel(), abs=1e-6)
    network.train()


def test_a_covered_place_of_an_image_that_is_no_square(kernel: Kernel, network: nn.Module, image: Tensor) -> None:
    covered = image.clone()
    covered[0, :, 15:16, 17:20] = 0  # row 15 and columns 14 and 15 of sixteen
    after = told(network, covered)["head"].softmax(0)
    for row in kernel.ask("occluded", image="own", mask="[[15, 14], [15, 15]]")["about"]["rows"]:
        assert row["after"] == pytest.approx(float(after[int(row["class"])]), abs=1e-6)


def test_a_changed_image_is_changed_as_its_picture_shows(kernel: Kernel, network: nn.Module, image: Tensor) -> None:
    mirrored = told(network, image.flip(-1))["head"].softmax(0)
    top = kernel.ask("prediction", image="own", mirror="1")["about"]["top"]
    step = float(image.max() - image.min()) / 255  # between two grey levels
    assert [one["probability"] for one in top] == pytest.approx(
        [float(mirrored[one["index"]]) for one in top], abs=step
    )


def test_the_network_is_left_as_it_was_and_looked_at_as_it_is(
    kernel: Kernel, network: nn.Module, image: Tensor
) -> None:
    state = {name: value.clone() for name, value in network.state_dict().items()}
    assert kernel.ask("effect", image="own", key="second", channel=2, place=3, weight=9.0)["about"]["rows"]
    assert (
        kernel.ask("maximized", key="second", channel=2)["bytes"].startswith(b"\x89PNG")
        and kernel.ask("anatomy", image="own")["about"]["watched"] == 1
    )
    assert network.training and all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    with torch.no_grad():
        network.first.bias += 0.5  # it learned meanwhile
    try:
        unit = kernel.ask("unit", key="first", channel=1, y=3, x=4, image="own")["about"]
        assert unit["agrees"] and unit["torch"] == pytest.approx(
            float(told(network, image)["first"][1, 3, 4]), abs=1e-6
        )
    finally:
        network.load_state_dict(state)


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("album", {}),
        ("words", {"language": "../en"}),
        ("__class__", {}),
        (None, {}),
        (["unit"], {}),
        ("unit", {"key": "first", "channel": "-1"}),
        ("unit", {"key": "first", "channel": 99, "image": "own"}),
        ("unit", {"key": "nowhere", "image": "own"}),
        ("unit", {"image": "own"}),
        ("maps", {"key": "first", "image": "../../etc/passwd"}),
        ("maps", {"key": "first", "image": "probe-0", "noise": "1e9"}),
        ("occluded", {"image": "own", "mask": "[" * 100_000}),
        ("saliency", {"image": "own", "method": "lime", "label": 0}),
        ("saliency", {"image": "own", "method": "gradient", "label": 5}),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_so(kernel: Kernel, what: object, values: dict[str, object]) -> None:
    answer = kernel.ask(what, **values)
    assert answer["error"] and "about" not in answer
    assert kernel.ask("unit", key="first", image="own")["about"]["agrees"], "and the next one is answered"


def test_what_is_no_question_is_passed_over(kernel: Kernel) -> None:
    for content in (None, [], "unit", {}, {"id": 3, "what": "unit"}):
        assert kernel.hear({"method": "custom", "content": content}) == []
    assert (
        "error"
        in kernel.hear({"method": "custom", "content": {"id": "1", "what": "unit", "values": [1]}})[0]["content"]
    )


def test_an_image_that_is_not_square_is_turned_whole(kernel: Kernel) -> None:
    for image in (ImageReference(data=b"", turn=30), ImageReference(data=b"", mirror=True)):
        assert image.changed(np.zeros((16, 20, 3), np.uint8)).shape == (16, 20, 3)
    assert len(kernel.ask("prediction", image="own", turn=30)["about"]["top"]) > 1


def test_it_speaks_its_own_language_and_leaves_the_programs(kernel: Kernel) -> None:
    kernel.widget.language = "fr"
    kernel.taken()
    words = kernel.ask("words", language="fr")["about"]
    assert words["title"] == "Ce que voit Net" and words["sentences"]["page.layer"] == "Couche"
    text = kernel.ask("sanity", image="own", method="gradient", label=3)["about"]["finding"]["text"]
    assert text.startswith("Cette carte") and current_language() == "en"


def test_a_still_picture_stands_where_there_are_no_widgets(kernel: Kernel, network: nn.Module, image: Tensor) -> None:
    data = kernel.widget._repr_mimebundle_()[0]
    assert data["text/html"] == see(network, image)._repr_html_() == kernel.widget._still
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == kernel.widget.comm.comm_id
    kept = kernel.widget.get_state()
    own = {name for name in kept if name in kernel.widget._place() or name in ("_still", "_esm")}
    assert len(own) == 8 and len(kept["_esm"]) < 140_000, "what a notebook may keep is small"


def test_without_anywidget_one_line_says_what_to_install(
    network: nn.Module, image: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "limpide.studio.widget":
            raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        UsageError,
        match=re.escape(
            "widgets in a notebook need a package that is not installed — anywidget — pip install "
            "'limpide[notebook]' [L142]"
        ),
    ):
        see(network, image).widget()
