"""The instruments in a notebook: pages in a real browser that talk to the very widget of this process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limpide import see
from limpide.text.page_sentences import page_sentences
from tests.studio.widget.kernel import Kernel, told
from tests.studio.widget.notebook import HERE, PAGE, Notebook

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install anywidget")
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def notebook(browser: Any) -> Iterator[Callable[[Kernel], Notebook]]:
    """Opens widgets; afterwards: no error, no dialog, and nothing was asked of any machine."""
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1000, "height": 900}, locale="en-US")

    def opened(kernel: Kernel) -> Notebook:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append("a script ran"))
        page.on("request", lambda request: asked.append(request.url))
        page.route(HERE, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        return Notebook(page, kernel)

    yield opened
    context.close()
    assert said == []
    assert {url.partition(":")[0] for url in asked if url != HERE} <= {"data", "blob"}


def test_from_a_layer_to_one_product(
    notebook: Callable[[Kernel], Notebook], kernel: Kernel, network: nn.Module, image: Tensor
) -> None:
    values = told(network, image)
    open_ = notebook(kernel)
    page, w = open_.page, kernel.widget
    page.locator("select").select_option("second")
    open_.wait(lambda: w.layer == "second")
    canvas = page.locator(".maps canvas").nth(2)  # channel 2, 8 × 10
    open_.wait(lambda: canvas.get_attribute("height") == "8")
    box = canvas.bounding_box()
    canvas.click(position={"x": 4.5 / 10 * box["width"], "y": 3.5 / 8 * box["height"]})
    open_.wait(lambda: (w.page, w.channel, w.y, w.x) == ("unit", 2, 3, 4))
    page.wait_for_selector(".written .badge.ok")
    assert f"{float(values['second'][2, 3, 4]):.6f}".replace("-", "\N{MINUS SIGN}") in open_.text()

    # Every product that is shown is torch's.
    patch = torch.relu(values["first"])[:, 5:8, 7:10].double()
    products = (patch * network.second.weight[2].double()).detach()
    shown = page.evaluate(
        "() => [...document.querySelector('#cell > div').shadowRoot.querySelectorAll('.sum')].map(sum => "
        "[...sum.querySelectorAll('.grid')[2].children].map(cell => cell.title))"
    )
    chosen = products.sum((1, 2)).abs().argsort(descending=True)[:3].sort().values.tolist()
    for channel, titles in zip(chosen, shown, strict=True):
        said = [float(title.split("= ")[1].replace("\N{MINUS SIGN}", "-").replace(",", "")) for title in titles]
        assert said == pytest.approx(products[channel].flatten().tolist(), abs=6e-6)

    # The box on the image is what the unit sees: two 3 × 3 windows, the second with stride 2.
    assert "Rows 4 to 8, columns 6 to 10" in open_.text()
    frame, whole = page.locator(".over > .box").bounding_box(), page.locator(".over > img").first.bounding_box()
    assert frame["x"] - whole["x"] == pytest.approx(6 / 20 * whole["width"], abs=2.5) and frame[
        "height"
    ] == pytest.approx(5 / 16 * whole["height"], abs=3)

    # Arrows move within the widget, and nowhere else; none is lost, however fast they come.
    page.keyboard.press("ArrowDown")
    open_.wait(lambda: (w.y, w.x) == (4, 4))
    page.evaluate(
        """() => ["PageDown", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"].forEach(key =>
            document.querySelector('#cell > div').shadowRoot.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true })))"""
    )
    open_.wait(lambda: (w.channel, w.y) == (3, 4))
    page.evaluate("document.querySelector('#cell > div').shadowRoot.activeElement.blur()")
    page.evaluate("document.addEventListener('keydown', () => (window.notebooks = (window.notebooks ?? 0) + 1))")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(150)
    assert (w.channel, w.y, w.x) == (3, 4, 4) and page.evaluate("location.hash") == ""

    # A number that goes in is what its own layer gives.
    page.locator(".grid").first.locator("a").nth(4).click()
    page.keyboard.press("a")  # in a notebook: a new cell
    page.keyboard.press("Control+s")
    assert page.evaluate("notebooks") == 3, "the arrow outside, and Control with its key"
    open_.wait(lambda: w.layer == ":relu")
    assert (w.y, w.x) == (8, 8)

    # And the other way: what Python sets is what the page shows.
    open_.do(layer="head", channel=4)
    open_.wait(lambda: f"{float(values['head'][4]):.6f}".replace("-", "\N{MINUS SIGN}") in open_.text())


def test_covering_the_image_changes_the_answer(
    notebook: Callable[[Kernel], Notebook], kernel: Kernel, network: nn.Module, image: Tensor
) -> None:
    open_ = notebook(kernel)
    open_.do(page="image")
    open_.page.get_by_role("button", name="Compute the maps").click()
    open_.page.wait_for_selector(".methods section:nth-child(4) .badge")
    assert open_.page.locator(".methods .badge").count() == 4
    picture = open_.page.locator(".over > img").first
    open_.wait(lambda: picture.evaluate("img => img.naturalWidth") == 20)
    box = picture.bounding_box()
    down = box["y"] + 0.52 * box["height"]
    open_.page.mouse.move(box["x"] + 0.03 * box["width"], down)
    open_.page.mouse.down()
    open_.page.mouse.move(box["x"] + 0.53 * box["width"], down)
    open_.page.mouse.up()
    covered = image.clone()
    covered[0, :, 8:9, : -(-(8 + 1) * 20 // 16)] = 0  # row 8 of sixteen, columns 0 to 8
    after = told(network, covered)["head"].softmax(0)
    best = int(told(network, image)["head"].argmax())
    row = open_.page.locator("tr", has=open_.page.locator(f"td:text-is('{best}')")).last
    open_.wait(lambda: row.locator("td").last.inner_text() == f"{100 * float(after[best]):.1f}\N{NO-BREAK SPACE}%")


def test_it_follows_the_notebook_and_speaks_french(notebook: Callable[[Kernel], Notebook], kernel: Kernel) -> None:
    open_ = notebook(kernel)
    paper = (
        "getComputedStyle(document.querySelector('#cell > div').shadowRoot.querySelector('.studio')).backgroundColor"
    )
    open_.wait(lambda: open_.page.evaluate(paper) == "rgb(253, 252, 250)")
    open_.page.evaluate("document.body.style.color = 'lab(95% 0 0)'")
    open_.wait(lambda: open_.page.evaluate(paper) == "rgb(21, 24, 26)")
    open_.page.get_by_role("button", name="Français").click()
    open_.wait(lambda: kernel.widget.language == "fr" and "Couche" in open_.text())
    keys = [key for key in page_sentences("fr") if "." in key]
    for name in ("image", "anatomy", "layer", "unit"):
        open_.do(page=name)
        open_.page.evaluate("document.getElementById('cell').style.width = '400px'")
        open_.page.wait_for_selector(
            {"image": "input[type=range]", "anatomy": "table", "layer": ".maps", "unit": ".written"}[name]
        )
        assert not [key for key in keys if re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", open_.text())], (
            "a key without a sentence"
        )
        assert open_.page.evaluate("document.documentElement.scrollWidth") <= 1000
        wide = "document.querySelector('#cell > div').shadowRoot.querySelector('.studio')"
        assert open_.page.evaluate(f"{wide}.scrollWidth <= {wide}.clientWidth"), name
        # the studio's tests look at the pages; here is the frame, and the series drawn without uPlot
        if name == "layer" and AXE.exists():
            open_.page.evaluate(AXE.read_text(encoding="utf-8"))
            found = open_.page.evaluate(
                "axe.run(document.getElementById('cell'), {resultTypes: ['violations']}).then(r => r.violations)"
            )
            assert not [
                (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
            ], name


def test_two_views_go_together_and_a_hostile_name_is_text(
    notebook: Callable[[Kernel], Notebook], network: nn.Module, image: Tensor
) -> None:
    def hostile() -> Any:
        seen = see(network, image)
        object.__setattr__(seen._opened, "classes", (HOSTILE,) * 5)
        object.__setattr__(seen._opened, "name", HOSTILE)
        return seen.widget("second", 1, 2, 3)

    kernel = Kernel(hostile)
    kernel.taken()
    open_ = notebook(kernel)
    open_.show()
    heads = open_.page.locator(".studio h1")
    open_.wait(lambda: heads.count() == 2)
    open_.page.get_by_role("button", name="next channel").last.click()
    open_.wait(lambda: kernel.widget.channel == 2 and "channel 2, row 2, column 3" in open_.text())
    for place in ({"page": "unit", "layer": "head"}, {"page": "image"}):
        open_.do(**place)
        open_.wait(lambda: open_.text().count(HOSTILE) > 1)  # the title, and the classes
        assert open_.page.locator("img[src='x']").count() == 0
    assert (
        open_.page.evaluate("[...limpideModules.keys()].filter(text => text.includes('createElementNS')).length") == 1
    ), "Preact exists once"
    open_.page.evaluate("ends.forEach(end => end())")
    assert open_.page.locator(".studio > *").count() == 0


def test_the_still_stands_until_somebody_answers(
    notebook: Callable[[Kernel], Notebook], kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear, kept = kernel.hear, []
    monkeypatch.setattr(kernel, "hear", lambda message: kept.append(message) or [])
    open_ = notebook(kernel)
    open_.page.wait_for_timeout(200)
    assert open_.page.get_by_text("What Net sees").is_visible() and not open_.page.locator(".studio").is_visible()
    assert len(kept) == 1, "one question at a time"
    open_.page.evaluate("messages => model.take(messages)", hear(kept[0]))
    open_.page.wait_for_selector(".studio nav")
    open_.page.wait_for_timeout(3200)
    assert "The kernel has not answered for a while" in open_.text() and len(kept) == 2
