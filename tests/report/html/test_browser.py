"""The page in a real browser: by keyboard, on paper, on a telephone, in the dark, and silent on the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limpide.report.html.page import write_page
from limpide.text.language import use_language
from tests.report import fake_run as fake


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A function that opens the page of a run made up; afterwards: no console message, no request but the
    file itself.
    """
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def page_of(width: int = 1000, images: bool = True, scheme: str = "light", **run: Any) -> Any:
        use_language("en")
        file = write_page(fake.make_run(tmp_path, **run), images=images)
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)


def test_a_cell_opens_by_keyboard(opened: Any) -> None:
    page = opened()
    page.evaluate("document.querySelector('.matrix-scroll').focus()")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.dataset.cell")
    assert first
    page.keyboard.press("Enter")
    picture = page.locator(f"#cell-{first} img").first
    assert picture.is_visible()
    assert picture.evaluate("image => image.naturalWidth") == 56
    assert page.locator(".cell-sentence").inner_text() == page.evaluate(
        "document.activeElement.getAttribute('aria-label')"
    )
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.cell")
    assert second != first and second.split("-")[0] == first.split("-")[0]
    page.keyboard.press("Space")
    assert page.locator(f"#cell-{second}").is_visible() and not page.locator(f"#cell-{first}").is_visible()
    page.keyboard.press("Space")
    assert not page.locator("#cell").is_visible()
    page.keyboard.press("Tab")  # one stop for the whole matrix
    assert page.evaluate("document.activeElement.closest('#matrix')") is None


def test_without_pictures_a_cell_says_so(opened: Any) -> None:
    page = opened(images=False)
    page.locator("#matrix button").first.click()
    assert page.locator(".cell-none").inner_text() == "Pictures were left out on request."


@pytest.mark.parametrize("width", [380, 1400])
def test_nothing_sticks_out(opened: Any, width: int) -> None:
    names = (
        fake.HOSTILE,
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        *(f"species {k}" for k in range(60)),
    )
    page = opened(width=width, classes=names)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_dark_follows_the_system(opened: Any) -> None:
    page = opened(scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 26)"


def test_paper_shows_what_is_folded(opened: Any) -> None:
    page = opened()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
