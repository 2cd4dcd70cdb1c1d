"""Which classes does it know well, which does it confuse, and where is it sure and wrong?

What it measures: precision and recall of each class, counts of every confusion, the most confident mistakes.
Why it matters: a good average hides a class that is always missed.
How it can mislead: a class with few test images has a wide interval, shown beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.groups import behind
from limpide.finding import Finding, Table, Verdict
from limpide.language import N_, message
from limpide.metrics import class_scores, confusion, wilson

PICTURES_A_CELL = 6  # of a confusion
PICTURES_RIGHT = 2  # of a class that was right
MOST_PICTURES = 700
MISTAKES = 24


def classes(evidence: Evidence) -> Finding:
    counts = confusion(evidence.truth, evidence.predicted, len(evidence.classes))
    scores = class_scores(counts)
    rows: list[list[Any]] = []
    for k, name in enumerate(evidence.classes):
        n, right = int(scores.n[k]), int(counts[k, k])
        low, high = wilson(right, n)
        rows.append([name, n, _or_none(scores.precision[k]), _or_none(scores.recall[k]), low if n else None, high if n else None])
    seen = [k for k in range(evidence.known) if scores.n[k]]  # of the others it can find none, and accuracy says so
    weakest = min(seen, key=lambda k: scores.recall[k])
    met, missed = evidence.truth < evidence.known, int(scores.n[weakest] - counts[weakest, weakest])
    falls = behind(missed, int(scores.n[weakest]), int((met & ~evidence.right).sum()), int(met.sum()), len(seen))
    seldom = wilson(int(counts[weakest, weakest]), int(scores.n[weakest]))[1] < 0.5
    verdict: Verdict = "warn" if falls or seldom else "ok"
    if falls:
        says = N_("{name} clearly falls behind the other classes: {recall:percent} of {n:count} found.")
    elif seldom:
        says = N_("{name} is seldom found: {recall:percent} of {n:count}.")
    else:
        says = N_("No class falls clearly behind; the lowest is {name}, {recall:percent} of {n:count} found.")
    columns = [
        (N_("class"), "text"),
        (N_("test images"), "count"),
        (N_("precision"), "percent"),
        (N_("recall"), "percent"),
        (N_("recall low"), "percent"),
        (N_("recall high"), "percent"),
    ]
    return Finding(
        name="classes",
        verdict=verdict,
        message=message(says, name=evidence.classes[weakest], recall=float(scores.recall[weakest]), n=int(scores.n[weakest])),
        table=Table(columns, rows),
        details=[message(N_("Recall: of the images of a class, the share it found. Precision: of the images it gave this name, the share that deserved it."))],
        source="test",
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def confusions(evidence: Evidence) -> Finding:
    counts = confusion(evidence.truth, evidence.predicted, len(evidence.classes))
    off = counts - np.diag(np.diag(counts))
    order = [int(k) for k in np.argsort(-off, axis=None, kind="stable")[:10] if off.flat[int(k)] > 0]
    rows: list[list[Any]] = []
    for k in order:
        i, j = divmod(k, len(evidence.classes))
        rows.append([evidence.classes[i], evidence.classes[j], int(off[i, j]), float(off[i, j] / counts[i].sum())])
    says = (
        message(N_("It took no class for the same other one twice, on {n:count} test images."), n=len(evidence.truth))
        if len(rows) > 1 and rows[0][2] == 1
        else message(
            N_("Its most frequent confusion: {n:count} of {total:count} images of {truth} were called {said}."),
            n=rows[0][2],
            total=int(counts[order[0] // len(evidence.classes)].sum()),
            truth=rows[0][0],
            said=rows[0][1],
        )
        if rows
        else message(N_("It confused no two classes on {n:count} test images."), n=len(evidence.truth))
    )
    columns = [(N_("true class"), "text"), (N_("called"), "text"), (N_("images"), "count"), (N_("share of the class"), "percent")]
    return Finding(
        name="confusion",
        verdict="ok" if not rows or rows[0][3] < 0.1 else "warn",
        message=says,
        table=Table(columns, rows) if rows else None,
        pictures=[evidence.picture(i) for i in _picked(evidence)],
        source="test",
        data={"classes": list(evidence.classes), "matrix": counts.tolist()},
    )


def _picked(evidence: Evidence) -> list[int]:
    """A few images of each cell, wrong ones first, the surest first within a cell."""
    sure = np.argsort(-evidence.probabilities.max(1), kind="stable")
    taken: dict[tuple[int, int], int] = {}
    wrong: list[int] = []
    right: list[int] = []
    for i in sure.tolist():
        cell = (int(evidence.truth[i]), int(evidence.predicted[i]))
        limit = PICTURES_RIGHT if cell[0] == cell[1] else PICTURES_A_CELL
        if taken.get(cell, 0) < limit:
            taken[cell] = taken.get(cell, 0) + 1
            (right if cell[0] == cell[1] else wrong).append(i)
    return (wrong + right)[:MOST_PICTURES]


def mistakes(evidence: Evidence) -> Finding:
    wrong = np.flatnonzero(~evidence.right)
    surest = wrong[np.argsort(-evidence.probabilities[wrong].max(1), kind="stable")][:MISTAKES]
    sure = int((evidence.probabilities[wrong].max(1) >= 0.9).sum()) if len(wrong) else 0
    says = (
        message(
            N_("It was wrong on {n:count} of {total:count} test images, and at least 90 % sure on {sure:count} of those."),
            n=len(wrong),
            total=len(evidence.truth),
            sure=sure,
        )
        if len(wrong)
        else message(N_("It made no mistake on {total:count} test images."), total=len(evidence.truth))
    )
    return Finding(
        name="mistakes",
        verdict="warn" if len(wrong) and sure > 0.2 * len(wrong) and sure > 3 else "ok",
        message=says,
        pictures=[evidence.picture(int(i)) for i in surest],
        details=[message(N_("A confident mistake is often a wrong label: look at these first."))] if len(wrong) else [],
        source="test",
    )
