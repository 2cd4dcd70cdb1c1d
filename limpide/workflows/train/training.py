"""train: read → check → split → quote → first model → fine-tuning in folds → fit → seal → judge and report.

Every phase is a generator of events and either does its work or finds it done, so the same call starts a training and
continues one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from limpide.core.errors import LimpideError, RunError
from limpide.core.events import Event
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.system import machine
from limpide.training.checkpoint import load_checkpoint
from limpide.training.defaults import check_recipe
from limpide.workflows.train import deadline
from limpide.workflows.train.check_images import check_images
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.estimate import estimate_work
from limpide.workflows.train.finish import finish
from limpide.workflows.train.first_model import first_model
from limpide.workflows.train.fit import fit_network
from limpide.workflows.train.fold_tuning import tune_in_folds
from limpide.workflows.train.good_parts.choose import good_class, scan_to_learn
from limpide.workflows.train.good_parts.phases import good_parts_phases
from limpide.workflows.train.judge import judge_model
from limpide.workflows.train.read import read_images
from limpide.workflows.train.same_setup import compare_setup
from limpide.workflows.train.same_setup import describe as describe_setup
from limpide.workflows.train.seal import seal_model
from limpide.workflows.train.split import split_images

Phases = Sequence[Callable[[TrainContext], Iterator[Event]]]

# Defaults of earlier versions, which are chosen now
EARLIER_SHARES, EARLIER_SMOOTHING = {"test": 0.2, "validation": 0.1}, 0.1


def prepare(
    location: str, recipe: Recipe, runs: Path, *, new: bool = False, classes: bool = False
) -> tuple[Run, Dataset, bool]:
    """The run to work in, its data, and whether it continues an unfinished one: same data path and same options.

    classes: True refuses data of a single class, which otherwise count as good parts.
    """
    check_recipe(recipe)
    dataset = scan(location, hints=Hints.of(recipe)) if classes else scan_to_learn(location, recipe)
    return begin(dataset, recipe, runs, new=new)


def _as_now(wishes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of a run of an earlier version, with today's automatic choices left open."""
    try:
        recipe = Recipe.from_json(wishes)
        if "folds" not in wishes:  # these shares were the default, before few images were judged in folds
            open_shares = {name: None for name, share in EARLIER_SHARES.items() if getattr(recipe, name) == share}
            recipe = recipe.but(**open_shares)
        if "loss" not in wishes and recipe.label_smoothing == EARLIER_SMOOTHING:
            recipe = recipe.but(label_smoothing=None)
        return recipe.to_json()
    except LimpideError:
        return wishes


def begin(dataset: Dataset, recipe: Recipe, runs: Path, *, new: bool = False) -> tuple[Run, Dataset, bool]:
    """As `prepare`, for data that have been scanned already."""
    check_recipe(recipe)
    good = good_class(dataset, recipe)
    if good:
        dataset = dataset.good_first(good)
    wishes = recipe.to_json()
    for run, earlier in reversed([] if new else Run.known_in(runs)[0]):
        same = earlier.location == dataset.location and _as_now(earlier.wanted) == wishes
        if same and earlier.status not in ("finished", "refused"):
            return run, dataset, True
    info = {
        "location": dataset.location,
        "data": dataset.name,
        "classes": list(dataset.classes),
        "good": good,
        "fingerprint": dataset.fingerprint,
        "wanted": wishes,
        "machine": describe_setup(),
        "process": os.getpid(),
        "test_looks": 0,
    }
    return Run.create(runs, dataset.name, info), dataset, False


def train(
    run: Run, dataset: Dataset, *, started: float = 0.0, images: bool = True, rehash: bool = False, judge: bool = True
) -> Iterator[Event]:
    """Work until the run is finished. Close the generator to stop: a checkpoint is saved and the run can be continued.

    started: seconds that had passed since the user pressed Enter. rehash: read every byte of the images again. judge:
    False ends with the sealed model, for a caller that judges it. Raises LimpideError for errors that the user can fix.
    """
    with run.lock(), run.reading():
        info = run.info()
        if info.fingerprint != dataset.fingerprint:
            raise RunError("L507", where=dataset.location)
        job = TrainContext(run, dataset, deadline.now() - started - info.spent, images, rehash, info)
        run.rewind(_offset(job))
        for half in run.checkpoints.glob(".*.tmp"):  # left by a process that was ended while it saved
            half.unlink(missing_ok=True)
        yield from compare_setup(run, info)
        run.update(status="running", paused=None)  # left by a process that was killed while it waited
        with job.memory:
            yield from _work(job, good_parts_phases(judge) if info.good else _phases(judge))


def _phases(judge: bool) -> Phases:
    return (
        read_images,
        check_images,
        split_images,
        estimate_work,
        first_model,
        tune_in_folds,
        fit_network,
        partial(seal_model, judged=judge),
        judge_model if judge else finish,
    )


def _work(job: TrainContext, phases: Phases) -> Iterator[Event]:
    for phase in phases:
        # errors while a phase stops are reported: a full disk, a second Ctrl-C
        with contextlib.closing(phase(job)) as events:  # type: ignore[type-var]
            try:
                for event in events:
                    job.meter.tick()
                    yield event
            except GeneratorExit:
                job.keep_spent()
                raise
        machine.release_memory()


def _offset(job: TrainContext) -> int:
    """Where in events.jsonl this continuation begins: everything after it will be done and reported again."""
    restored = load_checkpoint(job.run.checkpoints) if job.info.phase == "fit" else None
    return restored.offset if restored else job.info.offset
