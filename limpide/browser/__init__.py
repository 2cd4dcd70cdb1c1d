"""What is shown in a browser: small modules without a bundler, for the studio and for the report.

static/  ours · static/vendor/  preact, htm, signals and uPlot, copied from npm when limpide is built or installed
         (hatch_build.py)

The studio serves them as files. A report is one file: there they stand in its import map as `data:` addresses. A
notebook takes one module, which carries the others (static/widget/loader.js). A module that has no address of its own
has no neighbours either, so what ours name relatively (`./html.js`) becomes a bare name (`limpide/html.js`).
"""

from __future__ import annotations

import base64
import json
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


# What is another thing in a notebook than in the studio: where we are, who answers, and what draws a series.
NOTEBOOK = {name: f"widget/{name}" for name in ("location.js", "api.js", "plot.js")}


def import_map(page: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Bare name → `data:` address of a page of static/ ("pages/inside.js") and of all that it imports; instead: as in
    `modules`.
    """
    return {
        name: "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()
        for name, text in modules(page, instead).items()
    }


def modules(page: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Bare name → text of a page of static/ and of all that it imports, what a module needs before it.

    instead: modules of ours that another one stands in for, as {"state.js": "static_state.js"}.
    """
    found: dict[str, str] = {}

    def visit(name: str) -> None:
        own = name.removeprefix("limpide/")
        file = VENDOR / BARE[name] if name in BARE else STATIC / (instead or {}).get(own, own)
        text, needs = _bare(file.read_text(encoding="utf-8"), posixpath.dirname(name))
        for need in needs:
            if need not in found:
                visit(need)
        found[name] = text

    visit(f"limpide/{page}")
    return found


def widget() -> str:
    """The instruments as one module, for anywidget."""
    carrier = (STATIC / "widget" / "loader.js").read_text(encoding="utf-8")
    return (
        f"const MODULES = {json.dumps(modules('widget/start.js', NOTEBOOK))};\nconst STYLE = "
        f"{json.dumps(_style())};\n{carrier}"
    )


def _style() -> str:
    """That of the studio, within a shadow root, and as wide as the notebook lets it be."""
    text = (STATIC / "studio.css").read_text(encoding="utf-8")
    for studio, shadow in (
        (':root[data-theme="dark"]', ':host([data-theme="dark"])'),
        (":root", ":host"),
        ("\nbody {", "\n.studio {"),
        ("@media (min-width: 60rem)", "@container (min-width: 44rem)"),
    ):
        text = text.replace(studio, shadow)
    return text + (STATIC / "widget" / "widget.css").read_text(encoding="utf-8")


def _bare(text: str, folder: str) -> tuple[str, list[str]]:
    """A module with bare names only, and these names."""
    needs: list[str] = []

    def renamed(match: re.Match[str]) -> str:
        before, quote, name = match.groups()
        needs.append(posixpath.normpath(posixpath.join(folder, name)) if name.startswith(".") else name)
        return f"{before}{quote}{needs[-1]}{quote}"

    return _IMPORTED.sub(renamed, text), needs
