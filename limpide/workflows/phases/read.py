"""read: decide what can be decided from a glimpse, then decode every image once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limpide.data.preprocessing import Preprocessing
from limpide.data.reading import Glimpse, glimpse, read, stored
from limpide.data.split import stratified
from limpide.errors import RunError
from limpide.events import Event
from limpide.language import N_, message
from limpide.models import PRETRAINED
from limpide.recipe import Recipe
from limpide.training.decide import FEWEST_OF_A_CLASS, FROZEN_IMAGES, FROZEN_SIZE, decide, preprocessing_of
from limpide.workflows.phases.job import Job


def read_images(job: Job) -> Iterator[Event]:
    if job.done("read"):
        job.recipe, job.seen = Recipe.from_json(job.info["recipe"]), Glimpse(**job.info["seen"])
    else:
        job.seen = glimpse(job.dataset)
        job.recipe, reasons = decide(Recipe.from_json(job.info["wanted"]), job.seen, len(job.dataset))
        n = len(job.dataset)
        yield job.say("data", message(N_("{n:count} images in {k:count} classes"), n=n, k=len(job.dataset.classes)))
        for reason in reasons:
            yield job.say("decision", reason)
    wanted = _wanted_pixels(job)
    job.run.cache.mkdir(exist_ok=True)  # a run killed while it tidied up has none
    reading = stored(wanted, job.run.cache)
    if reading is None:
        yield from read(job.dataset, wanted, job.run.cache)
        reading = stored(wanted, job.run.cache)
    if reading is None:
        raise RunError("L508", N_("the decoded images could not be kept"), where=job.run.cache, todo=N_("free some disk space and run the same command again"))
    job.reading = reading
    if not job.done("read"):
        job.enter("split", recipe=job.recipe.to_json(), seen=vars(job.seen))


def _wanted_pixels(job: Job) -> dict[Preprocessing, np.ndarray]:
    """Which squares to keep of which images: all at the size that is trained, a sample at the size of the first model."""
    everything = np.arange(len(job.dataset))
    wanted = {preprocessing_of(job.recipe, job.seen): everything}
    if job.recipe.model in PRETRAINED and job.recipe.image_size != FROZEN_SIZE:
        labels = job.dataset.labels
        order = stratified(labels, 0)
        rare = [order[labels[order] == label][:FEWEST_OF_A_CLASS] for label in np.unique(labels)]  # no class may be missing
        sample = np.unique(np.concatenate([order[:FROZEN_IMAGES], *rare]))
        wanted[preprocessing_of(job.recipe, job.seen, FROZEN_SIZE)] = sample
    return wanted
