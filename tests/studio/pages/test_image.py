"""The page Image: changes, neighbours, saliency maps; and images that are dropped on any page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.studio.pages.drive import PAGES, PATIENCE, RUN, go
from tests.studio.serving import Server


def test_the_image_is_turned_for_every_page_and_its_neighbours_are_found(page: Any) -> None:
    go(page, f"page=image&{RUN}&image=row-0")
    before = page.locator("table td.n").first.inner_text()
    page.locator("input[type=range]").first.fill("90")
    page.wait_for_function("() => location.hash.includes('turn=90')")
    page.wait_for_function("before => document.querySelector('table td.n')?.innerText !== before", arg=before)
    go(page, f"page=layer&{RUN}&image=row-0&turn=90")
    page.get_by_role("button", name="undo the changes").click()
    page.wait_for_function("() => !location.hash.includes('turn')")
    go(page, f"page=image&{RUN}&image=row-0")
    page.get_by_role("button", name="Find them").click()
    page.wait_for_selector("text=/cos 0\\.|cos 1/")
    assert page.locator("section + h2 ~ div .probe img, .probes .probe img").count() == 8


def test_maps_come_at_once_and_their_badges_follow(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, f"page=image&{RUN}&image=row-2")
    page.wait_for_function("() => document.querySelectorAll('.methods details').length === 4")
    found = [name for url in asked for name in ("saliency", "sanity") if f"/look/{name}?" in url]
    assert (
        sorted(found) == ["saliency"] * 4 + ["sanity"] * 4
        and found[:2] == ["saliency"] * 2
        and found.index("sanity") >= 1
    )
    assert "/report?lang=en" in str(page.get_by_role("link", name="The report").get_attribute("href")), (
        "in the language of the page"
    )
    assert page.locator(".methods canvas").count() == 4 and page.locator(".methods .badge").count() == 4


PNG = """() => { const c = document.createElement('canvas'); c.width = c.height = 40; c.getContext('2d').fillRect(5, 5, 20, 20);
    return new Promise((done) => c.toBlob((blob) => done(new File([blob], 'mine.png', { type: 'image/png' })))); }"""


DROP = f"""async () => {{ const data = new DataTransfer(); data.items.add(await ({PNG})());
    document.body.dispatchEvent(new DragEvent('dragover', {{ dataTransfer: data, bubbles: true, cancelable: true }}));
    const landing = await new Promise((done) => setTimeout(() => done(document.querySelector('.landing')?.innerText), 50));
    document.body.dispatchEvent(new DragEvent('drop', {{ dataTransfer: data, bubbles: true, cancelable: true }})); return landing; }}"""


def test_a_photograph_is_dropped_on_any_page(page: Any, tmp_path: Path) -> None:
    shown = {"anatomy", "layer", "unit", "image", "data"}
    names = [hash.split("&")[0][5:] for hash in PAGES if RUN in hash and "compare" not in hash]
    assert set(names) >= shown | {"live", "errors", "map", "audit"}
    for name in names:
        go(page, f"page={name}&{RUN}&turn=5")
        assert page.evaluate(DROP) == "Drop the photograph: every page of this run will use it.", name
        page.wait_for_function("() => /image=drop-\\w+/.test(location.hash)")
        assert f"page={name if name in shown else 'image'}&" in page.url and "turn=" not in page.url, name
        page.wait_for_selector("option[value^=drop-]", state="attached")
        assert page.locator(".landing, [role=alert]").count() == 0, name
    go(page, "page=runs&run=")
    assert page.evaluate(DROP).startswith("This page uses no image")
    page.wait_for_selector("[role=alert]")
    page.get_by_role("button", name="Close").click()
    assert page.locator("[role=alert]").count() == 0
    go(page, "page=learn&part=bench")
    before = page.inner_text("#total")
    assert page.evaluate(DROP) == "Drop the photograph: the kernel will slide over it."
    page.wait_for_function("before => document.querySelector('#total').innerText !== before", arg=before)
    go(page, f"page=live&{RUN}")
    page.route("**/api/upload*", lambda route: route.fulfill(body="no answer at all"))
    page.evaluate(DROP)
    page.wait_for_selector("[role=alert] >> text=mine.png was not accepted")
    assert "page=live" in page.url
    page.unroute("**/api/upload*")
    file = tmp_path / "own.png"
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(file)
    for _ in range(2):  # the same file twice
        go(page, f"page=layer&{RUN}&image=probe-1")
        page.locator(".bar input[type=file]").set_input_files(file)
        page.wait_for_function("() => /image=drop-/.test(location.hash)")


def test_a_file_that_is_no_image_leaves_every_page_where_it_was(browser: Any, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    wrong = {
        "cut.png": (
            "[137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0]",
            "The file is cut short or damaged: copy it again from its source",
        ),
        "dot.gif": (
            "Uint8Array.from(atob('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='), (c) => c.charCodeAt())",
            "The image is too small or too thin: use an image",
        ),
    }
    try:
        for hash, shown in (
            (f"page=unit&{RUN}&image=probe-1", ".written"),
            (f"page=live&{RUN}", ".probe"),
            ("page=learn&part=bench", "#total"),
        ):
            go(page, hash, shown)
            before = page.url
            for name, (bytes_, why) in wrong.items():
                page.evaluate(
                    f"""() => {{ const data = new DataTransfer(); data.items.add(new File([new Uint8Array({bytes_})], '{name}'));
                    document.body.dispatchEvent(new DragEvent('drop', {{ dataTransfer: data, bubbles: true, cancelable: true }})); }}"""
                )
                page.wait_for_selector(f"[role=alert] >> text={name} was not accepted. {why}")
                assert page.url == before and page.locator(shown).count() >= 1
        assert len(refused) == 6 and all("/api/upload?" in url for url in refused), "nothing looks at what was refused"
    finally:
        context.close()
