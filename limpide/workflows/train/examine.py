"""examine: a look inside the network that was kept, for the diagnosis."""

from __future__ import annotations

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from limpide.audit.diagnosis.answers import easiest_rule, sign_answers
from limpide.core.examination import Examination, LayerSigns
from limpide.core.run_info import Final
from limpide.models import pretrained
from limpide.models.mirrored import MirroredMean
from limpide.training.batches import Batches
from limpide.training.examination import IMAGES, examine_layers
from limpide.training.loop import logits_of
from limpide.training.state import TrainState
from limpide.workflows.train.context import TrainContext

RULE_BYTES = 32_000_000  # of the squares that a rule of a few pixels is fitted on, and judged on


def examine(job: TrainContext, state: TrainState, final: Final) -> Examination:
    """state.model has the weights that are kept."""
    pixels = job.frozen_pixels() if final.kind == "frozen" else job.pixels()
    train, validation = (
        Batches(pixels, rows, job.dataset.labels[rows], job.judging_batch, job.device)
        for rows in (np.random.default_rng(0).permutation(job.rows("train")), job.rows("validation"))
    )
    epoch = state.epoch if job.recipe.keep == "last" else state.best_epoch + 1
    if not len(validation.rows):
        return Examination(epoch, IMAGES, *_layers(job, state.model, train))
    is_averaged = final.mirroring is not None and final.mirroring.is_used
    answering = MirroredMean(state.model) if is_averaged else state.model
    probabilities = logits_of(answering, validation, job.recipe.precision).softmax(1).numpy()
    truth = validation.labels[: len(probabilities)]
    rule = _rule(train, validation) if len(probabilities) == len(validation.rows) else None
    return Examination(epoch, IMAGES, *_layers(job, state.model, train), sign_answers(probabilities, truth, rule))


def _layers(job: TrainContext, model: nn.Module, train: Batches) -> tuple[tuple[LayerSigns, ...], bool]:
    """None of a pretrained network, or where its initial weights were too large to be kept."""
    first = job.run.kept().get(0)
    if pretrained(job.recipe) or first is None:
        return (), True
    images = next(
        iter(Batches(train.pixels, train.rows[:IMAGES], train.labels[:IMAGES], IMAGES, job.device).in_order())
    )[0]
    devices = [job.device] if job.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            return examine_layers(model, _on(job.device, load_file(first)), images)
        except (RuntimeError, OSError, SafetensorError):  # a network of one's own, or no memory: no signs, no failure
            return (), True


def _on(device: torch.device, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.to(device) for name, value in weights.items()}


def _rule(train: Batches, validation: Batches) -> tuple[float, int]:
    size, channels = train.pixels.preprocessing.size, train.pixels.preprocessing.channels
    most = max(100, RULE_BYTES // (size * size * channels))
    squares = [part.pixels.take(part.rows[:most]) for part in (train, validation)]
    return easiest_rule(squares[0], train.labels[:most], squares[1], validation.labels[:most])
