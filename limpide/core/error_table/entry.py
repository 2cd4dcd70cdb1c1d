"""One entry of the table of errors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorEntry:
    """What an error says, and what the page about it explains. `what` and `todo` are msgids of the catalogue."""

    what: str  # "" where it differs from case to case: then it is given where the error is raised
    todo: str = ""
    explanation: str = ""  # Markdown, indented as it stands here: docs/reference/errors.md is written from it
    title: str = ""  # of the page, where `what` is none
