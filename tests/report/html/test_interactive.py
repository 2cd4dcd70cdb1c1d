"""The look inside, alive: it changes at once, in both themes and languages, runs no other script, and is
silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limpide import browser as modules
from limpide.report.html import interactive
from limpide.report.html.page import html_of
from limpide.text import language, messages
from limpide.text.language import use_language
from limpide.text.page_sentences import page_sentences
from tests.report import fake_run as fake
from tests.report.html.inside_page import open_pages
from tests.report.html.inside_run import alive, stored, written
from tests.report.html.test_page import Marked, Reader

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(modules.missing(), reason="the modules from npm are not here: npm ci")


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    yield from open_pages(browser)


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
