"""learn: the patches of good parts, the threshold from other good parts, and the sealed file."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpide.audit.good_parts import kinds_finding, threshold_finding
from limpide.core.events import Event, Progress
from limpide.core.run_info import Final
from limpide.data.folds import NO_FOLD
from limpide.data.split_file import groups_in
from limpide.deploy.detection import MAX_SCORES, Detection
from limpide.deploy.export import export
from limpide.models.good_parts import STEEPNESS, GoodParts
from limpide.statistics.conformal import threshold_of, weights_of
from limpide.statistics.two_kinds import FEWEST, halve
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.good_parts import Describer, describe, keep_patches, patches_an_image, scores_of, some_of
from limpide.training.weights import save_weights
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.control import keep_probes
from limpide.workflows.train.seal import PARITY, check_parity

MAX_LEARNED = 500  # good parts whose patches are described: more would be like these
MARGIN = 1e-4  # of the threshold: despite rounding, the part that set it is not called a defect
DIGITS = 6  # of a score in the file, after the point


@dataclass(frozen=True)
class Calibrated:
    """How strange good parts are from which nothing was learned."""

    rows: np.ndarray  # int (n,)
    scores: np.ndarray  # float (n,), distances
    weights: np.ndarray  # float (n,), as in statistics/conformal.py
    groups: int  # the number of groups that do not belong together
    folds: int  # in which they were compared with the others; 0: they are a separate part


def learn_good_parts(job: TrainContext, judged: bool) -> Iterator[Event]:
    """judged: whether a test part will judge the model."""
    if job.done("seal"):
        return
    began = time.monotonic()
    rows, model = some_of(job.rows("train"), MAX_LEARNED), fresh_model(job)
    describer = Describer(model, job.pixels(), torch.device(job.recipe.device))
    patches, means = yield from describe(describer, rows, patches_an_image(len(rows), int(job.recipe.image_size or 0)))
    yield from _tell_kinds(job, means, rows)
    in_folds = bool((job.folds != NO_FOLD).any())
    found = yield from (_calibrate_in_folds if in_folds else _calibrate)(job, model, describer, rows, patches)
    yield Progress(message(N_("choosing the patches to keep")))
    if in_folds:
        keep_patches(model, patches.flatten(0, 1), job.recipe.seed)
    rate = float(job.recipe.false_alarms or 0.0)
    threshold = threshold_of(found.scores, rate, found.weights) * (1 + MARGIN)
    model.threshold.fill_(threshold)
    save_weights(model, job.run.snapshots / "best.safetensors")
    keep_probes(job, "train" if in_folds else "calibration")
    seconds = time.monotonic() - began
    yield from _seal(job, model, _detection(found, threshold, rate), judged)
    job.run.add_finding(threshold_finding(rate, len(found.rows), found.groups, found.folds))
    final = Final("good parts", job.pixels().preprocessing.to_json())
    ready = job.deadline.passed()
    job.enter("judge", final=final, fit_seconds=seconds, first_model_seconds=ready, model_seconds=ready)


def fresh_model(job: TrainContext) -> GoodParts:
    model = GoodParts()
    model.load_imagenet()
    return model


def _tell_kinds(job: TrainContext, means: np.ndarray, rows: np.ndarray) -> Iterator[Event]:
    """Report whether the good parts look like two kinds. means: float (n, width), of the patches of each image."""
    if len(means) < FEWEST:
        return
    yield Progress(message(N_("checking whether the good parts are of one kind")))
    halves = halve(means)
    names = [job.dataset.images.names[int(i)] for i in rows]
    finding = kinds_finding(halves, names)
    job.run.add_finding(finding)
    if finding.verdict != "ok":
        yield job.say("warning", finding.message)


def _calibrate(
    job: TrainContext, model: GoodParts, describer: Describer, rows: np.ndarray, patches: Tensor
) -> Generator[Event, None, Calibrated]:
    """The scores of good parts in a separate part."""
    yield Progress(message(N_("choosing the patches to keep")))
    keep_patches(model, patches.flatten(0, 1), job.recipe.seed)
    held = some_of(job.rows("calibration"), MAX_SCORES)
    scores = yield from _scores(model, describer, held)
    weights, groups = _weights(job, held)
    return Calibrated(held, scores, weights, groups, 0)


def _calibrate_in_folds(
    job: TrainContext, model: GoodParts, describer: Describer, rows: np.ndarray, patches: Tensor
) -> Generator[Event, None, Calibrated]:
    """The scores of the good parts of each fold, by the patches of the other folds."""
    folds = job.folds[rows]
    scores = np.full(len(rows), np.nan)
    names = np.unique(folds[folds != NO_FOLD]).tolist()
    for fold in names:
        yield Progress(message(N_("choosing the patches to keep")), fold, len(names))
        inside = folds == fold
        keep_patches(model, patches[torch.from_numpy(~inside)].flatten(0, 1), job.recipe.seed)
        scores[inside] = yield from _scores(model, describer, rows[inside])
    judged = ~np.isnan(scores)
    weights, groups = _weights(job, rows[judged])
    return Calibrated(rows[judged], scores[judged], weights, groups, len(names))


def _scores(model: GoodParts, describer: Describer, rows: np.ndarray) -> Generator[Event, None, np.ndarray]:
    for event in scores_of(model, describer, rows, message(N_("examining further good parts"))):
        if not isinstance(event, Progress):
            return event
        yield event
    raise ValueError("nothing came after the progress")


def _weights(job: TrainContext, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """(weight of each in its group, number of groups)."""
    groups = groups_in(job.run.split_file, [job.dataset.images.names[int(i)] for i in rows])
    return weights_of(groups, len(rows)), len(rows) if groups is None else len(np.unique(groups))


def _detection(found: Calibrated, threshold: float, rate: float) -> Detection:
    order = np.argsort(found.scores, kind="stable")
    scores = tuple(round(float(score), DIGITS) for score in found.scores[order] / threshold)
    alone = bool((found.weights == 1).all())
    weights = () if alone else tuple(float(weight) for weight in found.weights[order])
    return Detection(STEEPNESS, rate, scores, weights)


def _seal(job: TrainContext, model: GoodParts, detection: Detection, judged: bool) -> Iterator[Event]:
    """Write the file, and compare it with the network on calibration images or, if there are none, training images."""
    machine.release_memory()
    yield Progress(message(N_("writing the model file")))
    preprocessing, classes = job.pixels().preprocessing, job.run.info().classes
    judged_by = "held-out" if judged and len(job.rows("test")) else None
    export(
        model,
        preprocessing,
        classes,
        job.run.model_file,
        name=job.recipe.model,
        judged=judged_by,  # type: ignore[arg-type]
        detection=detection,
    )
    machine.release_memory()
    yield Progress(message(N_("comparing the model file with the network")))
    rows = job.rows("calibration") if len(job.rows("calibration")) else job.rows("train")
    finding = check_parity(job, model, preprocessing, rows[:PARITY])
    if finding is not None:
        job.run.add_finding(finding)
