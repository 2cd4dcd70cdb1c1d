"""docs/reference/errors.md from the table of errors: `python -m tests.errors_page` (make messages) writes it anew.

What stands before the first section is the page's own; the sections are written from limpide/core/error_table/.
"""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path

from limpide.core.error_table import data, model, run, training, usage
from limpide.core.error_table.entry import ErrorEntry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "errors.md"
SECTIONS: dict[str, dict[str, ErrorEntry]] = {
    "What was typed": usage.USAGE_ERRORS,
    "The images": data.DATA_ERRORS,
    "The model": model.MODEL_ERRORS,
    "The run": run.RUN_ERRORS,
    "The training": training.TRAINING_ERRORS,
}


def page_of_errors(before: str) -> str:
    """The page whose own beginning is that of `before`, the page as it is."""
    own = before[: before.index("\n## ")].rstrip()
    sections = [
        f"## {title}\n\n"
        + "\n\n".join(
            f'<a id="{code.lower()}"></a>\n\n### {code} · {e.title or e.what}\n{cleandoc(e.explanation)}'
            for code, e in entries.items()
        )
        for title, entries in SECTIONS.items()
    ]
    return "\n\n".join([own, *sections]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_of_errors(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
