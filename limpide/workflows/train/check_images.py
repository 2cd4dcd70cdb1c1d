"""check: report what is in the folder before anything is learned from it, and find near duplicates, which the split
keeps together.
"""

from __future__ import annotations

from collections.abc import Iterator

from limpide.audit.folder import FolderContents
from limpide.audit.folder_checks import run_checks
from limpide.core.events import Event, Progress
from limpide.core.finding import Finding
from limpide.core.recipe import Recipe
from limpide.data.decoding.value_range import decide_range
from limpide.data.read_images import near_pairs
from limpide.text.messages import N_, message
from limpide.workflows.train.context import TrainContext

# reported before the training; the others are in the report only
SAID_BEFORE = ("balance", "conflicts", "leaks", "name_groups", "class_names", "depth")


def check_images(job: TrainContext) -> Iterator[Event]:
    yield Progress(message(N_("checking the images")))
    # good parts look alike, which does not mean that they belong together
    job.near = None if job.info.good else near_pairs(job.dataset, job.reading, grey=job.seen.grey)
    if job.done("check"):
        return
    if job.values is None:  # a run that continues with this phase
        job.values = yield from decide_range(job.dataset, Recipe.from_json(job.info.wanted).asked_range())
    findings: dict[str, Finding] = {}
    for finding in run_checks(FolderContents(job.dataset, job.reading, job.near, job.values)):
        job.run.add_finding(finding)
        findings[finding.name] = finding
    for name in SAID_BEFORE:
        if findings[name].verdict != "ok":
            yield job.say("warning", findings[name].message)
    count = sum(finding.verdict in ("warn", "bad") for finding in findings.values())
    if count:
        yield job.say(
            "data",
            message(
                N_("the check found {n:count} thing worth a look (limpide check shows it)"),
                N_("the check found {n:count} things worth a look (limpide check shows them)"),
                n=count,
            ),
        )
    job.enter("split")
