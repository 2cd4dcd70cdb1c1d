"""Judging: one audit a file, each a function from Evidence to a Finding. AUDITS runs in this order."""

from __future__ import annotations

from collections.abc import Callable

from limpide.audit.accuracy import accuracy
from limpide.audit.calibration import calibration
from limpide.audit.classes import classes, confusions, mistakes
from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding

AUDITS: dict[str, Callable[[Evidence], Finding]] = {
    "accuracy": accuracy,
    "classes": classes,
    "confusion": confusions,
    "mistakes": mistakes,
    "calibration": calibration,
}
