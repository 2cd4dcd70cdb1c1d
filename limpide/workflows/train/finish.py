"""finish: end a run that is not judged here: cross-validation judges it on its own images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from limpide.core.events import Event
from limpide.workflows.train.context import TrainContext


def finish(job: TrainContext) -> Iterator[Event]:
    if not job.done("judge"):
        shutil.rmtree(job.run.cache, ignore_errors=True)
        for old in job.run.checkpoints.glob("step-*"):
            old.unlink(missing_ok=True)
        job.enter("done", status="finished", judged=False, seconds=job.deadline.passed())
    yield from ()
