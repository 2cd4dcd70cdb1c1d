"""The modules of the pages, written into one page."""

from __future__ import annotations

import base64
import json
import re

from limpide.browser import BARE, NOTEBOOK, STATIC, import_map, modules, widget

PAGE = "pages/inside.js"


def texts(**values: dict[str, str]) -> dict[str, str]:
    return {
        name: base64.b64decode(address.partition(",")[2]).decode()
        for name, address in import_map(PAGE, **values).items()
    }


def imported(text: str) -> list[str]:
    return re.findall(r"""(?:from|import)\s*\(?\s*["']([^"'\s]+)["']""", text)


def test_every_import_is_a_bare_name_of_the_map() -> None:
    found = texts()
    assert {name for text in found.values() for name in imported(text)} <= found.keys()
    assert imported(found["limpide/pages/inside/first.js"])[:2] == ["limpide/html.js", "limpide/i18n.js"]
    assert 'from "preact/hooks"' in found["limpide/html.js"]


def test_a_page_brings_what_it_needs_and_no_more() -> None:
    names = import_map(PAGE).keys()
    assert {
        f"limpide/{PAGE}",
        "limpide/html.js",
        "limpide/color_scale.js",
        "preact",
        "preact/hooks",
        "htm",
        "@preact/signals",
    } <= names
    assert not names & {"uplot", "limpide/api.js", "limpide/app.js"}


def test_one_module_may_stand_in_for_another() -> None:
    found = texts(instead={"state.js": "static_state.js"})
    assert "localStorage" not in "".join(found.values()) and "localStorage" in "".join(texts().values())
    assert "limpide/static_state.js" not in found and "matchMedia" in found["limpide/state.js"]


def test_the_modules_say_what_the_files_say() -> None:
    said, file = texts()["limpide/arithmetic.js"], (STATIC / "arithmetic.js").read_text(encoding="utf-8")
    assert said == file


def test_the_studio_knows_them_by_the_same_names() -> None:
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    written = re.search(r'<script type="importmap"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert written and json.loads(written[1])["imports"] == {
        name: f"./static/vendor/{file}" for name, file in BARE.items()
    }


def test_what_a_module_needs_stands_before_it() -> None:
    """One that is written into another module by its address can only need what has an address already."""
    found = modules("widget/start.js", NOTEBOOK)
    names = list(found)
    for name, text in found.items():
        assert all(names.index(needed) < names.index(name) for needed in imported(text)), name
    assert names[-1] == "limpide/widget/start.js" and "uplot" not in names


def test_a_notebook_gets_one_module_that_imports_nothing_and_asks_nobody() -> None:
    found = modules("widget/start.js", NOTEBOOK)
    assert not re.search(
        r"\bfetch\(|localStorage|location\.hash|\bhistory\.",
        "".join(text for name, text in found.items() if name.startswith("limpide/") and name != "limpide/i18n.js"),
    )
    module = widget()
    carried, style, *own = module.split("\n")
    assert json.loads(carried.removeprefix("const MODULES = ").removesuffix(";")) == found
    assert not re.search(r"^import ", "\n".join(own), re.MULTILINE)
    assert (
        ':host([data-theme=\\"dark\\"])' in style
        and ":root" not in style
        and not re.search(r"(?<!t)body", style)
        and "@media (min-width" not in style
    )


def test_what_stands_in_says_the_same_names() -> None:
    """Where a page asks for a name of location.js or api.js, it is there in the notebook, too."""
    found = modules("widget/start.js", NOTEBOOK)
    for name in NOTEBOOK:
        own = set(re.findall(r"export (?:const|let) (\w+)", found[f"limpide/{name}"]))
        asked = {
            word.strip()
            for text in found.values()
            for names in re.findall(rf"""import {{([^}}]*)}} from "limpide/{name}\"""", text)
            for word in names.split(",")
        }
        assert asked and asked <= own, asked - own


def test_no_line_is_wider_than_a_review_can_show() -> None:
    files = [file for file in STATIC.rglob("*") if file.is_file() and "vendor" not in file.parts]
    wide = [
        f"{file.relative_to(STATIC)}:{n}"
        for file in files
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert len(files) > 40 and not wide
