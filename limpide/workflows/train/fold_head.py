"""The last layer of few images: fitted on all of them, and judged in folds by others that had not seen them."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from limpide.core.events import Event
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.judging.fold_heads import FoldHeads
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.cross_fit import CrossFit, Features, cross_fit
from limpide.training.linear_head import frozen_features, load_features
from limpide.workflows.train.context import TrainContext


@dataclass(frozen=True)
class Mirrored:
    """The same images, left and right exchanged."""

    pixels: Pixels

    @property
    def preprocessing(self) -> Preprocessing:
        return self.pixels.preprocessing

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self.pixels.take(indices)[:, :, ::-1]


@dataclass(frozen=True)
class FoldFit:
    found: CrossFit
    seconds: float  # to look at the images and fit the layers
    head_seconds: float  # to fit the layers


def fit_in_folds(job: TrainContext, model: nn.Module, pixels: Pixels) -> Generator[Event, None, FoldFit]:
    """Hands on progress. Keeps the heads of the folds in the run, and settles `flip` of the recipe."""
    began = time.monotonic()
    rows, device = job.rows("train"), torch.device(job.recipe.device)
    yield from frozen_features(model, pixels, rows, job.run.cache, device)
    plain, mirrored = load_features(pixels, rows, job.run.cache), None
    if job.recipe.flip != "no":
        folder = job.run.cache / "mirrored"
        folder.mkdir(exist_ok=True)
        yield from frozen_features(model, Mirrored(pixels), rows, folder, device)
        mirrored = load_features(pixels, rows, folder)
    machine.release_memory()
    fitting = time.monotonic()
    folds, classes = job.folds[rows], len(job.dataset.learned_classes)
    found = yield from cross_fit(Features(plain, mirrored), job.dataset.labels[rows], folds, classes, job.recipe.flip)
    _heads_of(found, rows, folds).save(job.run)
    now = time.monotonic()
    yield from _settle_flip(job, found.choice.mirrored)
    return FoldFit(found, now - began, now - fitting)


def _heads_of(found: CrossFit, rows: np.ndarray, folds: np.ndarray) -> FoldHeads:
    names = sorted(found.heads)
    judged = np.isin(folds, names)
    return FoldHeads(
        rows[judged],
        folds[judged],
        found.logits[judged],
        np.array(names, np.int8),
        np.stack([found.heads[name].weight for name in names]),
        np.stack([found.heads[name].bias for name in names]),
        np.array([found.temperatures[name] for name in names]),
    )


def _settle_flip(job: TrainContext, mirrored: bool) -> Generator[Event]:
    if job.recipe.flip == "auto":
        says = (
            N_("mirrored images are learned from, too: in the folds, that names more images well")
            if mirrored
            else N_("mirrored images are not learned from: in the folds, that names images no better")
        )
        yield job.say("decision", message(says))
    job.recipe = job.recipe.but(flip="yes" if mirrored else "no")
