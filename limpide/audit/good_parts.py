"""Does it find defects, and leave good parts alone? Findings on a model that knows good parts only.

What it measures: the share of good parts that are called a defect (false alarms), the share of defects that are called
good (escapes), each with a 95 % interval, and the area under the ROC curve, which needs no threshold.
Why it matters: a line stops for each false alarm, and a customer meets each escape.
How it can mislead: future defects look like none that were shown; good parts of another day, lamp or camera are not
covered by the promise.

Sources: Vovk et al. 2005 for the promise (statistics/conformal.py); Hanley & McNeil 1982 for the area; Birnbaum & Klose
1957, "Bounds for the variance of the Mann-Whitney statistic": its variance is at most A(1 − A) / the smaller number of
the two, so that the interval of a share among that many is wide enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limpide.audit.evidence import Evidence
from limpide.core.finding import Finding, Number, Table, Verdict
from limpide.statistics.areas import interval_of_area
from limpide.statistics.conformal import rate_interval
from limpide.statistics.intervals import Interval
from limpide.statistics.two_kinds import Halves
from limpide.text.messages import N_, Message, message

CHANCE = 0.5  # the area under the curve of a score that says nothing
MAX_NAMES = 5  # files named in a sentence

Area = tuple[float, str, float, float, int]  # (value, unit, low, high, images)


def defects_finding(evidence: Evidence, kinds: Sequence[str], promised: float) -> Finding:
    """evidence: of the classes good and defect, in this order · kinds: what each image is, in the user's words ·
    promised: the rate of false alarms.
    """
    is_good = evidence.truth == 0
    alarm = evidence.predicted != 0
    false_alarms, escapes = evidence.share(alarm, is_good), evidence.share(~alarm, ~is_good)
    area = _area(evidence)
    verdict, says = _says(false_alarms, escapes, area, promised)
    if verdict == "ok" and evidence.trained_on != 0:
        verdict = "unknown"
    return Finding(
        name="defects",
        verdict=evidence.told(verdict) if verdict == "ok" else verdict,
        message=message(
            says,
            parts=_good_parts(evidence, false_alarms.n).to_json(),
            alarms=false_alarms.value,
            defects=escapes.n,
            escapes=escapes.value,
            promised=promised,
            area=area[0] if area else 0.0,
        ),
        numbers=_numbers(evidence, false_alarms, escapes, area),
        table=_by_kind(evidence, kinds, alarm),
        pictures=[evidence.picture(i) for i in _worst(evidence)],
        details=_details(evidence, false_alarms, escapes),
        source=evidence.source,
        data={"n": len(evidence.truth)},
    )


def _numbers(evidence: Evidence, false_alarms: Interval, escapes: Interval, area: Area | None) -> list[Number]:
    numbers = [
        Number(name, rate.value, "share", *evidence.ends(rate), rate.n)
        for name, rate in ((N_("false alarms"), false_alarms), (N_("escapes"), escapes))
        if rate.n
    ]
    if area is not None:
        numbers.append(Number(N_("area under the ROC curve"), *area))
    if evidence.trained_on is not None:
        numbers.append(Number(N_("used in training"), evidence.trained_on, "count", n=len(evidence.truth)))
    return numbers


def _good_parts(evidence: Evidence, n: int) -> Message:
    """The number of good parts, and whether some were learned from."""
    if evidence.trained_on:
        says = N_("{n:count} good parts, some of them used in training")
    elif evidence.trained_on is None:
        says = N_("{n:count} good parts, some of them perhaps used in training")
    else:
        says = N_("{n:count} good parts it had not seen")
    return message(says, n=n)


def _area(evidence: Evidence) -> Area | None:
    """None where there are no good parts or no defects."""
    is_good = evidence.truth == 0
    if is_good.all() or not is_good.any():
        return None
    strange = -np.log(np.maximum(evidence.probabilities[:, 0].astype(np.float64), 1e-300))
    area, low, high = interval_of_area(strange, ~is_good, evidence.groups)
    return area, "share", low, high, len(is_good)


def _says(false_alarms: Interval, escapes: Interval, area: Area | None, promised: float) -> tuple[Verdict, str]:
    """The verdict, and its sentence (msgid)."""
    if area is None:
        if false_alarms.n:
            return "warn" if false_alarms.above(promised) else "unknown", N_(
                "Of {parts}, {alarms:percent} are called a defect. It is not known how many defects it finds: "
                "none was shown."
            )
        if escapes.n:
            return "unknown", N_(
                "Of {defects:count} defects, {escapes:percent} are missed. Its false alarms are not known: no "
                "good part was left to judge them."
            )
        return "unknown", N_(
            "It is not known how many defects it finds, as none was shown, and no good part was left to judge "
            "its false alarms."
        )
    both = N_(
        "Of {parts}, {alarms:percent} are called a defect; of {defects:count} defects, {escapes:percent} are missed."
    )
    if area[2] <= CHANCE:
        if area[3] <= CHANCE or area[0] <= CHANCE:
            return "bad" if area[3] <= CHANCE else "unknown", N_(
                "It tells defects from good parts no better than chance: of {parts}, {alarms:percent} are called "
                "a defect; of {defects:count} defects, {escapes:percent} are missed."
            )
        return "unknown", N_(
            "Of {parts}, {alarms:percent} are called a defect; of {defects:count} defects, {escapes:percent} are "
            "missed. It may tell them apart only by luck."
        )
    if false_alarms.above(promised):
        return "warn", N_(
            "Of {parts}, {alarms:percent} are called a defect, more than the promised {promised:percent}: these "
            "parts differ from those it learned from. Of {defects:count} defects, {escapes:percent} are missed."
        )
    return "ok" if escapes.below(CHANCE) else "warn", both


def _by_kind(evidence: Evidence, kinds: Sequence[str], alarm: np.ndarray) -> Table | None:
    """A row for each of the user's classes, the good one first."""
    if not len(alarm):
        return None
    words = np.array(kinds, dtype=object)
    names = sorted(set(kinds), key=lambda name: (bool(evidence.truth[words == name][0]), name))
    rows = []
    for name in names:
        here = words == name
        found = evidence.share(alarm, here)
        rows.append([name, int(here.sum()), int(alarm[here].sum()), found.value, *evidence.ends(found)])
    columns = [
        (N_("class"), "text"),
        (N_("images"), "count"),
        (N_("called a defect"), "count"),
        (N_("share"), "percent"),
        (N_("low"), "percent"),
        (N_("high"), "percent"),
    ]
    return Table(columns, rows)


