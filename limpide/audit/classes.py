"""Which classes does it know well, which does it confuse, and where is it sure and wrong?

What it measures: precision and recall of each class, counts of every confusion, the most confident mistakes.
Why it matters: a good average hides a class that is always missed.
How it can mislead: a class with few test images has a wide interval, shown next to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.audit.groups import compare_groups, worst_group
from limpide.core.finding import Finding, Table, Verdict
from limpide.statistics.intervals import Interval
from limpide.statistics.metrics import ClassScores, class_scores, confusion
from limpide.text.messages import N_, Message, message

PICTURES_A_CELL = 6  # for each cell of the confusion matrix
PICTURES_RIGHT = 2  # for each class, of images that were right
MAX_PICTURES = 700
MISTAKES = 24
OFTEN = 0.1  # share of a class: above, being given the same other class is a confusion
SURE, MANY, RARE = 0.9, 0.2, 0.1  # probability of a confident answer; share of the mistakes; share of all images


def classes(evidence: Evidence) -> Finding:
    counts = confusion(evidence.truth, evidence.predicted, len(evidence.classes))
    scores = class_scores(counts)
    recalls = {
        k: evidence.share(evidence.right, evidence.truth == k) for k in range(len(evidence.classes)) if scores.n[k]
    }
    weakest, verdict, says = _judge_weakest(evidence, recalls)
    return Finding(
        name="classes",
        verdict=verdict,
        message=message(
            says, name=evidence.classes[weakest], recall=float(scores.recall[weakest]), n=int(scores.n[weakest])
        ),
        table=_tabulate_classes(evidence, scores, recalls),
        details=[
            message(
                N_(
                    "Recall: of the images of a class, the share it found. Precision: of the images it gave this "
                    "name, the share that deserved it."
                )
            ),
            *evidence.on_groups(evidence.share(evidence.right, np.ones(len(evidence.truth), bool)).effective),
        ],
        source=evidence.source,
    )


def _judge_weakest(evidence: Evidence, recalls: Mapping[int, Interval]) -> tuple[int, Verdict, str]:
    """Return (the class to speak of, the verdict, its msgid)."""
    learned = [k for k in recalls if k < evidence.known]  # it can find none of the others, and the accuracy says so
    parts = compare_groups(evidence, evidence.right, {k: evidence.truth == k for k in learned})
    weakest, verdict = worst_group(parts)
    seldom = _find_seldom(evidence, learned)
    says = N_("No class clearly falls behind; the lowest is {name}: {recall:percent} found (n = {n:count}).")
    if verdict == "warn":
        says = N_("{name} clearly falls behind the other classes: {recall:percent} found (n = {n:count}).")
    elif seldom:
        weakest, verdict = min(seldom, key=lambda k: recalls[k].value), "warn"
        says = N_("{name} is seldom found: {recall:percent} of {n:count} images.")
    verdict = evidence.told(verdict)
    if verdict == "unknown" and len(learned) < 2:
        says = N_(
            "The model knows only one class of these test images, {name}: {recall:percent} found (n = {n:count})."
        )
    elif verdict == "unknown":
        says = N_(
            "No class is shown to fall behind, but a gap is not ruled out; the lowest is {name}: "
            "{recall:percent} found (n = {n:count})."
        )
    return weakest, verdict, says


def _find_seldom(evidence: Evidence, learned: Sequence[int]) -> list[int]:
    """The classes that are shown to be found less than half of the time."""
    # over all classes together: if all are found half of the time, one of them looks worse one time in twenty
    level = 1 - 0.05 / len(learned)
    return [
        k for k in learned if evidence.share(evidence.right, evidence.truth == k, level).below(0.5, (1 - level) / 2)
    ]


def _tabulate_classes(evidence: Evidence, scores: ClassScores, recalls: Mapping[int, Interval]) -> Table:
    rows: list[list[Any]] = []
    for k, name in enumerate(evidence.classes):
        low, high = evidence.ends(recalls[k]) if k in recalls else (None, None)
        rows.append([name, int(scores.n[k]), _or_none(scores.precision[k]), _or_none(scores.recall[k]), low, high])
    columns = [
        (N_("class"), "text"),
        (N_("test images"), "count"),
        (N_("precision"), "percent"),
        (N_("recall"), "percent"),
        (N_("recall low"), "percent"),
        (N_("recall high"), "percent"),
    ]
    return Table(columns, rows)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def confusions(evidence: Evidence) -> Finding:
    counts = confusion(evidence.truth, evidence.predicted, len(evidence.classes))
    pairs = _find_confusions(counts)
    columns = [
        (N_("true class"), "text"),
        (N_("predicted class"), "text"),
        (N_("images"), "count"),
        (N_("share of the class"), "percent"),
    ]
    rows = [
        [evidence.classes[i], evidence.classes[j], int(counts[i, j]), float(counts[i, j] / counts[i].sum())]
        for i, j in pairs
    ]
    verdict = evidence.told(_judge_confusions(evidence, counts))
    return Finding(
        name="confusion",
        verdict=verdict,
        message=_describe_confusions(evidence, counts, pairs, verdict),
        table=Table(columns, rows) if rows else None,
        pictures=[evidence.picture(i) for i in _pick_pictures(evidence)],
        source=evidence.source,
        data={"classes": list(evidence.classes), "matrix": counts.tolist()},
    )


def _find_confusions(counts: np.ndarray) -> list[tuple[int, int]]:
    """(true class, predicted class), the ten most frequent confusions first."""
    off = counts - np.diag(np.diag(counts))
    order = [int(k) for k in np.argsort(-off, axis=None, kind="stable")[:10] if off.flat[int(k)] > 0]
    return [divmod(k, len(counts)) for k in order]


def _describe_confusions(
    evidence: Evidence, counts: np.ndarray, pairs: Sequence[tuple[int, int]], verdict: Verdict
) -> Message:
    if not pairs:
        return message(
            N_("It confused no two classes on {n:count} test image."),
            N_("It confused no two classes on {n:count} test images."),
            n=len(evidence.truth),
        )
    i, j = pairs[0]
    if len(pairs) > 1 and counts[i, j] == 1:
        says = N_("It gave no class the same wrong name twice, on {n:count} test images.")
        return message(says, n=len(evidence.truth))
    says = N_("Its most frequent confusion: {n:count} of {total:count} images of {truth} were called {said}.")
    if verdict == "unknown":
        says = N_(
            "Its most frequent confusion: {n:count} of {total:count} images of {truth} were called {said}. Too "
            "few images to tell whether a class is called the same wrong name in more than {often:percent} of "
            "cases."
        )
    return message(
        says,
        n=int(counts[i, j]),
        total=int(counts[i].sum()),
        truth=evidence.classes[i],
        said=evidence.classes[j],
        often=OFTEN,
    )


def _judge_confusions(evidence: Evidence, counts: np.ndarray) -> Verdict:
    """Whether a class is given the same other class more often than OFTEN: shown for one pair, ruled out for all, or
    neither.
    """
    off = counts - np.diag(np.diag(counts))
    met = np.flatnonzero(counts.sum(1)).tolist()
    level = 1 - 0.05 / max(1, len(met) * (evidence.known - 1))  # the number of pairs that are examined
    ruled_out = True
    for i in met:
        j = int(off[i].argmax())
        predicted_j, inside = evidence.predicted == j, evidence.truth == i
        if off[i, j] > OFTEN * counts[i].sum() and evidence.share(predicted_j, inside, level).above(
            OFTEN, (1 - level) / 2
        ):
            return "warn"
        ruled_out = ruled_out and evidence.share(predicted_j & (evidence.truth != j), inside).high < OFTEN
    return "ok" if ruled_out else "unknown"


def _pick_pictures(evidence: Evidence) -> list[int]:
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
    return (wrong + right)[:MAX_PICTURES]


def mistakes(evidence: Evidence) -> Finding:
    wrong = np.flatnonzero(~evidence.right)
    surest = wrong[np.argsort(-evidence.probabilities[wrong].max(1), kind="stable")][:MISTAKES]
    sure = int((evidence.probabilities[wrong].max(1) >= SURE).sum()) if len(wrong) else 0
    says = (
        message(
            N_(
                "It was wrong on {n:count} of {total:count} test images, on {sure:count} of them with 90 % "
                "confidence or more."
            )
            if sure
            else N_(
                "It was wrong on {n:count} of {total:count} test images, on none of them with 90 % confidence or more."
            ),
            n=len(wrong),
            total=len(evidence.truth),
            sure=sure,
        )
        if len(wrong)
        else message(
            N_("It made no mistake on {n:count} test image."),
            N_("It made no mistake on {n:count} test images."),
            n=len(evidence.truth),
        )
    )
    return Finding(
        name="mistakes",
        verdict=evidence.told(_judge_confidence(evidence)),
        message=says,
        pictures=[evidence.picture(int(i)) for i in surest],
        details=[message(N_("A confident mistake is often a wrong label: look at these first."))] if len(wrong) else [],
        source=evidence.source,
    )


def _judge_confidence(evidence: Evidence) -> Verdict:
    """ "warn" where more than MANY of the mistakes are shown to be confident ones, "ok" where confident mistakes are
    shown to be rare.
    """
    wrong = ~evidence.right
    sure = wrong & (evidence.probabilities.max(1) >= SURE)
    if wrong.any() and evidence.share(sure, wrong).above(MANY):
        return "warn"
    return "ok" if evidence.share(sure, np.ones(len(wrong), bool)).high < RARE else "unknown"
