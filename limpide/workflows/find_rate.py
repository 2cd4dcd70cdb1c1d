"""doctor --rate: a learning rate for these images, this network and this optimizer, from a few steps.

Nothing is kept: the images are read and split as for a training, in a folder that is deleted afterwards.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from limpide.audit.rate import rate_finding
from limpide.core.errors import UsageError
from limpide.core.events import Event, Judged, Progress
from limpide.core.recipe import Recipe
from limpide.core.rerun import rerun_command
from limpide.text.messages import N_, message
from limpide.training.augment import decide_augmentation
from limpide.training.build import build_network
from limpide.training.defaults import usual_rate
from limpide.training.rate_finder import STEPS, sweep
from limpide.training.start import set_from_images, start_state
from limpide.workflows.train import deadline
from limpide.workflows.train.check_images import check_images
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.read import read_images
from limpide.workflows.train.split import split_images
from limpide.workflows.train.training import prepare

SWEEPS = 3  # each with weights and an order of its own


def find_rate(location: str, recipe: Recipe) -> Iterator[Event]:
    """Yield progress, and last the finding `learning_rate`. Raises what a training raises; UsageError for a rate that
    is given already.
    """
    if recipe.lr is not None:
        raise UsageError("L186", where=f"--lr {recipe.lr:g}")
    with tempfile.TemporaryDirectory(prefix="limpide-rate-") as folder:
        run, dataset, _ = prepare(location, recipe, Path(folder), new=True, classes=True)
        if run.info().good or recipe.freeze == "head":
            raise UsageError("L188", where=location)
        with run.lock():
            job = TrainContext(run, dataset, deadline.now(), False, False, run.info())
            for phase in (read_images, check_images, split_images):
                yield from _without_notes(phase(job))
            yield from _sweep(job)


def _without_notes(events: Iterator[Event]) -> Iterator[Event]:
    with contextlib.closing(events):  # type: ignore[type-var]
        yield from (event for event in events if isinstance(event, Progress))


def _sweep(job: TrainContext) -> Iterator[Event]:
    usual = usual_rate(job.recipe)
    augment = decide_augmentation(job.recipe, None, job.seen.grey, len(job.dataset.learned_classes))
    preprocessing, sweeps = job.pixels().preprocessing, []
    for k in range(SWEEPS):
        recipe = job.recipe.but(seed=job.recipe.seed + k, schedule="constant", average="none")
        model = build_network(recipe, len(job.dataset.learned_classes), preprocessing.channels, preprocessing.size)
        set_from_images(model, job.batches("train"), recipe)
        state = start_state(model, recipe, STEPS)
        losses = []
        for rate, loss in sweep(state, job.batches("train"), recipe, usual, augment):
            losses.append((rate, loss))
            yield Progress(message(N_("trying learning rates")), k * STEPS + len(losses), SWEEPS * STEPS)
        sweeps.append(losses)
    command = ["limpide", "train", *rerun_command(job.info)]
    yield Judged(rate_finding(sweeps, job.recipe.optimizer, usual, command))
