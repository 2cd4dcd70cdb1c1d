"""The parts of limpide that a browser shows: small modules without a bundler, for the studio and for the report.

static/         our modules
static/vendor/  preact, htm, signals and uPlot, copied from npm when limpide is built or installed (hatch_build.py)

The studio serves them as files. A report is a single file: its import map contains them as `data:` addresses. A
notebook takes one module, which carries the others (static/widget/loader.js). A module without an address has no
relative addresses either, so relative imports of our modules (`./html.js`) become bare names (`limpide/html.js`).
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
# By the names under which every module imports them; index.html has the same names for the studio (a test compares).
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


# Modules that differ between a notebook and the studio: the place, the questions, and the plot of a series.
NOTEBOOK = {name: f"widget/{name}" for name in ("location.js", "api.js", "plot.js")}


def import_map(page: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Bare name → `data:` address, for a page of static/ ("pages/inside.js") and all that it imports; instead: as in
    `modules`.
    """
    return {
        name: "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()
        for name, text in modules(page, instead).items()
    }


def modules(page: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Bare name → text, for a page of static/ and all that it imports, in the order of their dependencies.

    instead: our modules that are replaced by another one, as {"state.js": "static_state.js"}.
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
    """The style of the studio, within a shadow root, and as wide as the notebook allows."""
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
    """Return a module with bare names only, and these names."""
    needs: list[str] = []

    def renamed(match: re.Match[str]) -> str:
        before, quote, name = match.groups()
        needs.append(posixpath.normpath(posixpath.join(folder, name)) if name.startswith(".") else name)
        return f"{before}{quote}{needs[-1]}{quote}"

    return _IMPORTED.sub(renamed, text), needs
