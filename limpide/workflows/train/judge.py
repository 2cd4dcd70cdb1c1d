"""judge: use the test part once, compare with simpler models, write the report."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from limpide.baselines.baseline import BaselineInputs, FrozenModel
from limpide.baselines.compare import budget_of
from limpide.core.events import Event, Progress
from limpide.core.run_info import require
from limpide.judging.fold_heads import FoldHeads, judges_of_folds
from limpide.judging.tuned_folds import TUNED
from limpide.models import multiply_adds, parameters, pretrained
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.linear_head import frozen_features, load_features
from limpide.training.weights import load_weights
from limpide.workflows.judge import judge
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.views import features_of_view


def judge_model(job: TrainContext) -> Generator[Event]:
    """Use the test part once and write the findings and the report."""
    if job.done("judge"):
        return
    yield from judge(
        job.run,
        job.dataset,
        job.parts,
        lambda: _material(job),
        deadline=job.deadline,
        energy=job.energy,
        memory=job.memory,
        images=job.images,
    )
    job.info = job.run.info()


def _material(job: TrainContext) -> Generator[Event, None, BaselineInputs]:
    """The inputs that simpler models learn from."""
    frozen = (yield from _frozen(job)) if pretrained(job.recipe) else None
    return BaselineInputs(job.pixels(), frozen, budget_of(job.recipe.time), job.recipe, job.info.rivals, job.run.cache)


def _frozen(job: TrainContext) -> Generator[Event, None, FrozenModel]:
    """The first model's head, and its features of the training and test images: most of them are kept already."""
    yield Progress(message(N_("loading the first model again")))
    pixels, info = job.frozen_pixels(), require(job.info.frozen, "frozen")
    model, device = job.frozen_network(), torch.device(job.recipe.device)
    load_weights(model, job.run.snapshots / "first.safetensors")
    rows = {"train": job.frozen_rows("train"), "test": job.frozen_rows("test")}
    features: dict[str, np.ndarray] = {}
    logits = None
    if job.recipe.folds:
        rows["test"] = rows["train"]
        logits = _logits_of_folds(job, rows["train"])
        features["train"] = features["test"] = yield from features_of_view(job, rows["train"])
    else:
        for part in rows:
            yield from frozen_features(model, pixels, rows[part], job.run.cache, device)
            features[part] = load_features(pixels, rows[part], job.run.cache)
    machine.release_memory()
    return FrozenModel(
        train=features["train"],
        train_rows=rows["train"],
        test=features["test"],
        test_rows=rows["test"],
        weight=model.head.weight.detach().numpy(),  # type: ignore[union-attr,operator]
        bias=model.head.bias.detach().numpy(),  # type: ignore[union-attr,operator]
        logits=logits,
        seconds=info.seconds,
        head_seconds=info.head_seconds,
        milliseconds=info.milliseconds,
        bytes=4 * parameters(model),
        multiply_adds=multiply_adds(model, 3, pixels.preprocessing.size),
        is_the_network=require(job.info.final, "final").kind == "frozen" and not _is_tuned_somewhere(job),
    )


def _is_tuned_somewhere(job: TrainContext) -> bool:
    """Whether a fold is judged by a fine-tuned network."""
    return bool(job.recipe.folds) and TUNED in judges_of_folds(job.run).view


def _logits_of_folds(job: TrainContext, rows: np.ndarray) -> np.ndarray:
    """float32 (len(rows), classes): logits of the frozen network with the last layer that had not seen the image; NaN
    for images that no fold judges.
    """
    heads = FoldHeads.load(job.run)
    logits = np.full((len(rows), heads.logits.shape[1]), np.nan, np.float32)
    logits[np.searchsorted(rows, heads.rows)] = heads.logits
    return logits
