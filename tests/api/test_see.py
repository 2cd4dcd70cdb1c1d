"""limpide.see, and what it writes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import limpide
from limpide.api.see import Explanation, see
from limpide.core.errors import DataError, LimpideError, UsageError
from limpide.core.finding import VERDICT_WORDS
from limpide.data.preprocessing import Preprocessing
from limpide.explanation.picture import draw_picture, writable_text
from limpide.explanation.record import BADGE_WORDS, NearestImage, NearestImages
from limpide.explanation.writers import html_of
from limpide.models.cnn import SmallCNN
from limpide.report import color_scale
from limpide.text import messages
from limpide.text.language import use_language
from limpide.text.messages import message

HOSTILE = "<img src=x onerror=alert(1)>\u202eévil"
GREY = Preprocessing(16, 1, std=(63.75,))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return SmallCNN(classes=10, size=16)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """uint8 (16, 16): one network pixel a pixel."""
    return np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)


@pytest.fixture(scope="module")
def seen(network: nn.Module, picture: np.ndarray) -> Explanation:
    return see(network, picture, GREY)


def tensor_of(picture: np.ndarray) -> Tensor:
    return (torch.tensor(picture, dtype=torch.float32)[None, None] - 127.5) / 63.75


class Tags(HTMLParser):
    """Every tag that was opened, and whether each was closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(page: str) -> Tags:
    """Well-formed, without a script and without a request."""
    found = Tags(page)
    for tag, attributes in found.all:
        assert tag not in ("script", "iframe", "object", "link", "form"), tag
        assert not any(name.startswith("on") for name in attributes), attributes
        assert all(
            str(attributes[name]).startswith("data:image/png;base64,") for name in ("src", "href") if name in attributes
        ), attributes
    return found


# -- what it says


def test_it_says_what_torch_computes(seen: Explanation, network: nn.Module, picture: np.ndarray) -> None:
    network.eval()
    kept: dict[str, Tensor] = {}
    hooks = [
        m.register_forward_hook(lambda _, __, out, n=n: kept.update({n: out.detach().clone()}))
        for n, m in network.named_modules()
        if n
    ]
    with torch.inference_mode():
        expected = network(tensor_of(picture)).softmax(1)[0]
    for hook in hooks:
        hook.remove()
    assert seen.probabilities == pytest.approx(expected.double().numpy(), abs=1e-6)
    assert (
        seen.top[0] == (str(int(expected.argmax())), pytest.approx(float(expected.max()), abs=1e-6))
        and len(seen.top) == 5
    )
    for layer in seen.layers:
        if layer.name in kept:
            assert layer.shape == tuple(kept[layer.name].shape[1:])
            assert (layer.low, layer.high) == pytest.approx(
                (float(kept[layer.name].min()), float(kept[layer.name].max())), rel=1e-5
            )
    assert seen.maps("blocks.0.0") == pytest.approx(kept["blocks.0.0"][0].numpy(), abs=1e-5) and seen.maps(
        "head"
    ).shape == (10, 1, 1)
    at = seen.strongest("blocks.0.0")
    assert (
        abs(at.value) == pytest.approx(float(kept["blocks.0.0"].abs().max()))
        and seen.maps("blocks.0.0")[at.channel, at.y, at.x] == at.value
    )
    assert seen.why("blocks.0.0", at.channel, at.y, at.x).value == pytest.approx(at.value, abs=1e-5)
    assert seen.why("head", 3).value == pytest.approx(float(kept["head"][0, 3]), abs=1e-5)


@pytest.mark.parametrize("form", ["array", "pillow", "tensor", "file", "uint8 tensor"])
def test_every_form_of_an_image_is_the_same_image(
    form: str, network: nn.Module, picture: np.ndarray, seen: Explanation, tmp_path: Path
) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    images: dict[str, Any] = {
        "array": picture,
        "pillow": Image.fromarray(picture),
        "tensor": tensor_of(picture),
        "file": tmp_path / "a.png",
        "uint8 tensor": torch.tensor(picture),
    }
    found = see(network, images[form], GREY)
    # memory in another order
    assert np.array_equal(found.square, picture[..., None]) and torch.allclose(
        found.trace.output, seen.trace.output, atol=1e-6
    )
    assert str(found).startswith("What SmallCNN sees" + (f" in {tmp_path / 'a.png'}" if form == "file" else "\n"))


