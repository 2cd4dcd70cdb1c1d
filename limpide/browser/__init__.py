"""What is shown in a browser: small modules without a bundler, for the studio and for the report.

static/  ours · static/vendor/  preact, htm, signals and uPlot, copied from npm when limpide is built or installed (hatch_build.py)

The studio serves them as files. A report is one file: there they stand in its import map as `data:` addresses. A module that has no address
of its own has no neighbours either, so what ours name relatively (`./html.js`) becomes a bare name (`limpide/html.js`).
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

STATIC = Path(__file__).with_name("static")
VENDOR = STATIC / "vendor"
# By the names under which every module imports them; index.html says the same to the studio (a test compares).
BARE = {
    "preact": "preact.js",
    "preact/hooks": "hooks.js",
    "htm": "htm.js",
    "@preact/signals-core": "signals-core.js",
    "@preact/signals": "signals.js",
    "uplot": "uplot.js",
}
_IMPORTED = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\s]+)\2""")


def missing() -> bool:
    """Whether the modules from npm were left out when limpide was installed."""
    return not (VENDOR / "preact.js").exists()


def import_map(page: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Bare name → `data:` address of a page of static/ ("pages/inside.js") and of all that it imports.

    instead: modules of ours that another one stands in for, as {"state.js": "still.js"}.
    """
    found: dict[str, str] = {}
    todo = [f"limpide/{page}"]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        own = name.removeprefix("limpide/")
        file = VENDOR / BARE[name] if name in BARE else STATIC / (instead or {}).get(own, own)
        text, needs = _bare(file.read_text(encoding="utf-8"), posixpath.dirname(name))
        found[name] = "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()
        todo += needs
    return found


def _bare(text: str, folder: str) -> tuple[str, list[str]]:
    """A module with bare names only, and these names."""
    needs: list[str] = []

    def renamed(match: re.Match[str]) -> str:
        before, quote, name = match.groups()
        needs.append(posixpath.normpath(posixpath.join(folder, name)) if name.startswith(".") else name)
        return f"{before}{quote}{needs[-1]}{quote}"

    return _IMPORTED.sub(renamed, text), needs