def _worst(evidence: Evidence, most: int = 6) -> list[int]:
    """The escapes and false alarms that are farthest from the threshold."""
    wrong = np.flatnonzero(evidence.predicted != evidence.truth)
    margin = evidence.probabilities[wrong].max(1)
    return [int(wrong[k]) for k in np.argsort(-margin, kind="stable")[:most]]


def _details(evidence: Evidence, false_alarms: Interval, escapes: Interval) -> list[Message]:
    details = []
    if evidence.trained_on:
        says = N_("The training used {trained:count} of these images, which inflates the result.")
        details.append(message(says, trained=evidence.trained_on))
    elif evidence.trained_on is None:
        says = N_("A model file alone cannot say whether it learned from some of these images: name its run.")
        details.append(message(says))
    details.append(
        message(
            N_(
                "It learned from good parts alone: defects of a kind not shown here may be found more or less "
                "often. The area under the ROC curve is how often a defect scores as stranger than a good part; "
                "it needs no threshold, and 0.5 is chance."
            )
        )
    )
    if not evidence.groups_known:
        details += evidence.on_groups(false_alarms.effective + escapes.effective)
    return details


def threshold_finding(rate: float, n: int, groups: int, folds: int) -> Finding:
    """The promise of the threshold. n: good parts that set it, in `groups` groups · folds: in which these were compared
    with the others; 0: nothing was learned from them.
    """
    low, high = rate_interval(groups, rate)
    says = (
        N_(
            "The threshold is set so that about {rate:percent} of new good parts are called a defect: each of "
            "{n:count} good parts was compared with the others, in {folds:count} folds."
        )
        if folds
        else N_(
            "The threshold is set so that at most {rate:percent} of new good parts are called a defect, based on "
            "{n:count} good parts that nothing was learned from."
        )
    )
    promise = (
        N_(
            "With folds this rate is not proven, but cautious: each good part was compared with fewer others "
            "than a new one will be. The rate that is proven for folds is about twice as high (Barber et al. "
            "2021, theorem 4)."
        )
        if folds
        else N_(
            "This rate is proven for good parts of the same production, camera and light, on average over all "
            "thresholds that could have resulted (split-conformal: Vovk et al. 2005)."
        )
    )
    one = N_(
        "For a single threshold, the rate itself lies between {low:percent} and {high:percent} in 95 of 100 "
        "cases; more good parts narrow this interval."
    )
    return Finding(
        name="threshold",
        verdict="ok",
        message=message(says, rate=rate, n=n, folds=folds),
        numbers=[Number(N_("promised false alarms"), rate, "share", low, high, n)],
        details=[message(promise), message(one, low=low, high=high)],
        source="folds" if folds else "calibration",
    )


def kinds_finding(halves: Halves, names: Sequence[str]) -> Finding:
    """Whether the good parts look like one kind. names: of the files."""
    if not halves.are_two_kinds:
        says = message(N_("The good parts look like one kind."))
    else:
        shown = [names[int(k)] for k in np.flatnonzero(halves.second)[:MAX_NAMES]]
        says = message(
            N_(
                "The good parts look like two kinds, {share:percent} of them like {names}: a defect of one kind "
                "may look like a good part of the other, so train on each kind separately."
            ),
            share=float(halves.second.mean()),
            names=", ".join(shown),
        )
    how = N_(
        "The best split in two of what the network sees of whole images leaves {index:percent} of the variance, "
        "where a cloud of one kind leaves {expected:percent}, and {empty:percent} of the way between the two "
        "halves is empty."
    )
    return Finding(
        name="kinds",
        verdict="warn" if halves.are_two_kinds else "ok",
        message=says,
        details=[message(how, index=halves.index, expected=halves.expected, empty=max(0.0, halves.empty))],
        source="train",
    )
