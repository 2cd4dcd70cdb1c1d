"""The losses that a training minimises: one function per loss, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from limpide.core.recipe import Recipe
from limpide.training.batches import Batch
from limpide.training.device import autocast

LossFn = Callable[[nn.Module, Batch], Tensor]  # → the mean over the images of a batch, a scalar


def cross_entropy(recipe: Recipe) -> LossFn:
    """Cross-entropy with the recipe's label smoothing and arithmetic. Targets are class numbers, or shares of all
    classes.
    """

    def loss_fn(model: nn.Module, batch: Batch) -> Tensor:
        images, targets = batch
        with autocast(images.device, recipe.precision):
            logits = model(images)
        return F.cross_entropy(logits.float(), targets, label_smoothing=recipe.label_smoothing)

    return loss_fn


LOSSES: dict[str, Callable[[Recipe], LossFn]] = {
    "cross_entropy": cross_entropy,
}


def choose_loss(recipe: Recipe) -> str:
    """The name in LOSSES that a training uses. No option selects another yet."""
    return "cross_entropy"


def loss_function(recipe: Recipe) -> LossFn:
    return LOSSES[choose_loss(recipe)](recipe)
