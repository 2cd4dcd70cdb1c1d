"""An audit, as it declares itself: the question that it answers, what it needs, what it costs, how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from limpide.audit.evidence import Evidence
from limpide.core.cost import Cost, Facts
from limpide.core.events import Event
from limpide.core.finding import Finding
from limpide.judging.subject import Subject

Need = Literal["answers", "images", "network", "features", "training data", "retraining", "good parts", "rare class"]
LAST = 99  # turn of an audit that names none


def no_cost(facts: Facts) -> Cost:
    """Of an audit that only counts: weighing the evidence is part of what the report costs."""
    return Cost()


@dataclass(frozen=True)
class Audit:
    """One audit, as judging, its quote and every page that lists audits need it."""

    name: str  # of its finding
    question: str  # msgid, what a person asks: the heading of its section
    run: Callable[[Subject], Iterator[Event | Finding]]  # progress, and at last its findings
    needs: frozenset[Need] = frozenset({"answers"})
    cost: Callable[[Facts], Cost] = no_cost
    # msgid, what the sentence about what was left out calls it; "": it is never left out for want of time
    part: str = ""
    turn: int = LAST  # of those that may be left out, the lowest goes first
    # s with which something comes of it already. Such an audit fills the time that there is, and leaves room for those
    # after it. None: it takes what it costs
    least: float | None = None
    reserved: bool = False  # whether fitting leaves room for it, where a time was asked for
    after_training: bool = True
    in_evaluate: bool = True

    @property
    def may_be_left_out(self) -> bool:
        return bool(self.part)


def on_evidence(audit: Callable[[Evidence], Finding]) -> Callable[[Subject], Iterator[Event | Finding]]:
    """How an audit is run that needs the answers alone."""

    def run(subject: Subject) -> Iterator[Event | Finding]:
        evidence = yield from subject.evidence()
        yield audit(evidence)

    return run
