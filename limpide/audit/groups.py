"""For whom does it fail? Groups of images that somebody names: by class, folder, brightness or size.

What it measures: accuracy of each group with its interval, and whether chance would put so many mistakes on one of them.
Why it matters: a good average hides a camera, a place or a person for whom the model does not work.
How it can mislead: with many small groups one looks bad by luck: the bound is divided by their number (Bonferroni), and few images prove little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import hypergeom

from limpide.audit.evidence import Evidence
from limpide.finding import Finding, Table, Verdict
from limpide.language import N_, Message, message
from limpide.metrics import wilson

LUCK = 0.025  # probability below which a group is said to fall behind


def behind(missed: int, n: int, wrong: int, total: int, groups: int) -> bool:
    """Whether chance would not put `missed` of `wrong` mistakes, among `total` images, on a group of `n` (hypergeometric; the worst of `groups`)."""
    return bool(groups * float(hypergeom.sf(missed - 1, total, wrong, n)) < LUCK)


def groups(evidence: Evidence, names: Sequence[str], by: Message) -> Finding:
    """names: (n,) the group of each image; by: what they are called, for the sentence."""
    found = np.asarray(names, dtype=object)
    wrong, total = int((~evidence.right).sum()), len(found)
    rows: list[list[Any]] = []
    for name in sorted(set(names)):
        here = found == name
        n, right = int(here.sum()), int(evidence.right[here].sum())
        rows.append([name, n, right / n, *wilson(right, n), behind(n - right, n, wrong, total, len(set(names)))])
    rows.sort(key=lambda row: row[2])
    worse = [row for row in rows if row[5]]
    verdict: Verdict = "unknown" if len(rows) < 2 else "warn" if worse else "ok"
    says = {
        "unknown": N_("There is only one group by {by}: nothing to compare."),
        "warn": N_("By {by}, {name} clearly falls behind: {share:percent} of {n:count} right."),
        "ok": N_("By {by}, no group of {k:count} falls clearly behind; the lowest is {name}, {share:percent} of {n:count} right."),
    }[verdict]
    lowest = worse[0] if worse else rows[0] if rows else ["", 0, 0.0]
    columns = [
        (N_("group"), "text"),
        (N_("test images"), "count"),
        (N_("accuracy"), "percent"),
        (N_("accuracy low"), "percent"),
        (N_("accuracy high"), "percent"),
    ]
    return Finding(
        name="groups",
        verdict=verdict,
        message=message(says, by=by.to_json(), name=lowest[0], share=lowest[2], n=lowest[1], k=len(rows)),
        table=Table(columns, [row[:5] for row in rows]),
        details=[message(N_("A group falls behind when chance alone would put so many mistakes on it less than once in forty times."))],
        source="test",
    )
