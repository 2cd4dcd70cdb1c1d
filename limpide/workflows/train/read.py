"""read: make the decisions for which a sample of the images is enough, then read every image once."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from limpide.core.errors import RunError
from limpide.core.events import Event, Progress
from limpide.core.recipe import Recipe
from limpide.core.recipe_values import range_as_text
from limpide.core.typed_json import as_record
from limpide.data import pixel_cache
from limpide.data.decoding.value_range import decide_range
from limpide.data.layouts.summary import DatasetSummary
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import RECORD, ImageSample, Undecoded, read_pixels, sample_images, stored_reading
from limpide.text.messages import N_, message
from limpide.training.defaults import decide_recipe, usual_rate
from limpide.training.good_parts import decide_good_parts
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.minimum_time import check_time, wanted_pixels

# The cache cannot be written: no space, or no permission.
NO_CACHE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENOENT, errno.EEXIST),
)


def read_images(job: TrainContext) -> Iterator[Event]:
    if job.info.recipe:  # decided, even if not all images were read
        job.recipe, job.seen = Recipe.from_json(job.info.recipe), as_record(ImageSample, job.info.seen, "seen")
        job.dataset = job.dataset.read_by(job.recipe.span())
    else:
        yield from _decide_from_glimpse(job)
    rows_by_preprocessing = wanted_pixels(job.recipe, job.seen, job.dataset)
    job.run.cache.mkdir(exist_ok=True)  # a run killed while it cleaned up has none
    shared = pixel_cache.shared_folder(job.dataset, rows_by_preprocessing)
    if shared is None:
        yield from _read_into(job, rows_by_preprocessing, job.run.cache)
    else:
        with pixel_cache.is_in_use(shared) as has_lock:
            yield from _read_into(job, rows_by_preprocessing, shared if has_lock else job.run.cache, rehash=job.rehash)
    if not job.done("read"):
        job.enter("check")


def _decide_from_glimpse(job: TrainContext) -> Iterator[Event]:
    """Decide the recipe from some of the images and the time limit."""
    yield Progress(message(N_("examining some of the images")))
    job.seen = sample_images(job.dataset)
    wanted, dataset = Recipe.from_json(job.info.wanted), job.dataset
    job.recipe, reasons = (
        decide_good_parts(wanted, job.info.good)
        if job.info.good
        else decide_recipe(wanted, job.seen, len(dataset), dataset.gives_parts)
    )
    yield job.say("data", DatasetSummary.of(job.dataset).in_one_line())
    job.values = yield from decide_range(job.dataset, job.recipe.asked_range(), rehash=job.rehash)
    job.recipe = job.recipe.but(value_range=range_as_text(job.values.span))
    job.dataset = job.dataset.read_by(job.values.span)
    least, time_limit = 0.0, job.deadline.asked
    if time_limit is not None and not job.info.good:
        yield Progress(message(N_("measuring the minimum time")))
        reasons, least = check_time(job, reasons)
    for note in (*job.dataset.notes, *reasons, *job.values.says()):
        yield job.say("decision", note)
    if time_limit is not None and least > time_limit:
        says = N_(
            "the minimum is about {least:duration}: reading, a first model and its score. The rest does not fit "
            "into {asked:duration} and is left out"
        )
        yield job.say("quote", message(says, least=least, asked=time_limit))
    job.enter(
        "read", recipe=job.recipe.to_json(), usual_rate=None if job.info.good else usual_rate(job.recipe), seen=job.seen
    )


def _read_into(
    job: TrainContext, rows_by_preprocessing: dict[Preprocessing, np.ndarray], folder: Path, *, rehash: bool = False
) -> Iterator[Event]:
    """Read into `folder` what it does not contain yet. Pixels without space on disk are decoded when needed."""
    try:
        if folder != job.run.cache:
            is_complete = pixel_cache.prepare(folder, job.dataset, rows_by_preprocessing, rehash=rehash)
            if is_complete and stored_reading(job.dataset, rows_by_preprocessing, folder) is None:  # damaged
                pixel_cache.prepare(folder, job.dataset, rows_by_preprocessing, rehash=True)
        _reconsider_room(job, rows_by_preprocessing, folder)
        if stored_reading(job.dataset, rows_by_preprocessing, folder) is None:
            yield from read_pixels(
                job.dataset, rows_by_preprocessing, folder, on_disk=pixel_cache.room_for(rows_by_preprocessing, folder)
            )
    except OSError as error:
        if error.errno not in NO_CACHE:
            raise
        folder = job.run.cache  # the training continues without the cache
        yield from read_pixels(job.dataset, rows_by_preprocessing, folder, on_disk=frozenset())
    reading = stored_reading(job.dataset, rows_by_preprocessing, folder)
    if reading is None:
        raise RunError("L508", where=folder)
    job.reading = reading
    if not job.done("read"):
        yield from _say_undecoded(job)


def _say_undecoded(job: TrainContext) -> Iterator[Event]:
    """Report the pixels for which there is no space on disk."""
    pixels = job.reading.pixels.values()
    sizes = [str(p.preprocessing.size) for p in pixels if isinstance(p.array, Undecoded)]
    if sizes:
        says = N_(
            "no room on the disk for decoded images of {sizes} px: they are decoded each time they are "
            "needed, which is slower"
        )
        yield job.say("warning", message(says, sizes=", ".join(sizes)))


def _reconsider_room(job: TrainContext, rows_by_preprocessing: dict[Preprocessing, np.ndarray], folder: Path) -> None:
    """Let pixels for which there was no space on disk the last time be stored now, if there is some."""
    reading = stored_reading(job.dataset, rows_by_preprocessing, folder)
    live = {p.preprocessing for p in reading.pixels.values() if isinstance(p.array, Undecoded)} if reading else set()
    if live and live & pixel_cache.room_for(rows_by_preprocessing, folder):
        (folder / RECORD).unlink(missing_ok=True)
