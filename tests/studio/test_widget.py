"""The instruments in a notebook: what the kernel answers, and the pages in a real browser that talk to the very widget
of this process.
"""

from __future__ import annotations

import base64
import builtins
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
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
from limpide.text.page_sentences import page_sentences

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install anywidget")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)>"
HERE = "http://notebook.test/"


class Net(nn.Module):
    """Two convolutions, the second with stride and padding, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.head = nn.Linear(6 * 8 * 10, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.relu(self.second(torch.relu(self.first(images)))).flatten(1))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Net().train()


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.randn(1, 3, 16, 20, generator=torch.Generator().manual_seed(1))


class Kernel:
    """A widget and the wire to its page: what it says is kept until the page takes it."""

    def __init__(self, made: Callable[[], Any]) -> None:
        import comm

        self.said: list[dict[str, Any]] = []
        kernel = self

        class Wire(comm.base_comm.BaseComm):
            def publish_msg(
                self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
            ) -> None:
                kernel.said.append(
                    {**(data or {}), "buffers": [base64.b64encode(each).decode() for each in buffers or []]}
                )

        before, comm.create_comm = comm.create_comm, Wire
        try:
            self.widget = made()
        finally:
            comm.create_comm = before

    def hear(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """A message of the page, and what is answered."""
        self.widget.comm.handle_msg({"content": {"data": json.loads(json.dumps(message))}, "buffers": []})
        return self.taken()

    def taken(self) -> list[dict[str, Any]]:
        found, self.said = self.said, []
        return [json.loads(json.dumps(one, allow_nan=False)) for one in found]  # as the wire carries it

    def ask(self, what: object, **values: object) -> dict[str, Any]:
        (answer,) = self.hear({"method": "custom", "content": {"id": "1", "what": what, "values": values}})
        assert answer["content"]["id"] == "1"
        return {"bytes": base64.b64decode(answer["buffers"][0]) if answer["buffers"] else b"", **answer["content"]}


@pytest.fixture
def kernel(network: nn.Module, image: Tensor) -> Kernel:
    found = Kernel(lambda: see(network, image).widget())
    found.taken()
    return found


def told(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """What torch itself says that each layer gives."""
    network.eval()
    with torch.inference_mode():
        first = network.first(image)
        second = network.second(torch.relu(first))
        found = {
            "image": image[0],
            "first": first[0],
            "second": second[0],
            "head": network.head(torch.relu(second).flatten(1))[0],
        }
    network.train()
    return found


# -- where we are


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


# -- what is answered


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


# -- in a browser

PAGE = """<!doctype html><html lang="en"><body style="color: #111; background: #fff"><div id="cell" style="width: 900px"></div><script>
class Model {
  constructor(state) { [this.state, this.changed, this.heard] = [state, {}, {}]; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = this.changed[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes() { if (Object.keys(this.changed).length) this.tell({ method: "update", state: this.changed }); this.changed = {}; }
  send(content) { this.tell({ method: "custom", content }); }
  on(name, heard) { (this.heard[name] ??= new Set()).add(heard); }
  off(name, heard) { this.heard[name]?.delete(heard); }
  emit(name, ...values) { for (const heard of [...(this.heard[name] ?? [])]) heard(...values); }
  async tell(message) { this.take(await kernel(JSON.stringify(message))); }
  take(messages) {
    for (const { method, content, state, buffers } of messages) {
      if (method === "update") { Object.assign(this.state, state); for (const name of Object.keys(state)) this.emit(`change:${name}`); }
      if (method === "custom") this.emit("msg:custom", content, buffers.map((each) => new DataView(Uint8Array.from(atob(each), (letter) => letter.charCodeAt(0)).buffer)));
    }
  }
}
const show = async (state, el = document.getElementById("cell")) => {
  window.model ??= new Model(state);
  const widget = await import(URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" })));
  return (window.ends ??= []).push(await widget.default.render({ model, el }));
};
</script></body></html>"""


class Notebook:
    """A page that plays anywidget's model to a widget of this process."""

    def __init__(self, page: Any, kernel: Kernel) -> None:
        self.page, self.kernel = page, kernel
        page.expose_function("kernel", lambda message: kernel.hear(json.loads(message)))
        page.goto(HERE)
        self.show()

    def show(self) -> None:
        self.page.evaluate(
            "state => show(state)",
            {name: value for name, value in self.kernel.widget.get_state().items() if not name.startswith("_view")},
        )

    def do(self, **place: object) -> None:
        """Set from Python."""
        for name, value in place.items():
            setattr(self.kernel.widget, name, value)
        self.page.evaluate("messages => model.take(messages)", self.kernel.taken())

    def text(self) -> str:
        return str(self.page.locator(".studio").first.inner_text())

    def wait(self, condition: Callable[[], bool]) -> None:
        for _ in range(200):
            if condition():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(self.text())


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
    open_.page.get_by_role("button", name="Look for it").click()
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
