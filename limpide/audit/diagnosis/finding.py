"""A diagnosis as a finding of a run: its remarks, and after each what to do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from limpide.audit.diagnosis.record import FAULTS, Diagnosis
from limpide.core.errors import UsageError
from limpide.core.finding import Finding, Table, Verdict
from limpide.core.recipe import Recipe
from limpide.core.rerun import rerun_command
from limpide.core.run_info import RunInfo
from limpide.text.messages import N_, Message, message

WORST: tuple[Verdict, ...] = ("bad", "warn", "unknown", "ok")


def diagnosis_finding(diagnoses: Sequence[Diagnosis], info: RunInfo) -> Finding:
    """diagnoses: faults first, at least one."""
    first, *others = diagnoses
    details = describe_remedy(first, info)
    for other in others:
        details += [other.message, *(remedy for remedy in describe_remedy(other, info) if remedy not in details)]
    return Finding(
        "diagnosis",
        min((first.verdict, *(one.verdict for one in diagnoses if one.verdict in ("bad", "warn"))), key=WORST.index),
        first.message,
        table=_table(diagnoses),
        details=details,
        source="validation",
        data={"faults": [one.fault for one in diagnoses if one.fault], "next": _first_command(diagnoses, info)},
    )


def describe_remedy(diagnosis: Diagnosis, info: RunInfo) -> list[Message]:
    """What to do about it, in words, and the command; empty where nothing is wrong."""
    found = [diagnosis.todo] if diagnosis.todo else []
    if command := next_command(diagnosis, info):
        found.append(message(N_("Next: {command}"), command=command))
    return found


def next_command(diagnosis: Diagnosis, info: RunInfo) -> str:
    """The next training, without what did harm; "" where an option does not help, or the data came from a program."""
    if not info.location or info.arrays or info.rows:
        return ""
    changes = [(name, value) for name, value in diagnosis.changes if _is_change(info, name, value)]
    try:  # together with what was asked for, it must be legal
        Recipe.of(**{name: value for name, value in info.wanted.items() if value is not None} | dict(changes))
    except UsageError:
        return ""
    return shlex.join(["limpide", "train", *rerun_command(info, changes)]) if changes else ""


def _is_change(info: RunInfo, name: str, value: str) -> bool:
    """Whether the training did not have it already; a share of validation images must grow."""
    had = info.recipe.get(name)
    if name == "validation":
        return not info.recipe.get("folds") and float(had or 0.0) < float(value)
    if isinstance(had, (int, float)) and not isinstance(had, bool):
        return float(value) != had
    return value != had


def _first_command(diagnoses: Sequence[Diagnosis], info: RunInfo) -> str:
    return next((command for one in diagnoses if (command := next_command(one, info))), "")


def _table(diagnoses: Sequence[Diagnosis]) -> Table | None:
    rows = [[message(FAULTS[one.fault]), one.epoch] for one in diagnoses if one.fault]
    columns = [(N_("fault"), "text"), (N_("since epoch"), "count")]
    return Table(columns, rows) if rows else None
