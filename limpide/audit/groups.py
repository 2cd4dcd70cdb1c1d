"""For whom does it fail? Groups of images that the user names: by class, folder, brightness or size.

What it measures: accuracy of each group with its interval, and whether chance would put that many mistakes on one of
them. Why it matters: a good average hides a camera, a place or a person for whom the model does not work. How it can
mislead: with many small groups one looks bad by luck: the bound is divided by their number (Bonferroni), and few images
prove little. Sources: statistics/intervals.py (`falls_behind`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding, Table, Verdict
from limpide.statistics.intervals import Interval, count_by_group, falls_behind
from limpide.text.messages import N_, Message, message


@dataclass(frozen=True)
class GroupScore:
    """Some of the test images, compared with all others that count."""

    score: Interval
    falls: bool  # it is shown to be right less often
    close: bool  # it is shown to be right hardly less often


def compare_groups(evidence: Evidence, right: np.ndarray, parts: Mapping[Any, np.ndarray]) -> dict[Any, GroupScore]:
    """Each part, bool (n,), against the images of all the others. right: bool (n,)"""
    among = np.logical_or.reduce(list(parts.values()))

    def counts(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return count_by_group(right[rows], None if evidence.groups is None else evidence.groups[rows])

    scores = {}
    for name, inside in parts.items():
        falls, close = (
            falls_behind(counts(inside), counts(among & ~inside), len(parts))
            if (among & ~inside).any()
            else (False, False)
        )
        scores[name] = GroupScore(evidence.share(right, inside), bool(falls), bool(close))
    return scores


def worst_group(parts: Mapping[Any, GroupScore]) -> tuple[Any, Verdict]:
    """Return (the part to speak of, the verdict): parts that fall behind come first, then the lowest."""
    name = min(parts, key=lambda k: (not parts[k].falls, parts[k].score.value))
    return name, "warn" if parts[name].falls else "ok" if all(part.close for part in parts.values()) else "unknown"


def groups(evidence: Evidence, names: Sequence[str], by: Message) -> Finding:
    """names: (n,) the group of each image; by: what they are called, for the sentence."""
    group_names = np.asarray(names, dtype=object)
    parts = compare_groups(evidence, evidence.right, {name: group_names == name for name in sorted(set(names))})
    name, verdict = worst_group(parts)
    verdict = evidence.told(verdict)
    score = parts[name].score
    columns = [
        (N_("group"), "text"),
        (N_("test images"), "count"),
        (N_("accuracy"), "percent"),
        (N_("accuracy low"), "percent"),
        (N_("accuracy high"), "percent"),
    ]
    rows = sorted(
        ([one, part.score.n, part.score.value, *evidence.ends(part.score)] for one, part in parts.items()),
        key=lambda row: row[2],
    )
    details = [
        message(
            N_("A group falls behind if chance alone would give it this many mistakes less than once in forty times.")
        ),
        *evidence.on_groups(evidence.share(evidence.right, np.ones(len(group_names), bool)).effective),
    ]
    return Finding(
        name="groups",
        verdict=verdict,
        message=message(
            _choose_sentence(verdict, len(parts)),
            by=by.to_json(),
            name=name,
            share=score.value,
            n=score.n,
            k=len(parts),
        ),
        table=Table(columns, rows),
        details=details,
        source=evidence.source,
    )


def _choose_sentence(verdict: Verdict, count: int) -> str:
    """The msgid of the headline. count: the number of groups"""
    if count < 2:
        return N_("There is only one group by {by}: nothing to compare.")
    return {
        "unknown": N_(
            "By {by}, none of {k:count} groups is shown to fall behind, but a gap is not ruled out; the lowest "
            "is {name}: {share:percent} of {n:count} images correct."
        ),
        "warn": N_("By {by}, {name} clearly falls behind: {share:percent} of {n:count} images correct."),
        "ok": N_(
            "By {by}, none of {k:count} groups clearly falls behind; the lowest is {name}: {share:percent} of "
            "{n:count} images correct."
        ),
    }[verdict]
