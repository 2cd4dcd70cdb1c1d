"""split: which image serves for what, written down before anything is learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from limpide.audit import records
from limpide.data.split import read_split, split, write_excluded, write_split
from limpide.errors import DataError
from limpide.events import Event
from limpide.language import N_, Message, message
from limpide.run import Run
from limpide.workflows.phases.job import Job


def split_images(job: Job) -> Iterator[Event]:
    names = list(job.dataset.images.names)
    if job.done("split"):
        by_name = {row["file"]: row["part"] for row in read_split(job.run.split_file)}
        job.parts = np.array([by_name.get(name, "") for name in names])
        return
    out = dict(job.reading.failures)
    kept = np.array([i for i in range(len(names)) if i not in out], dtype=int)
    hashes = [job.reading.hashes[i] for i in kept]
    earlier, inherited = _earlier_split(job)
    shares = {name: getattr(job.recipe, name) for name in ("test", "validation", "calibration")}
    parts, reasons = split(hashes, job.dataset.labels[kept], job.dataset.given[kept], shares, earlier)
    out |= {int(kept[i]): reason for i, reason in reasons.items()}
    job.parts = np.full(len(names), "", dtype="U11")
    job.parts[kept] = parts
    labels = [job.dataset.classes[k] for k in job.dataset.labels]
    write_split(job.run.split_file, names, labels, job.parts.tolist(), [h[:16] for h in job.reading.hashes])
    write_excluded(job.run.excluded_file, [(names[i], out[i]) for i in sorted(out)])
    _refuse_if_hopeless(job, out)
    if out:
        yield job.say(
            "data",
            message(
                N_("{n:count} file is left out; the reason is in excluded.csv"), N_("{n:count} files are left out; the reasons are in excluded.csv"), n=len(out)
            ),
        )
    if inherited:
        job.run.update(test_looks=Run(job.run.path.parent / inherited).info().get("test_looks", 0))  # the same test images, seen before
        yield job.say("split", message(N_("images already in {run} stay in the part they had; shares asked for now hold for new ones only"), run=inherited))
    counts = {part: int((job.parts == part).sum()) for part in ("train", "validation", "calibration", "test")}
    says = (
        N_("{train:count} images train, {validation:count} choose, {calibration:count} calibrate, {test:count} are kept for the final score")
        if counts["calibration"]
        else N_("{train:count} images train, {validation:count} choose, {test:count} are kept for the final score")
    )
    yield job.say("split", Message(says, counts))
    finding = records.data(job.parts.tolist(), Counter(out.values()))
    job.run.add_finding(finding)
    job.enter("quote")


def _earlier_split(job: Job) -> tuple[dict[str, str], str]:
    """Part of each content hash in the newest other run on the same data, and that run's name."""
    short = {h[:16]: h for h in job.reading.hashes}
    for run in reversed(Run.all_in(job.run.path.parent)):
        if run.path != job.run.path and run.info().get("location") == job.dataset.location and run.split_file.exists():
            rows = read_split(run.split_file)
            return {short[row["group"]]: row["part"] for row in rows if row["group"] in short}, run.path.name
    return {}, ""


def _refuse_if_hopeless(job: Job, out: dict[int, str]) -> None:
    for part, needed in (("train", 2), ("test", 1)):
        rows = job.rows(part)
        if len(set(job.dataset.labels[rows].tolist())) < needed:
            job.run.update(status="refused")  # once the folder is mended, the same command starts afresh
            raise DataError(
                "L209",
                N_("too few usable images are left: {n} of {total}"),
                where=job.dataset.location,
                todo=N_("give at least two readable images of each of two classes; {file} says what was left out"),
                n=int((job.parts != "").sum()),
                total=len(job.dataset),
                file=str(job.run.excluded_file),
            )
