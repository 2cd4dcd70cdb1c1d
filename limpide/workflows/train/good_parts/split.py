"""split: choose the good parts to learn from, to set the threshold and to judge; all defects judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limpide.audit import run_facts
from limpide.core.errors import DataError, UsageError
from limpide.core.events import Event, Progress
from limpide.core.recipe import Recipe
from limpide.data.dataset import CALIBRATION, NO_PART, PARTS, TEST, TRAIN, VALIDATION
from limpide.data.folds import FOLDS, NO_FOLD, assign_folds
from limpide.data.split import TWO_LABELS, Division, split
from limpide.statistics.conformal import fewest_scores, lowest_rate
from limpide.text.messages import N_, message
from limpide.training.good_parts import FALSE_ALARMS
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.split import find_earlier_split, keep_prints, read_parts, write_parts

LEAST = 8  # good parts that do not belong together; with fewer, nothing is learned
FEWEST_LEARNED = 15  # of them to learn from; with fewer, all are learned from and the threshold comes from folds
DEFECT, OTHER = "defect", "other"  # the model's name for parts that are not good


def split_good_parts(job: TrainContext) -> Iterator[Event]:
    if job.done("split"):
        job.parts, job.folds = read_parts(job)
        return
    yield Progress(message(N_("splitting the images")))
    readable = np.flatnonzero(job.reading.seen["reason"] < 0).astype(np.int32)
    keys = np.ascontiguousarray(job.reading.seen["hash"][readable])
    is_good = job.dataset.labels[readable] == 0
    twice = is_good & np.isin(keys, keys[~is_good])
    good = np.flatnonzero(is_good & ~twice)
    plan = _plan(job, readable[good], keys[good])
    job.recipe = job.recipe.but(false_alarms=plan.rate)
    division = _with_defects(plan.division, good, np.flatnonzero(~is_good), np.flatnonzero(twice), len(readable))
    n = len(job.dataset)
    job.parts, job.folds = np.zeros(n, np.uint8), np.full(n, NO_FOLD, np.int8)
    job.parts[readable] = division.parts
    if plan.in_folds:
        used = good[plan.division.parts != NO_PART]
        together = division.together[used]
        job.folds[readable[used]] = assign_folds(keys[used], np.zeros(len(used), np.int32), together, FOLDS)
    out = job.reading.failures() | {int(readable[i]): reason for i, reason in division.out.items()}
    write_parts(job, readable, keys, division, out)
    keep_prints(job, np.zeros(0, int))
    job.run.update(classes=[job.recipe.good, _name_of_others(job.recipe.good)])
    yield from _say(job, plan, len(out) + len(job.dataset.left_out))
    counts = {part: len(job.rows(part)) for part in PARTS[1:]}
    reasons = Counter([*out.values(), *(reason for _, reason in job.dataset.left_out)])
    job.run.add_finding(run_facts.data_finding(counts, reasons))
    job.enter(
        "quote",
        grouped_by=job.dataset.grouped_by,
        split_rows=int((job.parts != NO_PART).sum()),
        recipe=job.recipe.to_json(),
    )


@dataclass(frozen=True)
class _Plan:
    """The plan for the good parts."""

    division: Division
    rate: float  # of false alarms, that can be promised
    in_folds: bool  # all are learned from, and the threshold comes from folds
    lowered: bool  # they are too few to promise the usual rate


def _plan(job: TrainContext, rows: np.ndarray, keys: np.ndarray) -> _Plan:
    """rows: int (n,), good parts that can be used · keys: uint64 (n,), hash of each one's content. Raises DataError and
    UsageError if there are too few.
    """
    dataset = job.dataset
    given, labels = dataset.given[rows], np.zeros(len(rows), np.int32)
    groups = None if dataset.groups is None else dataset.groups[rows]
    whole = split(keys, labels, given, {}, groups=groups)
    free = (whole.parts != NO_PART) & (given != TEST)
    n = len(np.unique(whole.together[free]))  # that do not belong together
    asked = Recipe.from_json(job.info.wanted).false_alarms
    if n < LEAST:
        job.run.update(status="refused")  # once there are more, the same command starts afresh
        raise DataError("L299", where=dataset.location, n=n, least=LEAST)
    rate = asked or FALSE_ALARMS
    if fewest_scores(rate) > n:
        if asked:
            job.run.update(status="refused")
            possible = round(np.ceil(lowest_rate(n) * 1000) / 1000, 3)
            raise UsageError(
                "L171", where=f"false_alarms={asked}", n=n, needed=fewest_scores(rate), possible=f"{possible:g}"
            )
        rate = lowest_rate(n)
    test = 0.0 if (given == TEST).any() else float(job.recipe.test or 0.0)
    held = n * (1 - test)
    in_folds = min(held / 2 - fewest_scores(rate), held / 2 - FEWEST_LEARNED) < 0
    if not in_folds:
        # half of the rest sets the threshold: this part is filled like the validation part, and renamed
        earlier = find_earlier_split(job).parts
        if earlier is not None:
            earlier = earlier[0], np.where(earlier[1] == CALIBRATION, VALIDATION, earlier[1]).astype(np.uint8)
        given = np.where(given == TEST, TEST, NO_PART).astype(np.uint8)
        shares = {TEST: test, VALIDATION: (1 - test) / 2}
        whole = split(keys, labels, given, shares, groups=groups, earlier=earlier)
    parts = np.where(whole.parts == VALIDATION, TRAIN if in_folds else CALIBRATION, whole.parts).astype(np.uint8)
    return _Plan(replace(whole, parts=parts), rate, in_folds, rate > (asked or FALSE_ALARMS))


def _with_defects(of_good: Division, good: np.ndarray, defects: np.ndarray, twice: np.ndarray, n: int) -> Division:
    """The division of all n readable images: all defects judge. good, defects, twice: int, their indices."""
    parts, together = np.zeros(n, np.uint8), np.full(n, -1)
    parts[good], together[good] = of_good.parts, of_good.together
    parts[defects] = TEST
    rest = np.concatenate([defects, twice]).astype(int)
    together[rest] = int(of_good.together.max(initial=-1)) + 1 + np.arange(len(rest))
    out = {int(good[i]): reason for i, reason in of_good.out.items()} | dict.fromkeys(twice.tolist(), TWO_LABELS)
    return Division(parts, out, together, of_good.moved, of_good.ours, of_good.quotas)


def _name_of_others(good: str) -> str:
    return OTHER if good.casefold() == DEFECT else DEFECT


def _say(job: TrainContext, plan: _Plan, left_out: int) -> Iterator[Event]:
    if left_out:
        lost = message(
            N_("{n:count} file is left out; the reason is in excluded.csv"),
            N_("{n:count} files are left out; the reasons are in excluded.csv"),
            n=left_out,
        )
        yield job.say("data", lost)
    tested = job.dataset.labels[job.rows("test")]
    values: dict[str, Any] = {
        "train": len(job.rows("train")),
        "calibration": len(job.rows("calibration")),
        "test": int((tested == 0).sum()),
        "defects": int((tested != 0).sum()),
        "rate": plan.rate,
    }
    says = (
        N_(
            "good parts: {train:count} for training, each compared with the others in folds to set the "
            "threshold; defects: {defects:count}, for judging"
        )
        if plan.in_folds
        else N_(
            "good parts: {train:count} for training, {calibration:count} for the threshold, {test:count} for "
            "judging; defects: {defects:count}, for judging"
        )
    )
    yield job.say("split", message(says, **values))
    if plan.lowered:
        says = N_(
            "{n:count} good parts cannot promise fewer than {rate:percent} false alarms, which is more than the "
            "usual {usual:percent}"
        )
        yield job.say("warning", message(says, n=values["train"], rate=plan.rate, usual=FALSE_ALARMS))
