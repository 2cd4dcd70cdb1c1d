"""quote: estimate the time and the memory for learning good parts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch

from limpide.core.events import Event, Progress
from limpide.core.run_info import Quoted
from limpide.deploy.detection import MAX_SCORES
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.good_parts import BATCH, CANDIDATES, Describer
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.good_parts.learn import MAX_LEARNED, fresh_model

CHOOSING = 3.0  # s, for choosing the patches to keep, about
WRITING = 6.0  # s, for the file, its proof and the report, about
LATER = 350_000_000  # bytes, for the opened file and the report


def estimate_good_parts(job: TrainContext) -> Iterator[Event]:
    """Time a few images, and report, once, the time that all should take."""
    if job.done("quote"):
        return
    job.memory.mark()
    yield Progress(message(N_("timing the pretrained network")))
    model = fresh_model(job)
    describer = Describer(model, job.pixels(), torch.device(job.recipe.device))
    rows = np.resize(job.rows("train"), BATCH)
    describer.patches(rows)  # warm-up
    began = time.perf_counter()
    model.nearest(describer.patches(rows).cpu())
    image = (time.perf_counter() - began) / BATCH
    learned, calibrated = (min(most, len(job.rows(part))) for part, most in PARTS)
    banks = 1 + (len(np.unique(job.folds[job.folds >= 0])))
    fitting = (learned + calibrated) * image + banks * CHOOSING
    after = len(job.rows("test")) * image + WRITING
    job.memory.look()
    memory = max(job.memory.peak, job.memory.recent) + LATER + 4 * CANDIDATES * model.bank.shape[1]
    total = job.deadline.passed() + fitting + after
    machine.release_memory()
    says = N_("about {seconds:duration} in all, {memory:bytes} of memory")
    yield job.say("quote", message(says, seconds=total, memory=memory))
    if job.recipe.time is not None and total > job.recipe.time:
        says = N_("that is more than the {asked:duration} asked for, as the score is never left out")
        yield job.say("decision", message(says, asked=job.recipe.time))
    quoted = Quoted(total, fitting, memory, job.deadline.passed() + fitting, after=after)
    job.enter("first", steps=0, epochs=0.0, quote=quoted)


PARTS = (("train", MAX_LEARNED), ("calibration", MAX_SCORES))
