"""How `make docs` builds the site: Sphinx reads the Markdown of this folder, the docstrings, and the command line."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from limpide import __version__
from limpide.cli import VERBS
from limpide.core.recipe import Recipe

project, author, release = "limpide", "the limpide team", __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "_generated"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]  # types in signatures are names, not links
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
html_theme = "furo"
html_title = "limpide"
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["style"]
html_css_files = ["wide.css"]
smartquotes = False  # --folds is an option, not a dash
html_copy_source = False

GENERATED = Path(__file__).parent / "_generated"


def help_of(verb: str) -> str:
    """What the command line prints."""
    environment = os.environ | {"LIMPIDE_LANG": "en", "COLUMNS": "84", "NO_COLOR": "1", "TERM": "dumb"}
    begin = "import sys; sys.argv[0] = 'limpide'; from limpide.cli import main; main()"
    command = [sys.executable, "-c", begin, *verb.split(), "--help"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.rstrip()


def commands() -> str:
    verbs = ["", *(str(verb.name) for verb in VERBS)]
    return "\n\n".join(f"## {f'limpide {verb}'.strip()}\n\n```text\n{help_of(verb)}\n```" for verb in verbs)


def allowed(rules: Mapping[str, Any]) -> str:
    """The values that a choice may have, as far as they can be listed."""
    if rules["choices"]:
        return ", ".join(f"`{one}`" for one in rules["choices"])
    ends = [rules["low"], rules["high"]]
    return "" if ends == [None, None] else " to ".join("…" if end is None else f"{end:g}" for end in ends)


def recipe() -> str:
    """In Python, `fit` is a method: the choice is named `resize` there."""
    lines = ["| name | default | allowed | meaning | other names |", "|---|---|---|---|---|"]
    for choice in dataclasses.fields(Recipe):
        unit = f" [{choice.metadata['unit']}]" if choice.metadata["unit"] else ""
        others = ", ".join(f"`{name}`" for name in choice.metadata["also"])
        name = "resize" if choice.name == "fit" else choice.name
        meaning = choice.metadata["meaning"] + unit
        lines.append(f"| `{name}` | `{choice.default!r}` | {allowed(choice.metadata)} | {meaning} | {others} |")
    return "\n".join(lines)


def write_pages(_: Sphinx) -> None:
    """Write the pages that repeat the source. Each build writes them anew; git ignores them."""
    GENERATED.mkdir(exist_ok=True)
    for name, text in (("commands", commands()), ("recipe", recipe())):
        (GENERATED / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_pages)
