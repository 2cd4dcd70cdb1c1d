"""The audits of a model. To add one takes a line here: judging after a training, `evaluate`, the quote, the report and
the Audit page of the studio go through this table. Two places treat some audits specially, by name: what the report
draws instead of a table (report/html), and what the terminal leaves to the report (report/terminal/summary.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from limpide.audit.accuracy import accuracy
from limpide.audit.calibration import calibration
from limpide.audit.classes import classes, confusions, mistakes
from limpide.baselines.cost import cost as cost_of_baselines
from limpide.core.cost import Facts
from limpide.core.finding import Finding
from limpide.core.run_info import RunInfo
from limpide.judging import good_parts, good_parts_alone, inside, shortcut, simpler
from limpide.judging.audit import Audit, Need, on_evidence
from limpide.text.messages import N_, Message, message

PICTURES: frozenset[Need] = frozenset({"answers", "images"})

# In the order of the report.
AUDITS: tuple[Audit, ...] = (
    Audit("accuracy", N_("The score"), on_evidence(accuracy)),
    Audit("defects", N_("Does it find defects?"), good_parts.run, frozenset({"good parts"})),
    Audit(
        "simpler",
        N_("Would a simpler model do?"),
        simpler.run,
        frozenset({"answers", "training data"}),
        cost_of_baselines,
        part=N_("simpler models"),
        turn=1,
        least=simpler.LEAST,
    ),
    Audit(
        "good_parts_alone",
        N_("Would good parts alone do?"),
        good_parts_alone.run,
        frozenset({"answers", "training data", "rare class"}),
        good_parts_alone.cost,
        part=N_("comparison with good parts alone"),
        turn=4,
    ),
    Audit("classes", N_("Class by class"), on_evidence(classes)),
    Audit("confusion", N_("What it confuses"), on_evidence(confusions), PICTURES),
    Audit("mistakes", N_("Confident mistakes"), on_evidence(mistakes), PICTURES),
    Audit(
        "shortcut",
        N_("Is it cheating on a small mark?"),
        shortcut.run,
        frozenset({"answers", "images", "network"}),
        shortcut.cost,
        part=N_("search for a small area that decides"),
        turn=3,
        reserved=True,
    ),
    Audit("calibration", N_("Can its probabilities be believed?"), on_evidence(calibration)),
    Audit(
        "inside",
        N_("A look inside"),
        inside.run,
        frozenset({"answers", "images", "network"}),
        inside.cost,
        part=N_("a look inside"),
        turn=2,
    ),
)


def after_training() -> list[Audit]:
    """The audits that follow a training, in the order of judging: those that are never left out, then the others by
    turn.
    """
    return sorted((one for one in AUDITS if one.after_training), key=lambda one: (one.may_be_left_out, one.turn))


def in_evaluate(offers: frozenset[str]) -> list[Audit]:
    """The audits that other images can have: those whose needs are met."""
    return [one for one in AUDITS if one.in_evaluate and one.needs <= offers]


def seconds_of(facts: Facts) -> dict[str, float]:
    """Seconds of each audit that may be left out, by name."""
    return {one.name: one.cost(facts).seconds for one in after_training() if one.may_be_left_out}


def in_order(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    """The findings of the audits first, in the order of the table; then the others in their own order."""
    names = [one.name for one in AUDITS if one.name in findings]
    return {name: findings[name] for name in (*names, *(name for name in findings if name not in names))}


@dataclass(frozen=True)
class NotRun:
    """An audit without a finding, and why."""

    audit: Audit
    why: Message


def not_run(info: RunInfo, findings: Mapping[str, Finding]) -> list[NotRun]:
    """The audits of a run that were left out, or are not due yet."""
    return [NotRun(one, why) for one in AUDITS if one.name not in findings and (why := _why(one, info)) is not None]


def _why(audit: Audit, info: RunInfo) -> Message | None:
    concerns = ("good parts" in audit.needs) == bool(
        info.good
    )  # a model of good parts, or one that tells classes apart
    if "rare class" in audit.needs and not info.has_rare_class:
        return None
    if not concerns or not audit.after_training or not info.judged or info.opened:
        return None
    if audit.part and audit.part in info.left_out:
        return message(N_("There was no time for it."))
    if info.phase != "done":
        return message(N_("Its turn has not come yet: the judging of the model is not finished."))
    return message(N_("It was not run on this model and these images."))
