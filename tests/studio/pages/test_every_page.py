"""What holds for every page, in both languages and themes: it fits, is silent and harmless, and says why it cannot show
something."""

from __future__ import annotations

import re
from typing import Any

import pytest

from benchmarks.studio import first_page
from limpide.text.page_sentences import page_sentences
from tests.studio.pages.drive import PAGES, PATIENCE, RUN, go, serious, settle
from tests.studio.serving import Server

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("hash", PAGES)
def test_every_page_in_both_languages_and_themes_says_everything_and_fits(page: Any, hash: str) -> None:
    for lang, theme in (("en", "light"), ("fr", "dark")):
        page.evaluate(
            "([l, t]) => { localStorage.setItem('limpide.language', l); localStorage.setItem('limpide.theme', t) }",
            [lang, theme],
        )
        page.reload()
        go(page, hash)
        assert (
            page.evaluate("document.documentElement.lang") == lang
            and page.evaluate("document.documentElement.dataset.theme") == theme
        )
        text = page.inner_text("body")
        missing = [
            key
            for key in page_sentences("en")
            if "." in key and re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", text)
        ]
        assert not missing, "a key without a sentence"
        page.set_viewport_size({"width": 420, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 440, "nothing but tables scrolls sideways"
        above = page.evaluate(
            "() => ['header', '.bar'].reduce((sum, name) => sum + (document.querySelector(name)?.offsetHeight ?? 0), 0)"
        )
        assert above < 800 / 3, "menu and bar leave most of the screen to the page"
        page.wait_for_function(
            "() => { const at = document.querySelector('nav [aria-current]')?.getBoundingClientRect(); return "
            "!at || (at.left >= 0 && at.right <= 420) }"
        )
        if "page=runs" in hash:
            assert page.evaluate(
                "() => [...document.querySelectorAll('td')].some((cell) => / %|%/.test(cell.innerText) && "
                "cell.getBoundingClientRect().right <= 420)"
            )
        page.set_viewport_size({"width": 1200, "height": 900})
        assert serious(page) == []


def test_the_first_paint_is_small() -> None:
    assert 60_000 < first_page() <= 150_000


def test_a_hostile_class_is_text_everywhere(page: Any) -> None:
    for hash in (f"page={name}&{RUN}" for name in ("live", "image", "unit", "errors", "map", "audit&by=class", "data")):
        go(page, hash)
        settle(page)
        assert page.locator("img[src='x']").count() == 0
    go(page, f"page=image&{RUN}")
    assert HOSTILE in page.inner_text("main")


def test_weights_that_were_not_kept_are_told_on_every_page(browser: Any, server: Server) -> None:
    """Also where the layer is only about to be chosen; and what an address garbles is told in the language
    of the page.
    """
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    go(page, f"page=unit&{RUN}&at=3", "text=The weights after step 3 were not kept")
    page.get_by_role("button", name="Français").click()
    page.wait_for_selector("text=Les poids d’après le pas 3 n’ont pas été gardés")  # what stands there follows
    for name in ("layer", "unit", "image", "anatomy", "map"):
        go(page, f"page={name}&{RUN}&at=3", "[role=alert]")
        assert page.inner_text("[role=alert]").startswith("Les poids d’après le pas 3 n’ont pas été gardés"), name
    go(page, f"page=image&{RUN}&image=zz&at=best", "text=Cette adresse demande")
    go(page, f"page=layer&{RUN}&key=zz&image=probe-0", "text=Le réseau n’a pas de couche de ce nom")
    go(page, f"page=errors&{RUN}&at=0", "text=Ces résultats concernent le modèle final")
    context.clear_cookies()  # as for a page that stayed open while the studio began anew
    go(page, f"page=live&{RUN}&at=best", "text=Cette page appartient à un studio qui a été fermé")
    context.close()


def test_a_studio_that_was_closed_is_told_in_a_sentence(page: Any) -> None:
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')); }")
    page.evaluate("hash => { location.hash = hash }", f"page=anatomy&{RUN}")
    page.wait_for_selector("text=The studio does not answer")
    assert "Failed to fetch" not in page.inner_text("body")
