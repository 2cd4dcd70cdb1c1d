"""split: which image serves for what, written down before anything is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from limpide.audit import records
from limpide.data.dataset import NO_PART, PARTS, TEST, VALIDATION
from limpide.data.split import FILLED, check_split, earlier_parts, read_split, split, write_excluded, write_split
from limpide.errors import DataError, RunError
from limpide.events import Event, Progress
from limpide.language import N_, Message, message
from limpide.run import Run
from limpide.workflows.phases.job import Job


def split_images(job: Job) -> Iterator[Event]:
    names, dataset, seen = job.dataset.images.names, job.dataset, job.reading.seen
    if job.done("split"):
        job.parts = _parts_again(job)
        return
    yield Progress(message(N_("deciding which image serves for what")))
    out = job.reading.failures()
    kept = np.flatnonzero(seen["reason"] < 0).astype(np.int32)
    earlier, inherited, cut = _earlier_split(job)
    for run in cut:
        says = N_("the split.csv of {run} is not whole and is passed over: images may have had another part there")
        yield job.say("warning", message(says, run=run))
    shares = {part: getattr(job.recipe, PARTS[part]) for part in FILLED}
    keys, labels = np.ascontiguousarray(seen["hash"][kept]), dataset.labels[kept]
    division = split(
        keys,
        labels,
        dataset.given[kept],
        shares,
        groups=None if dataset.groups is None else dataset.groups[kept],
        near=_among(job.near, kept, len(names)),
        prints=np.ascontiguousarray(seen["print"][kept]) if job.near is not None and len(job.near) else None,
        earlier=earlier,
    )
    out |= {int(kept[i]): reason for i, reason in division.out.items()}
    job.parts = np.zeros(len(names), np.uint8)
    job.parts[kept] = division.parts
    write_split(job.run.split_file, (names[int(i)] for i in kept), (dataset.classes[int(k)] for k in labels), division, keys)
    write_excluded(job.run.excluded_file, [*((names[i], out[i]) for i in sorted(out)), *dataset.left_out])
    _refuse_if_hopeless(job, out)
    left = len(out) + len(dataset.left_out)
    if left:
        yield job.say(
            "data",
            message(
                N_("{n:count} file is left out; the reason is in excluded.csv"), N_("{n:count} files are left out; the reasons are in excluded.csv"), n=left
            ),
        )
    if inherited:
        looks = [run.info().get("test_looks", 0) for run in Run.all_in(job.run.path.parent) if run.info().get("location") == job.dataset.location]
        job.run.update(test_looks=max(looks, default=0))  # the same test images, seen before
        yield job.say("split", message(N_("images already in {run} stay in the part they had; shares asked for now hold for new ones only"), run=inherited))
    if division.moved:
        yield job.say(
            "warning",
            message(
                N_("{n:count} image leaves the part it had in {run}, to stay with its group"),
                N_("{n:count} images leave the part they had in {run}, to stay with their group"),
                n=division.moved,
                run=inherited,
            ),
        )
    counts = {part: len(job.rows(part)) for part in PARTS[1:]}
    says = (
        N_("{train:count} images train, {validation:count} choose, {calibration:count} calibrate, {test:count} are kept for the final score")
        if counts["calibration"]
        else N_("{train:count} images train, {validation:count} choose, {test:count} are kept for the final score")
    )
    yield job.say("split", Message(says, counts))
    if skewed := _other_shares(job, shares, counts):
        yield job.say("warning", skewed)
    finding = records.data(counts, Counter([*out.values(), *(reason for _, reason in dataset.left_out)]))
    job.run.add_finding(finding)
    job.enter("quote", split_rows=int((job.parts != NO_PART).sum()))


def _parts_again(job: Job) -> np.ndarray:
    """From split.csv, whose lines stand in the order of the images, those left out missing. Raises RunError where it is not whole."""
    check_split(job.run)
    names = job.dataset.images.names
    parts, i = np.zeros(len(names), np.uint8), 0
    for row in read_split(job.run.split_file):
        while names[i] != row["file"]:
            i += 1
        parts[i] = PARTS.index(row["part"])
        i += 1
    return parts


def _among(near: np.ndarray | None, kept: np.ndarray, n: int) -> np.ndarray | None:
    """Pairs of images as pairs of places in `kept`."""
    if near is None or not len(near):
        return None
    place = np.full(n, -1)
    place[kept] = np.arange(len(kept))
    pairs = place[near]
    return np.asarray(pairs[(pairs >= 0).all(1)])


def _earlier_split(job: Job) -> tuple[tuple[np.ndarray, np.ndarray] | None, str, list[str]]:
    """Keys and parts of the newest other run on the same data, and that run's name; names of newer ones whose split is not whole."""
    cut: list[str] = []
    for run in reversed(Run.all_in(job.run.path.parent)):
        info = run.info()
        useful = info.get("status") != "refused" and info.get("judged", True)  # one that is not judged holds out hardly anything
        if run.path != job.run.path and info.get("location") == job.dataset.location and useful and run.split_file.exists():
            try:
                check_split(run)
                return earlier_parts(run.split_file), run.path.name, cut
            except RunError:
                cut.append(run.path.name)
            except ValueError:  # of an older limpide, or edited by hand
                continue
    return None, "", cut


def _other_shares(job: Job, shares: Mapping[int, float], counts: Mapping[str, int]) -> Message | None:
    """What is to be said when whole groups keep a part far from the size that was asked for."""
    total = sum(counts.values())
    for part in (TEST, VALIDATION):
        asked, got = shares[part], counts[PARTS[part]] / max(1, total)
        if not (job.dataset.given == part).any() and total >= 50 and abs(got - asked) > max(0.03, 0.25 * asked):
            return message(
                N_("the {part} part has {got:percent} of the images instead of {asked:percent}: groups are not cut, and images stay where they were"),
                part=message(records.PART_NAMES[PARTS[part]]).to_json(),
                got=got,
                asked=asked,
            )
    return None


def _refuse_if_hopeless(job: Job, out: dict[int, str]) -> None:
    for part, needed in (("train", 2), ("test", 1)):
        rows = job.rows(part)
        if len(set(job.dataset.labels[rows].tolist())) < needed:
            job.run.update(status="refused")  # once the folder is mended, the same command starts afresh
            if job.dataset.groups is not None and not out:
                raise DataError(
                    "L239",
                    N_("the groups are so few or so large that nothing is left to test on"),
                    where=job.dataset.location,
                    todo=N_("name other columns with --groups, or none"),
                )
            raise DataError(
                "L209",
                N_("too few usable images are left: {n} of {total}"),
                where=job.dataset.location,
                todo=N_("give at least two readable images of each of two classes; {file} says what was left out"),
                n=int((job.parts != NO_PART).sum()),
                total=len(job.dataset),
                file=str(job.run.excluded_file),
            )
