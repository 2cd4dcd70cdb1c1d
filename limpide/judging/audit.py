"""An audit and what it declares: the question that it answers, what it needs, what it costs, how it is run."""

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
LAST = 99  # turn of an audit that does not declare one


def no_cost(facts: Facts) -> Cost:
    """The cost of an audit that only counts: weighing the evidence is part of what the report costs."""
    return Cost()


@dataclass(frozen=True)
class Audit:
    """One audit, as judging, its quote and every page that lists audits need it."""

    name: str  # of its finding
    question: str  # msgid, the question of a person: the heading of its section
    run: Callable[[Subject], Iterator[Event | Finding]]  # yields progress, and at last its findings
    needs: frozenset[Need] = frozenset({"answers"})
    cost: Callable[[Facts], Cost] = no_cost
    # msgid, its name in the sentence about what was left out; "": it is never left out for want of time
    part: str = ""
    turn: int = LAST  # among those that may be left out, the lowest turn runs first
    # the fewest seconds that yield a result. Such an audit fills the time that there is, and leaves room for the audits
    # after it. None: it takes the time that it costs
    least: float | None = None
    reserved: bool = False  # whether fitting leaves room for it, where a time was given
    after_training: bool = True
    in_evaluate: bool = True

    @property
    def may_be_left_out(self) -> bool:
        return bool(self.part)


def on_evidence(audit: Callable[[Evidence], Finding]) -> Callable[[Subject], Iterator[Event | Finding]]:
    """Return the `run` of an audit that needs only the answers."""

    def run(subject: Subject) -> Iterator[Event | Finding]:
        evidence = yield from subject.evidence()
        yield audit(evidence)

    return run
