"""A question about a run, asked without a server."""

from __future__ import annotations

from limpide.core.run import Run
from limpide.inspector.questions import QUESTIONS
from limpide.inspector.session import Session


def ask(session: Session, run: Run, what: str, **values: object) -> dict:  # type: ignore[type-arg]
    return QUESTIONS[what].answer(session, path=str(run.path), snapshot=str(values.pop("snapshot", "best")), **values)[
        0
    ]
