"""The pages in a real browser: from the curve to the product while it trains, by keyboard, in both languages and themes, silent and harmless."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_server
from test_server import Server, served, trained  # noqa: F401 (a fixture)
from test_watching import begun, learning

from limpide.browser import STATIC
from limpide.data.split import read_split
from limpide.ladder.convolution import convolve
from limpide.ladder.perceptron import OR, XOR, perceptron
from limpide.ladder.race import SURFACES, race
from limpide.run import Run

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000  # ms
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[Server]:  # noqa: F811
    found = served(trained)
    yield found
    test_server.ended(found)


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A page that was let in; afterwards: no error, and no request that left the machine."""
    yield from _page(browser, server)


def _page(browser: Any, server: Server) -> Iterator[Any]:
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="light", locale="en-US")
    found = context.new_page()
    found.set_default_timeout(PATIENCE)
    found.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", lambda request: asked.append(request.url))
    found.on("dialog", lambda dialog: said.append("a script of a class name ran"))
    found.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    found.wait_for_selector("h1")
    yield found
    context.close()
    assert said == []
    assert {re.sub(r"^(https?://[^/]+|data:|blob:).*", r"\1", url, flags=re.S) for url in asked} <= {f"http://127.0.0.1:{server.port}", "data:", "blob:"}


def go(page: Any, hash: str, wait: str = "h1") -> None:
    page.evaluate("hash => { location.hash = hash }", hash)
    page.wait_for_selector(wait)
    page.wait_for_function("() => !document.querySelector('[role=status]')?.textContent.includes('Loading')")


RUN = "run=photos-001"
PAGES = (
    [
        "page=runs",
        "page=compare&runs=photos-001",
        f"page=live&{RUN}",
        f"page=anatomy&{RUN}",
        f"page=layer&{RUN}",
        f"page=unit&{RUN}",
        f"page=image&{RUN}",
        f"page=errors&{RUN}",
    ]
    + [
        f"page=map&{RUN}",
        f"page=audit&{RUN}&by=brightness",
        f"page=data&{RUN}",
    ]
    + [f"page=learn&part={part}" for part in ("neuron", "descent", "race", "playground", "bench", "digit")]
)