def test_a_bare_module_takes_a_normalised_tensor(network: nn.Module, picture: np.ndarray) -> None:
    modes = [m.train(k % 2 == 0).training for k, m in enumerate(network.children())]
    found = see(network, tensor_of(picture))
    assert "blocks.0.0" in str(found) and found.square.min() == 0 and found.square.max() == 255
    found.saliency("occlusion")
    assert modes == [m.training for m in network.children()]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda n, p: see(n, p), "L133"),
        (lambda n, p: see(n, tensor_of(p)[0]), "L118"),
        (lambda n, p: see(3.5, p), "L132"),
        (lambda n, p: see(n, "gone.png", GREY), "L208"),
        (lambda n, p: see(n, p, GREY).maps("blocks.9"), "L109"),
        (lambda n, p: see(n, p, GREY).saliency("lime"), "L135"),
        (lambda n, p: see(n, p, GREY).saliency("gradient", "cat"), "L135"),
        (lambda n, p: see(n, p, GREY).saliency("gradient", 10), "L135"),
        (lambda n, p: see(n, p, GREY).save("inside.bmp"), "L131"),
        (lambda n, p: see(n, p, GREY).neighbors(), "L141"),
        (lambda n, p: see("nowhere/run", p), "L502"),
    ],
)
def test_mistakes_have_a_code(
    call: Callable[[nn.Module, np.ndarray], object], code: str, network: nn.Module, picture: np.ndarray
) -> None:
    with pytest.raises(LimpideError) as caught:
        call(network, picture)
    assert caught.value.code == code and "\n" not in str(caught.value)
    assert isinstance(caught.value, (UsageError, DataError)) or code == "L502"


def test_votes_and_pictures_for_a_channel(seen: Explanation) -> None:
    votes = dict(seen.votes("head", 4))
    assert votes["4"] == pytest.approx(1) and sum(votes.values()) == pytest.approx(1)  # a logit speaks for itself alone
    found = seen.maximized("head", 4, steps=24)
    assert found.after > found.before and found.image.shape == (1, 1, 16, 16)
    assert float(found.image.min()) >= -2 and float(found.image.max()) <= 2  # (0 − 127.5) / 63.75


def test_a_network_of_vectors_has_no_maps_and_is_shown_all_the_same(picture: np.ndarray, tmp_path: Path) -> None:
    torch.manual_seed(0)
    found = see(nn.Sequential(nn.Flatten(), nn.Linear(256, 12), nn.ReLU(), nn.Linear(12, 3)), tensor_of(picture))
    assert found.saliency("grad_cam").plane is None
    checked(found._repr_html_())
    page = found.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "no feature maps that this method could weight" in page
    with Image.open(found.save(tmp_path / "a.png")) as sheet:
        assert sheet.width == 1600


# -- what it writes


