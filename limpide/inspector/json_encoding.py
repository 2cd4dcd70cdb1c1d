"""How findings and numbers become JSON: sentences in the language of the page, numbers unchanged."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from starlette.responses import JSONResponse

from limpide.core.errors import RunError
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.text import messages
from limpide.text.messages import Message

WORST_FIRST = ("bad", "warn", "unknown")
# comes first among the claims with the same verdict: if a model looks at the wrong thing, the others are worth little
FIRST = "shortcut"

# Raised by reading the damaged files of a run.
DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class AsciiJson(JSONResponse):
    """JSON in ASCII: a file name that is not Unicode is sent and received as lone surrogates."""

    def render(self, content: Any) -> bytes:
        return json.dumps(finite(content), separators=(",", ":")).encode("ascii")


def finding_in_words(finding: Finding) -> dict[str, Any]:
    """A finding in the language of the page: every sentence translated, numbers unchanged."""

    def cell(value: Any) -> Any:
        return str(value) if isinstance(value, Message) else value

    table = finding.table
    return {
        "name": finding.name,
        "verdict": finding.verdict,
        "text": str(finding.message),
        "details": [str(detail) for detail in finding.details],
        "source": messages._(finding.source) if finding.source else "",
        "numbers": [vars(number) | {"name": messages._(number.name)} for number in finding.numbers],
        "columns": [[messages._(name), form] for name, form in table.columns] if table else [],
        "rows": [[cell(value) for value in row] for row in table.rows] if table else [],
        "pictures": [vars(picture) for picture in finding.pictures],
    }


def findings_in_order(run: Run) -> list[dict[str, str]]:
    """The claims with a verdict "bad" or "warn", the worst first, and a score that proves nothing; none where the
    findings are damaged, which the Audit page says.
    """
    try:
        findings = [
            one
            for one in run.findings().values()
            if one.verdict in ("bad", "warn") or (one.name, one.verdict) == ("accuracy", "unknown")
        ]
    except (RunError, *DAMAGE):
        return []
    findings.sort(key=lambda one: (WORST_FIRST.index(one.verdict), one.name != FIRST))
    return [{"verdict": one.verdict, "text": str(one.message)} for one in findings]


def choices() -> dict[str, dict[str, str]]:
    """The meaning of each choice of a recipe, in the language of the page, and its unit."""
    return {
        one.name: {"meaning": messages._(one.metadata["meaning"]), "unit": one.metadata["unit"]}
        for one in dataclasses.fields(Recipe)
    }


def finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON does not have, by null."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
