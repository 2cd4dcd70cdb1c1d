"""The last layer for few images: fitted on all of them, while others, which had not seen them, judge them in folds."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from limpide.core.events import Event
from limpide.judging.fold_heads import FoldHeads
from limpide.text.messages import N_, message
from limpide.training.cross_fit import CrossFit, Features, Tried, choose, is_settled, try_look
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.views import look_through, planned_looks, settle_view


@dataclass(frozen=True)
class FoldFit:
    found: CrossFit
    seconds: float  # to compute the features and fit the layers
    head_seconds: float  # to fit the layers


def fit_in_folds(job: TrainContext) -> Generator[Event, None, FoldFit]:
    """Yield progress. Save the heads of the folds in the run, and decide `flip` and `view` of the recipe."""
    began, looking = time.monotonic(), 0.0
    rows, flip, classes = job.rows("train"), job.recipe.flip, len(job.dataset.learned_classes)
    folds, labels = job.folds[rows], job.dataset.labels[rows]
    balanced = job.recipe.balance == "yes"
    looks: list[Features] = []
    tried: list[Tried] = []
    for views in planned_looks(job):
        before = time.monotonic()
        looks.append((yield from look_through(job, views, rows)))
        looking += time.monotonic() - before
        tried.append((yield from try_look(looks[-1], labels, folds, classes, flip, balanced)))
        if is_settled(tried, labels, balanced):
            break
    found = choose(tried, looks, labels, classes, flip, balanced)
    _heads_of(found, rows, folds).save(job.run)
    seconds = time.monotonic() - began
    yield from _settle_flip(job, found.choice.mirrored)
    yield from settle_view(job, found.choice.view, len(tried))
    return FoldFit(found, seconds, seconds - looking)


def _heads_of(found: CrossFit, rows: np.ndarray, folds: np.ndarray) -> FoldHeads:
    names = sorted(found.heads)
    judged = np.isin(folds, names)
    weights = [found.heads[name].weight for name in names]
    widest = max(weight.shape[1] for weight in weights)
    return FoldHeads(
        rows[judged],
        folds[judged],
        found.logits[judged],
        np.array(names, np.int8),
        np.stack([np.pad(weight, ((0, 0), (0, widest - weight.shape[1]))) for weight in weights]),
        np.stack([found.heads[name].bias for name in names]),
        np.array([found.temperatures[name] for name in names]),
        np.array([found.choices[name].view for name in names]),
        np.array([found.choices[name].mirrored for name in names]),
    )


def _settle_flip(job: TrainContext, mirrored: bool) -> Generator[Event]:
    if job.recipe.flip == "auto":
        says = (
            N_("mirrored images are used for training, too: in the folds, they help")
            if mirrored
            else N_("mirrored images are not used for training: in the folds, they do not help")
        )
        yield job.say("decision", message(says))
    job.recipe = job.recipe.but(flip="yes" if mirrored else "no")
