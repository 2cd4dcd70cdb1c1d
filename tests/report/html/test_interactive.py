"""The look inside, alive: its sums are those of torch and of the stored arrays, by mouse and by keyboard, in both
themes, and it is silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from limpide import browser as modules
from limpide.core.run import Run
from limpide.report.html import interactive
from limpide.report.html.page import html_of, write_page
from limpide.text import language, messages
from limpide.text.language import use_language
from limpide.text.page_sentences import page_sentences
from tests.report import fake_run as fake
from tests.report.html.inside_run import FIRST, alive, stored, written
from tests.report.html.test_page import Marked, Reader

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
SCRIPTS = [modules.STATIC / "pages" / "inside.js", *(modules.STATIC / "pages" / "inside").iterdir()]

pytestmark = pytest.mark.skipif(modules.missing(), reason="the modules from npm are not here: npm ci")


def unit_of(ends: dict[str, np.ndarray], channel: int, y: int, x: int) -> float:
    """The sum by another way: over the image with zeros laid around it."""
    image, weight = (ends[f"first.{name}"].astype(np.float64) for name in ("input", "weight"))
    top, left = ends["first.padding"].tolist()
    image = np.pad(image, ((0, 0), (top, top + 20), (left, left + 20)))
    k = ends["first.channels"].tolist().index(channel)
    per_group = int(ends["first.outputs"]) // int(ends["first.groups"])
    start = channel // per_group * weight.shape[1]
    rows = y * ends["first.stride"][0] + np.arange(weight.shape[2]) * ends["first.dilation"][0]
    columns = x * ends["first.stride"][1] + np.arange(weight.shape[3]) * ends["first.dilation"][1]
    patch = image[start : start + weight.shape[1]][:, rows][:, :, columns]
    return float((patch * weight[k]).sum() + ends["first.bias"][k])


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """A function that opens the page of a run; afterwards: nothing was said on the console, and nothing asked for but
    the file itself.
    """
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def page_of(run: Run, **context: Any) -> Any:
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"} | context)
        )
        page = contexts[-1].new_page()
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(write_page(run).as_uri())
        if context.get("java_script_enabled", True):
            page.wait_for_selector("#inside-live:not([hidden])")
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert said == []
    assert len([url for url in asked if not url.startswith("data:")]) == len(contexts)
    assert all(url.startswith(("file:", "data:")) for url in asked)


def number(text: str) -> float:
    return float(re.sub(r"[=+ ]", "", text).replace("−", "-").replace(",", ""))


def sums(page: Any, table: int) -> tuple[float, float]:
    """(the sum worked out on the page, torch's value) of the first or the last layer."""
    rows = page.locator("#inside-live .column-sum").nth(table)
    return number(rows.locator(".rule td.n").inner_text()), number(rows.locator(".rule + tr td.n").inner_text())


def lines(page: Any, table: int) -> list[float]:
    cells = (
        page.locator("#inside-live .column-sum")
        .nth(table)
        .locator("tr:not(.rule):not(.rule + tr):not(.step) td.n")
        .all_inner_texts()
    )
    return [number(cell) for cell in cells]


def status(page: Any, which: int = 0) -> str:
    return str(page.locator("#inside-live [role=status]").nth(which).inner_text())


def claim(page: Any) -> str:
    """The sentence under the heading of the section."""
    return str(page.locator("#inside > .claim").inner_text())


def click(canvas: Any, y: int, x: int, height: int, width: int) -> None:
    box = canvas.bounding_box()
    canvas.click(position={"x": (x + 0.5) * box["width"] / width, "y": (y + 0.5) * box["height"] / height})


@pytest.mark.parametrize("kind", [kind for kind in FIRST if kind != "linear"])
def test_a_click_on_any_map_shows_its_sum(opened: Any, tmp_path: Path, kind: str) -> None:
    run = alive(tmp_path, kind)
    ends, page = stored(run), opened(run)
    channels, height, width = ends["first.output"].shape
    assert not page.locator("#inside-still").is_visible()
    start = run.findings()["inside"].data
    assert status(page).startswith(f"channel {start['channel']}, row {start['y']}, column {start['x']} = ")
    assert claim(page) == str(run.findings()["inside"].message).replace("-", "−"), "the same sentence as Python's"
    for k, y, x in ((0, 0, 0), (channels - 1, height - 1, width - 1), (1, height // 2, 1)):
        click(page.locator("#inside-live .map").nth(k).locator("canvas.place"), y, x, height, width)
        assert status(page).startswith(f"channel {ends['first.channels'][k]}, row {y}, column {x} = ")
        here, torchs = sums(page, 0)
        assert here == pytest.approx(unit_of(ends, int(ends["first.channels"][k]), y, x), abs=1e-6)
        told = claim(page)
        assert told.startswith(
            f"Unit {ends['first.channels'][k]} of layer {ends['first.name']} at row {y}, column {x} is the sum "
            f"of {ends['first.weight'][0].size} products: "
        )
        assert number(told.split(": ")[1].rstrip(".")) == pytest.approx(here, rel=6e-3)
        assert torchs == pytest.approx(float(ends["first.output"][k, y, x]), abs=1e-6)
        assert sum(lines(page, 0)) == pytest.approx(here, abs=2e-6)
        assert page.locator("#inside-live .agrees").count() == 2
        inside = page.inner_text("#inside-live")
        said = ["bias, the unit's own constant" in inside, "adds a constant" in inside]
        assert said == [bool(ends["first.bias"].any())] * 2
        steps = [number(step.replace("→", "")) for step in page.locator("#inside-live .step td.n").all_inner_texts()]
        output = torch.from_numpy(ends["first.output"])[None]
        expected = []
        for module in [*FIRST[kind][0][1:], nn.ReLU()] if kind == "normalized" else [nn.ReLU()]:  # type: ignore[index]
            output = module.eval()(output)
            expected.append(float(output.detach()[0, k, y, x]))
        assert steps == pytest.approx(expected, abs=2e-6), "every step that follows"
    if kind == "normalized":
        assert (
            "after batch normalization (first.1)" in inside and "after ReLU (:relu): what the next layer sees" in inside
        )
    click(page.locator("#inside-map canvas"), 1, 2, height, width)
    assert "row 1, column 2" in status(page)


def test_the_products_are_those_of_the_patch_and_the_weights(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path, "many")
    ends, page = stored(run), opened(run)
    page.locator("#inside-live .map button").nth(2).click()
    click(page.locator("#inside-map canvas"), 0, 5, 12, 16)  # at the border: a row of the patch lies outside
    patch = np.pad(ends["first.input"], ((0, 0), (1, 1), (1, 1)))[:, 0:3, 5:8].astype(float)
    products = patch * ends["first.weight"][2]
    shown = sorted(np.argsort(-np.abs(products.sum((1, 2))))[:3].tolist())
    blocks = page.locator("#inside-live .scroll:has(.sum)")
    assert blocks.count() == 3
    for block, i in zip(blocks.all(), shown, strict=True):
        assert block.get_attribute("aria-label") == f"input channel {i}"
        grids = [[cell.inner_text() for cell in grid.locator("td").all()] for grid in block.locator("table.grid").all()]
        assert grids[0][:3] == ["·"] * 3 and grids[2][:3] == ["·"] * 3 and "·" not in grids[1]
        for texts, values in zip(grids, (patch[i], ends["first.weight"][2][i], products[i]), strict=True):
            for text, value in zip(texts, values.ravel(), strict=True):
                assert text == "·" or number(text) == pytest.approx(value, abs=6e-3)
        assert number(block.locator(".total b").inner_text()) == pytest.approx(products[i].sum(), abs=6e-5)
    assert (
        f": {products.sum() - products[shown].sum():.4f}".replace("-", "−") in page.locator("#inside-live").inner_text()
    )


def test_the_frame_surrounds_what_the_unit_sees(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path, "strides"))  # kernel 3 × 2, stride 2 and 1, padding 1 and 3, dilation 1 and 2
    page.locator("#inside-live .map button").nth(1).focus()
    click(page.locator("#inside-map canvas"), 2, 5, 6, 20)
    whole, frame = (
        page.locator(f"#inside-live .looks figure:first-child .over{part}").bounding_box() for part in ("", " .frame")
    )
    found = [(frame[a] - whole[a]) / whole[s] * n for a, s, n in (("y", "height", 12), ("x", "width", 16))]
    assert found == pytest.approx([3, 2], abs=0.05)  # rows 3 to 5, columns 2 to 4
    assert [frame["height"] / whole["height"] * 12, frame["width"] / whole["width"] * 16] == pytest.approx(
        [3, 3], abs=0.05
    )


def test_units_of_a_linear_layer_are_opened_one_by_one(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path, "linear")
    ends, page = stored(run), opened(run)
    for k in (0, 5):
        page.locator("#inside-live .map canvas").nth(3 * k).click()
        assert status(page).startswith(f"unit {k} = ") and claim(page).startswith(f"Unit {k} of layer ")
        assert sums(page, 0) == pytest.approx((unit_of(ends, k, 0, 0), float(ends["first.output"][k, 0, 0])), abs=1e-6)
    page.locator("#inside-live summary").click()
    first = page.locator("#inside-live details tbody tr").first.locator("td").all_inner_texts()
    products = ends["first.input"].astype(float) * ends["first.weight"][5]
    c, y, x = (int(n) for n in first[0].split(", "))
    assert abs(products[c, y, x]) == np.abs(products).max() and number(first[3]) == pytest.approx(
        products[c, y, x], abs=6e-5
    )


def test_a_value_of_torch_that_is_not_the_sum_is_called_out(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends = stored(run)
    ends["first.output"][2] += 1e-3
    ends["last.logits"][7] += 1e-3
    written(run, ends)
    page = opened(run)
    page.locator("#inside-live .map button").nth(2).click()
    page.locator("#inside-live .scores button", has_text="7").click()
    assert page.locator("#inside-live .differs").count() == 2 and page.locator("#inside-live .agrees").count() == 0
    assert "difference 1.0\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻³" in page.locator("#inside-live").inner_text()


def test_the_arrow_keys_move_the_unit(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends, page = stored(run), opened(run)
    click(page.locator("#inside-live .map canvas.place").first, 0, 0, 10, 14)
    page.locator("#inside-map").focus()
    for key, place in (
        ("ArrowDown", (0, 1, 0)),
        ("ArrowRight", (0, 1, 1)),
        ("ArrowUp", (0, 0, 1)),
        ("ArrowLeft", (0, 0, 0)),
        ("ArrowLeft", (0, 0, 13)),
        ("PageDown", (1, 0, 13)),
        ("PageUp", (0, 0, 13)),
    ):
        page.keyboard.press(key)
        assert status(page).startswith("channel {}, row {}, column {} = ".format(*place))
        assert sums(page, 0)[0] == pytest.approx(unit_of(ends, *place), abs=1e-6)
    page.get_by_role("button", name="one row down").click()
    assert "row 1, column 13" in status(page)


def test_sentence_sum_and_maps_change_in_one_frame(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path))
    # microtasks alone pass between the click and the second look: the browser paints no frame there
    before, after = page.evaluate(
        """async () => {
            const look = () => [
                document.querySelector("#inside > .claim").textContent,
                document.querySelector("#inside-live [role=status]").textContent,
                document.querySelector("#inside-live .rule td.n").textContent,
                document.querySelector("#inside-map canvas").toDataURL(),
            ];
            const before = look();
            document.querySelector("#inside-live .map button[aria-pressed=false]").click();
            for (let k = 0; k < 20; k++) await Promise.resolve();
            return [before, look()];
        }"""
    )
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_many_buttons_are_one_stop_of_the_tab_key(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path))
    chosen = page.locator("#inside-live .map button[aria-pressed=true]")
    number_of = lambda: int(chosen.locator(".unseen").inner_text().split()[1])  # noqa: E731
    before = number_of()
    chosen.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert number_of() == (before + 1) % 4
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.scores') !== null")
    page.keyboard.press("End")
    assert page.locator("#inside-live .scores button").last.get_attribute("aria-pressed") == "true"


def test_each_score_is_its_features_times_its_weights(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    ends, page = stored(run), opened(run)
    assert status(page, 1).startswith(f"score of “{int(ends['last.logits'].argmax())}” = ")
    for k in (3, 8):
        page.locator("#inside-live .scores button", has_text=str(k)).click()
        products = ends["last.features"].astype(float) * ends["last.weight"][k]
        here, torchs = sums(page, 1)
        assert here == pytest.approx(products.sum() + ends["last.bias"][k], abs=1e-6)
        assert torchs == pytest.approx(float(ends["last.logits"][k]), abs=1e-6)
        assert sum(lines(page, 1)) == pytest.approx(here, abs=3e-6)
        for table, order in ((0, np.argsort(-products)), (1, np.argsort(products))):
            rows = page.locator("#inside-live .sides > div").nth(table).locator("tbody tr")
            assert [row.locator("th").inner_text() for row in rows.all()] == [str(n) for n in order[:12]]
            assert number(rows.first.locator("td.n").last.inner_text()) == pytest.approx(products[order[0]], abs=6e-5)


def test_of_many_classes_any_can_be_chosen(opened: Any, tmp_path: Path) -> None:
    names = tuple(f"species {k}" for k in range(40))
    run = alive(tmp_path, classes=names)
    ends, page = stored(run), opened(run)
    assert page.locator("#inside-live .scores button").count() == 12
    last = int(ends["last.logits"].argmin())
    page.get_by_label("any class").select_option(label=f"species {last}")
    assert status(page, 1).startswith(f"score of “species {last}” = ")
    assert sums(page, 1)[1] == pytest.approx(float(ends["last.logits"][last]), abs=1e-6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["strides", "linear"])
def test_axe_finds_nothing_serious(opened: Any, tmp_path: Path, scheme: str, kind: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: npm ci")
    # axe itself is a script that the page forbids
    page = opened(alive(tmp_path, kind), color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run('#inside', {resultTypes: ['violations']}).then(found => found.violations)")
    assert [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ] == []


def test_dark_is_drawn_dark_and_follows_the_system(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path))
    middle = (
        "[...document.querySelectorAll('#inside-live .scale i')].map(scale => "
        "scale.getAttribute('style'))[0].includes('rgb(253, 252, 250)')"
    )
    assert page.evaluate(middle)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => !{middle}")


@pytest.mark.parametrize("width", [380, 1400])
def test_nothing_sticks_out(opened: Any, tmp_path: Path, width: int) -> None:
    names = (fake.HOSTILE, "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "c")
    page = opened(alive(tmp_path, "squares", names), viewport={"width": width, "height": 900})
    page.locator("#inside-live .scores button", has_text="Donau").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_from_files_stay_text(opened: Any, tmp_path: Path) -> None:
    names = (fake.HOSTILE, "</script><script>alert(1)</script><!--", "a\u202eb")
    run = alive(tmp_path, classes=names)
    ends = stored(run)
    ends["first.name"] = ends["last.name"] = np.array("</script><img src=x onerror=alert(2)>")
    written(run, ends)
    html = html_of(run)
    assert [tag for tag, _ in Reader(html).tags].count("script") == 4 and "\u202e" not in html
    page = opened(run)  # which fails on any message, alert or request
    said = page.locator("#inside-live").inner_text()
    assert names[0] in said and names[1] in said and "a\\x202eb" in said and "</script><img" in said
    assert page.evaluate("document.querySelectorAll('#inside-live img, #inside-live script').length") == 0


def test_no_other_script_runs(browser: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    html = html_of(run)
    rules = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert rules and re.fullmatch(
        (
            r"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[\w+/=]+' "
            r"'nonce-[0-9a-f]{32}'"
        ),
        rules[1],
    )
    added = '<script>document.title = "in"</script><script src="data:text/javascript,document.title=\'in\'"></script>'
    added += (
        '<script type="module">import "data:text/javascript,document.title=\'in\'"</script><img src=x '
        "onerror=\"document.title='in'\">"
    )
    run.report_file.write_text(html.replace("</body>", added + "</body>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(run.report_file.as_uri())
    page.wait_for_selector("#inside-live:not([hidden])")
    assert page.title() != "in"
    page.close()


def test_every_word_goes_through_gettext(opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_catalogue", Marked())
    monkeypatch.setattr(language, "_language", "fr")
    for kind in ("many", "strides", "squares", "linear"):
        page = opened(alive(tmp_path / kind, kind))
        texts = page.locator("#inside-live").evaluate(
            """live => [...live.querySelectorAll('*')].flatMap(one => [one.getAttribute('aria-label'), one.title,
               ...[...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data)])"""
        )
        spoken = [text for text in texts if text and re.search(r"[a-z]{2}", text)]
        assert (
            len(spoken) > 20 and [text for text in spoken if not text.startswith("⟦") and not text.endswith("⟧")] == []
        )
        value = page.locator("#inside-live .column-sum .rule td.n").first.inner_text()
        assert "," in value and "." not in value


def test_french(opened: Any, tmp_path: Path) -> None:
    use_language("fr")
    if messages._("From the features to the scores") == "From the features to the scores":
        pytest.skip("the French catalogue does not have the page's sentences yet, or is not compiled here")
    page = opened(alive(tmp_path))
    said = page.locator("#inside-live").inner_text()
    assert "canal" in said and "ligne" in said and "somme" in said
    assert not [
        sentence
        for sentence in page_sentences("en", interactive.SAID).values()
        if "{" not in sentence and len(sentence) > 12 and sentence in said
    ]


def test_where_only_the_last_layer_is_known_the_unit_stays_a_picture(opened: Any, tmp_path: Path) -> None:
    run = alive(tmp_path)
    written(run, {name: array for name, array in stored(run).items() if not name.startswith("first.")})
    page = opened(run)
    assert page.locator("#inside-still").is_visible() and page.locator("#inside-live .scores").is_visible()
    assert page.locator("#inside-live .map").count() == 0


def test_without_javascript_the_picture_stands(opened: Any, tmp_path: Path) -> None:
    page = opened(alive(tmp_path), java_script_enabled=False)
    assert page.locator("#inside-still").is_visible() and not page.locator("#inside-live").is_visible()