def test_json_has_the_numbers(seen: Explanation, network: nn.Module, picture: np.ndarray, tmp_path: Path) -> None:
    found = json.loads(seen.save(tmp_path / "a.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    keys = "format network run file square predictions saliency stages unit maximised neighbours window"
    assert set(found) == set(keys.split())
    documented = (Path(__file__).parents[2] / "docs" / "reference" / "explain-format.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in documented for key in found)
    assert np.array_equal(np.array(found["square"])[..., 0], picture)
    leaf = tensor_of(picture).requires_grad_(True)
    logits = network.eval()(leaf)
    assert found["predictions"][0]["probability"] == pytest.approx(float(logits.detach().softmax(1).max()), abs=1e-6)
    (slope,) = torch.autograd.grad(logits.max(), leaf)
    assert np.array(found["saliency"][0]["map"]) == pytest.approx(slope.abs()[0, 0].numpy(), rel=1e-4, abs=1e-7)
    with torch.inference_mode():
        first = network.blocks[0][0](tensor_of(picture))[0]
    made, unit = found["maximised"], found["unit"]["data"]
    assert (made["layer"], made["channel"]) == (unit["layer"], unit["channel"]) and found["neighbours"] is None, (
        "no run, no training images"
    )
    shown = torch.tensor(made["square"], dtype=torch.float32)[..., 0]
    top, left, bottom, right = made["box"]
    with torch.inference_mode():
        maps = network.blocks[0][0](((shown - 127.5) / 63.75)[None, None])[0, made["channel"]]
    assert float(maps[8, 8]) == pytest.approx(made["after"], abs=0.05) and made["after"] > made["before"], (
        "grey levels are rounded"
    )
    shown[top:bottom, left:right] = shown[0, 0]
    assert (bottom - top, right - left) == (3, 3) and float(shown.std()) == 0, "grey where the unit does not see"
    stage = found["stages"][0]
    assert stage["layer"] == "blocks.0.0" and stage["shape"] == [16, 16, 16]
    assert np.array(stage["maps"]) == pytest.approx(first[stage["channels"]].numpy(), rel=1e-5, abs=1e-6)
    assert float(first[stage["channels"][0]].abs().max()) == pytest.approx(float(first.abs().max()))


def test_the_page_is_complete_in_itself(seen: Explanation, tmp_path: Path) -> None:
    file = seen.save(tmp_path / "a.html")
    assert file.stat().st_size < 2_000_000
    found = checked(file.read_text(encoding="utf-8").replace("<!doctype html>", ""))
    assert sum(tag == "img" for tag, _ in found.all) == 1 + 4 + 8 * len(seen.sight().stages) + 1
    assert "prefers-color-scheme" in file.read_text(encoding="utf-8") and "%" in found.text


@pytest.mark.parametrize("learned", [True, False])
def test_likenesses_are_drawn_and_their_absence_is_one_line(
    learned: bool, seen: Explanation, picture: np.ndarray
) -> None:
    images = tuple(NearestImage(HOSTILE, f"class {k}", 0.9 - k / 10, picture[..., None]) for k in range(3))
    with_them, without = NearestImages(images, 300, 4000, learned), NearestImages((), 0, 0, True, message("gone"))
    sight = seen.sight()
    pages = {
        name: html_of(dataclasses.replace(sight, alike=alike))
        for name, alike in (("with", with_them), ("without", without))
    }
    text = checked(pages["with"].replace("<!doctype html>", "")).text
    assert (
        "class 2" in text
        and "cos 0.700" in text
        and ("300 of 4,000 training images" if learned else "300 of 4,000 images, each folder") in text
    )
    assert (
        "gone" in checked(pages["without"].replace("<!doctype html>", "")).text
        and "cos" not in pages["without"].split("alike-title")[-1]
    )
    tall, short = (draw_picture(dataclasses.replace(sight, alike=alike)).height for alike in (with_them, without))
    assert tall - short > 150


def test_the_sheet_shows_the_image_and_its_maps(seen: Explanation, picture: np.ndarray) -> None:
    sheet = draw_picture(seen.sight())
    assert sheet.mode == "RGB" and sheet.width == 1600 and 2000 < sheet.height < 6000
    pixels = np.asarray(sheet).astype(int)
    # first line of ink in that column: the rule under the head
    top = int((pixels[:, 88 + 260] != color_scale.PAPER).any(1).argmax())
    image = next(y for y in range(top + 10, 400) if (pixels[y, 100] != color_scale.PAPER).any()) + 1
    side = 520
    shown = pixels[image + side // 32 : image + side : side // 16, 88 + side // 32 : 88 + side : side // 16][
        :16, :16, 0
    ]
    # enlarged without smoothing; edges fall between pixels
    assert np.abs(shown - picture[: len(shown), : shown.shape[1]]).mean() < 40


def test_colours_are_those_of_the_studio() -> None:
    plane = np.array([[-1.0, 0.0, 1.0, 0.5, 7.0, np.nan]])
    red = np.asarray(color_scale.paint_plane(plane, 1.0))[0].tolist()
    assert (
        red[:3] == [list(color_scale.MINUS), list(color_scale.PAPER), list(color_scale.PLUS)]
        and red[4] == red[2]
        and red[5] == red[1]
    )
    assert red[3] == pytest.approx(
        [(a + b) / 2 for a, b in zip(color_scale.PAPER, color_scale.PLUS, strict=True)], abs=1
    )
    script = (Path(limpide.__file__).parent / "browser" / "static" / "color_scale.js").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"\d+", script[script.index("light: [") :])[:9]]
    assert numbers == [*color_scale.MINUS, *color_scale.PAPER, *color_scale.PLUS]
    assert color_scale.end_of(np.zeros((4, 4))) == 0 and np.asarray(
        color_scale.paint_plane(np.zeros((2, 2)), 0.0)
    ).min() == min(color_scale.PAPER)


def test_what_no_font_can_write_is_written_plainly() -> None:
    from PIL import ImageFont

    assert writable_text("été à 98,5\u202f% − cœur", ImageFont.load_default(20)) == "ete a 98,5 % - coeur"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_badge_has_one_wording_on_page_and_sheet(
    lang: str, seen: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_language(lang)
    sight, written = seen.sight(), []
    with monkeypatch.context() as patch:
        patch.setattr(
            "limpide.explanation.picture.writable_text",
            lambda text, font: written.append(str(text)) or writable_text(text, font),
        )
        draw_picture(sight)
    page = checked(html_of(sight).replace("<!doctype html>", "")).text
    for found in sight.evidence:
        own = messages._(BADGE_WORDS[found.badge.verdict])
        assert own in written and own in page
    assert not any(messages._(other) in written for other in VERDICT_WORDS.values())