@pytest.mark.parametrize("hash", PAGES)
def test_every_page_in_both_languages_and_themes_says_everything_and_fits(page: Any, hash: str) -> None:
    for language, theme in (("en", "light"), ("fr", "dark")):
        page.evaluate("([l, t]) => { localStorage.setItem('language', l); localStorage.setItem('theme', t) }", [language, theme])
        page.reload()
        go(page, hash)
        assert page.evaluate("document.documentElement.lang") == language and page.evaluate("document.documentElement.dataset.theme") == theme
        text = page.inner_text("body")
        missing = [
            key for key in json.loads((STATIC / "locale" / "en.json").read_text()) if "." in key and re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", text)
        ]
        assert not missing, "a key without a sentence"
        page.set_viewport_size({"width": 420, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 440, "nothing but tables scrolls sideways"
        page.set_viewport_size({"width": 1200, "height": 900})


def test_the_catalogues_have_the_same_keys_and_the_pages_use_no_other() -> None:
    english, french = (json.loads((STATIC / "locale" / f"{name}.json").read_text()) for name in ("en", "fr"))
    assert list(english) == list(french)
    for key in english:
        assert bool(english[key]) == bool(french[key]) == (key != "energy.undefined"), key
        assert set(re.findall(r"\{\w+\}", english[key])) == set(re.findall(r"\{\w+\}", french[key])), key
    scripts = "".join(file.read_text() for file in STATIC.rglob("*.js") if "vendor" not in file.parts)
    used = set(re.findall(r"\bt\(\"([^\"]+)\"", scripts))
    assert len(used) > 100 and used <= set(english), used - set(english)
    stems = tuple(re.findall(r"\bt\(`([\w.]+)\$", scripts))  # t(`status.${…}`)
    quoted = set(re.findall(r"\"([\w.]+)\"", scripts))  # t(wrong ? "image.wrong" : "image.right")
    assert {key for key in english if key not in used | quoted and not key.startswith(stems)} == set(), "said nowhere"


def test_the_first_paint_is_small() -> None:
    first = [
        "index.html",
        "studio.css",
        "app.js",
        "html.js",
        "here.js",
        "state.js",
        "words.js",
        "api.js",
        "npy.js",
        "fetched.js",
        "paint.js",
        "plot.js",
        "pages/live.js",
    ]
    files = [STATIC / name for name in first] + list((STATIC / "vendor").iterdir()) + list((STATIC / "locale").iterdir())
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 150_000


def test_a_hostile_class_is_text_everywhere(page: Any) -> None:
    for hash in (f"page={name}&{RUN}" for name in ("live", "image", "unit", "errors", "map", "audit&by=class", "data")):
        go(page, hash)
        page.wait_for_timeout(300)
        assert page.locator("img[src='x']").count() == 0
    go(page, f"page=image&{RUN}")
    assert HOSTILE in page.inner_text("main")


def test_axe_finds_nothing_serious(browser: Any, server: Server) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: npm ci")
    context = browser.new_context(viewport={"width": 1200, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    found = []
    for theme in ("light", "dark"):
        page.evaluate("t => localStorage.setItem('theme', t)", theme)
        page.reload()
        for hash in PAGES:
            go(page, hash)
            page.wait_for_timeout(200)
            page.add_script_tag(path=str(AXE))
            for one in page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)"):
                if one["impact"] in ("serious", "critical"):
                    found.append((theme, hash, one["id"], [node["html"][:120] for node in one["nodes"]][:3]))
    context.close()
    assert not found, "\n".join(map(str, found))


def test_from_the_curve_to_one_product_while_it_trains(browser: Any, tmp_path: Path) -> None:
    process = begun(tmp_path, "--epochs", "2000", "--model", "cnn", "--patience", "2000", "--batch", "32")
    try:
        run = learning(tmp_path)
        server = served(tmp_path)
        try:
            for page in _page(browser, server):
                go(page, f"page=live&run={run.path.name}")
                step = page.locator(".figures dd").nth(1)
                seen = []
                for _ in range(8):
                    seen.append(step.inner_text())
                    time.sleep(0.5)
                assert len(set(seen)) >= 7, f"at least twice a second: {seen}"
                page.click("text=Pause")
                page.wait_for_selector("text=Asked to pause.")
                page.locator(".u-over").first.click(position={"x": 60, "y": 60})
                page.wait_for_function("() => /at=\\d+/.test(location.hash)")
                assert int(re.search(r"at=(\d+)", page.url).group(1)) in run.kept()  # type: ignore[union-attr]
                page.get_by_role("link", name="Anatomy").click()
                page.wait_for_selector("table")
                page.get_by_role("link", name="blocks.1.0", exact=True).click()
                page.wait_for_selector(".map canvas")
                page.locator(".map canvas").nth(2).click()
                page.wait_for_selector(".written")
                agrees(page)
                page.keyboard.press("ArrowRight")
                page.wait_for_timeout(300)
                agrees(page)
                cell = page.locator("a.cell").first
                cell.hover()
                value, weight, product = (float(part.replace("\u2212", "-")) for part in re.split(r"[×=]", page.locator(".sum ~ p[role=status]").inner_text()))
                assert value * weight == pytest.approx(product, abs=2e-6)
                cell.click()
                page.wait_for_function("() => !location.hash.includes('key=blocks.1.0&') && !location.hash.endsWith('key=blocks.1.0')")
                page.wait_for_selector(".written .badge.ok")
                go(page, f"page=live&run={run.path.name}")
                page.click("text=Finish with what is learned")
                assert process.wait(120) == 0
        finally:
            test_server.ended(server)
    finally:
        process.kill()
    assert run.info()["status"] == "finished"


def agrees(page: Any) -> None:
    page.wait_for_selector(".written .badge.ok")
    rows = {row.locator("td").nth(2).inner_text(): row.locator("td").nth(1).inner_text() for row in page.locator(".written tr").all()}
    ours, torchs = (
        float(next(value for name, value in rows.items() if name.startswith(start)).replace(",", "").replace("\u2212", "-"))
        for start in ("value,", "as PyTorch")
    )
    assert ours == pytest.approx(torchs, abs=1e-4)


def test_a_cell_shows_its_images_and_a_mark_is_kept(page: Any, trained: Path) -> None:  # noqa: F811
    run = Run(trained / "photos-001")
    go(page, f"page=errors&{RUN}")
    button = page.locator(".matrix button").first
    n = int(button.inner_text())
    button.click()
    page.wait_for_selector("h3 + div .probe img")
    assert page.locator("h3 + div .probe img").count() == n
    choice = page.locator("h3 + div .probe select").first
    choice.select_option("?")
    page.wait_for_selector("text=1 marked, kept in")
    (one,) = read_split(run.marks_file)
    assert one["suggested"] == "?" and one["file"] in page.locator("h3 + div .probe select").first.get_attribute("aria-label")
    choice.select_option("")
    page.wait_for_selector("text=What you mark is kept in")
    assert list(read_split(run.marks_file)) == []
    page.locator("h3 + div .probe a").first.click()
    page.wait_for_function("() => location.hash.includes('page=image') && /image=row-\\d+/.test(location.hash)")
    page.wait_for_selector(".crumbs")
    assert page.inner_text(".crumbs") == one["file"]


def test_a_line_around_points_shows_their_images(page: Any) -> None:
    go(page, f"page=map&{RUN}", "canvas")
    page.wait_for_selector("text=80 of 80 images")
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((box["width"] - 2, 2), (box["width"] - 2, box["height"] - 2), (2, box["height"] - 2)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.mouse.up()
    page.wait_for_selector("text=/^80 images, /")
    assert page.locator(".probe img").count() == 60
    page.locator("main select").last.select_option("class-disc")
    page.wait_for_selector("text=/^40 images, /")
    page.get_by_role("button", name="t-SNE: neighbours together").click()
    page.wait_for_selector("text=/large distances .* mean nothing/")


def test_the_image_is_turned_for_every_page_and_its_neighbours_are_found(page: Any) -> None:
    go(page, f"page=image&{RUN}&image=row-0")
    before = page.locator("table td.n").first.inner_text()
    page.locator("input[type=range]").first.fill("90")
    page.wait_for_function("() => location.hash.includes('turn=90')")
    page.wait_for_function("before => document.querySelector('table td.n')?.innerText !== before", arg=before)
    go(page, f"page=layer&{RUN}&image=row-0&turn=90")
    page.get_by_role("button", name="changed").click()
    page.wait_for_function("() => !location.hash.includes('turn')")
    go(page, f"page=image&{RUN}&image=row-0")
    page.get_by_role("button", name="Find them").click()
    page.wait_for_selector("text=/cos 0\\.|cos 1/")
    assert page.locator("section + h2 ~ div .probe img, .probes .probe img").count() == 8


def test_a_place_that_decides_is_looked_for(page: Any) -> None:
    go(page, f"page=audit&{RUN}")
    page.get_by_role("button", name="Look for such a place").click()
    page.wait_for_selector("canvas.shares")
    assert re.search(r"(One|No) small place decides", page.inner_text("main")) and page.locator(".over .box").count() >= 1


def test_runs_are_points_and_a_frame_keeps_some(page: Any) -> None:
    go(page, "page=compare")
    page.wait_for_selector("text=1 of 1 runs")
    page.get_by_role("checkbox", name="photos-001").check()
    page.wait_for_selector(".u-over")
    box = page.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_selector("text=0 of 1 runs")
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Size of the model").click()
    page.wait_for_selector("text=1 of 1 runs")
    assert re.fullmatch(r"[\d.]+ kB", page.locator("td.n").nth(1).inner_text())


def test_the_threshold_of_copies_moves_what_is_shown(page: Any) -> None:
    go(page, f"page=data&{RUN}")
    page.get_by_role("button", name="Look for them").click()
    page.wait_for_selector("text=/pairs among 80 of 80 images/")
    slider = page.locator("input[type=range]")
    slider.fill("0")
    page.wait_for_selector("text=/^0 pairs among/")
    slider.fill("64")
    page.wait_for_function("() => !/(^|\\n)0 pairs among/.test(document.querySelector('main').innerText)")
    assert page.locator(".pair").count() > 0
    page.locator("main select").last.select_option("disc")
    page.wait_for_selector("text=1 to 40 of 40")


# -- Learn


def test_the_perceptron_of_the_page_is_that_of_the_ladder(page: Any) -> None:
    for _, examples in (("OR", OR), ("XOR", XOR)):
        theirs = page.evaluate("t => import('/static/pages/learn/neuron.js').then(m => m.trace(t).rows)", [target for _, target in examples])
        ours = [event.values for event in perceptron(examples, (0, 1, 0), passes=8) if hasattr(event, "values")]
        assert [(row["x"], row["before"], row["y"], row["t"], row["after"]) for row in theirs] == [(v["X"], v["W"], v["y"], v["t"], v["W_after"]) for v in ours]
    go(page, "page=learn&part=neuron&gate=OR")
    assert "12 presentations and 2 updates" in page.inner_text("main")


@pytest.mark.parametrize("ground", SURFACES)
def test_the_race_of_the_page_is_that_of_the_ladder(page: Any, ground: str) -> None:
    steps = list(race(ground))
    for name in ("SGD", "momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"):
        own = [event for event in steps if event.values["optimiser"] == name]
        rate = page.evaluate("([n, g]) => import('/static/pages/learn/race.js').then(m => m.bestRate(n, g))", [name, ground])
        path = page.evaluate("([n, g, r]) => import('/static/pages/learn/race.js').then(m => m.run(n, g, r))", [name, ground, rate])
        assert rate == own[0].lr
        assert np.allclose(path[1:], [event.values["at"] for event in own], rtol=1e-9, atol=1e-12), name


def test_the_bench_convolves_as_the_ladder_does(page: Any) -> None:
    dice = np.random.default_rng(0)
    image, kernel = dice.random((9, 9)), dice.normal(size=(3, 3))
    theirs = page.evaluate(
        "([i, k]) => import('/static/pages/learn/bench.js').then(m => Array.from(m.convolve(i, k, 9)))", [image.ravel().tolist(), kernel.ravel().tolist()]
    )
    assert np.allclose(np.reshape(theirs, (9, 9)), convolve(image[None], kernel[None, None], np.zeros(1), padding=1)[0], atol=1e-6)
    go(page, "page=learn&part=bench")
    before = page.inner_text("#total")
    page.locator("input[type=number]").nth(4).fill("7")
    page.wait_for_function("before => document.querySelector('#total').innerText !== before", arg=before)


def test_the_playground_solves_xor(page: Any) -> None:
    go(page, "page=learn&part=playground&data=xor&shape=6,4")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("() => parseFloat(document.querySelector('#right').innerText) >= 95")


def test_a_drawn_digit_is_named_and_every_unit_lit(browser: Any, tmp_path: Path) -> None:
    process = begun(tmp_path, "--epochs", "20", "--model", "cnn")
    assert process.wait(180) == 0
    server = served(tmp_path)
    try:
        for page in _page(browser, server):
            go(page, "page=learn&part=digit")
            box = page.locator("#pad").bounding_box()
            page.mouse.move(box["x"] + 140, box["y"] + 40)
            page.mouse.down()
            page.mouse.move(box["x"] + 140, box["y"] + 240, steps=12)
            page.mouse.up()
            page.wait_for_selector("#said")
            assert page.inner_text("#said")[0] == "1"
            page.wait_for_selector("canvas.unit")
            assert page.locator("canvas.unit").count() >= 32
    finally:
        test_server.ended(server)
