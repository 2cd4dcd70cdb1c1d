"""Writes docs/explanation/claims.md from the results of the experiments: nothing in it is typed.

    python -m experiments.claims [--check]

--check only says whether the page is that of the results (exit status 1 when it is not).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from experiments.common import RESULTS
from limpide.core.finding import Finding, Table
from limpide.system.files import read_json
from limpide.text.formats import format_cell

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "claims.md"
SECTIONS = ("Linear models", "Convolutional nets", "Networks named", "Limits the courses teach")
HEAD = """# What the courses claim, and what was measured here

Every line comes from an experiment that anybody can run from a clone; this page is written from their results by
`python -m experiments.claims`. Intervals are of 95 %, over repeats with other seeds. Exact facts of the courses (the
trace of the perceptron, the counts of parameters, the formulas) are not here: they are tests, in `tests/ladder/` and
`tests/models/`.
"""


def page() -> str:
    records = [(file.stem, read_json(file)) for file in sorted(RESULTS.glob("*.json"))]
    parts = [HEAD]
    for section in SECTIONS:
        own = [(name, record) for name, record in records if record["section"] == section]
        if own:
            parts.append(f"## {section}\n")
            parts += [_claim(name, record) for name, record in own]
    return "\n".join(parts)


def _claim(name: str, record: dict[str, Any]) -> str:
    finding = Finding.from_json(record["finding"])
    told = {detail.id.split(":")[0]: detail.values["text"] for detail in finding.details}
    verdict = "holds" if finding.verdict == "ok" else "**does not hold here**"
    return (
        f"### {name.replace('_', ' ')} · {verdict}\n\n"
        f"| | |\n|---|---|\n| course | {_cell(told['course'])} |\n| measured here | "
        f"{_cell(str(finding.message))} |\n| why they differ | {_cell(told['why'])} |\n\n{_table(finding.table)}"
        f"`{finding.source}` · {record['seconds']} s on {record['cores']} cores · {record['date']}\n"
    )


def _table(table: Table | None) -> str:
    if table is None:
        return ""
    rows = [[format_cell(cell, form) for cell, (_, form) in zip(row, table.columns, strict=True)] for row in table.rows]
    names = [f"{name}, points" if form == "gap" else name for name, form in table.columns]
    lines = [names, ["---"] * len(table.columns), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else 1)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
