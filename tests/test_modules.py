"""The modules of the pages, written into one page."""

from __future__ import annotations

import base64
import json
import re

from limpide.browser import BARE, STATIC, import_map

PAGE = "pages/inside.js"


def texts(**values: dict[str, str]) -> dict[str, str]:
    return {name: base64.b64decode(address.partition(",")[2]).decode() for name, address in import_map(PAGE, **values).items()}


def imported(text: str) -> list[str]:
    return re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", text)


def test_every_import_is_a_bare_name_of_the_map() -> None:
    found = texts()
    assert {name for text in found.values() for name in imported(text)} <= found.keys()
    assert imported(found["limpide/pages/inside/first.js"])[:2] == ["limpide/html.js", "limpide/words.js"]
    assert 'from "preact/hooks"' in found["limpide/html.js"]


def test_a_page_brings_what_it_needs_and_no_more() -> None:
    names = import_map(PAGE).keys()
    assert {f"limpide/{PAGE}", "limpide/html.js", "limpide/paint.js", "preact", "preact/hooks", "htm", "@preact/signals"} <= names
    assert not names & {"uplot", "limpide/api.js", "limpide/app.js"}


def test_one_module_may_stand_in_for_another() -> None:
    found = texts(instead={"state.js": "still.js"})
    assert "localStorage" not in "".join(found.values()) and "localStorage" in "".join(texts().values())
    assert "limpide/still.js" not in found and "matchMedia" in found["limpide/state.js"]


def test_the_modules_say_what_the_files_say() -> None:
    said, file = texts()["limpide/sums.js"], (STATIC / "sums.js").read_text(encoding="utf-8")
    assert said == file


def test_the_studio_knows_them_by_the_same_names() -> None:
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    written = re.search(r'<script type="importmap"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert written and json.loads(written[1])["imports"] == {name: f"/static/vendor/{file}" for name, file in BARE.items()}
