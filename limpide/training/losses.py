"""The losses that a training minimises: one function per loss, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable

import torch
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
        smoothing = recipe.label_smoothing or 0.0
        return F.cross_entropy(_logits(model, images, recipe), targets, label_smoothing=smoothing)

    return loss_fn


def hinge(recipe: Recipe) -> LossFn:
    """The multi-class hinge, the mean over the classes of max(0, 1 − s_target + s_class) without the target's own
    (Weston & Watkins 1999; PyTorch's MultiMarginLoss). Where targets are shares of all classes, the mean of their
    hinges.
    """

    def loss_fn(model: nn.Module, batch: Batch) -> Tensor:
        logits, targets = _logits(model, batch[0], recipe), batch[1]
        if not targets.is_floating_point():
            return F.multi_margin_loss(logits, targets)
        margins = (1 - logits[:, :, None] + logits[:, None, :]).clamp_min(0)  # (batch, target, class)
        own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
        return (targets * margins.masked_fill(own, 0).mean(2)).sum(1).mean()

    return loss_fn


def squared(recipe: Recipe) -> LossFn:
    """The squared distance of the outputs to 1 for the target and 0 for the other classes, summed over the classes
    (Widrow & Hoff 1960), with the recipe's label smoothing.
    """

    def loss_fn(model: nn.Module, batch: Batch) -> Tensor:
        outputs, targets = _logits(model, batch[0], recipe), batch[1]
        if not targets.is_floating_point():
            targets = F.one_hot(targets, outputs.shape[1]).float()
        smoothing = recipe.label_smoothing or 0.0
        targets = (1 - smoothing) * targets + smoothing / outputs.shape[1]
        return (outputs - targets).square().sum(1).mean()

    return loss_fn


def _logits(model: nn.Module, images: Tensor, recipe: Recipe) -> Tensor:
    with autocast(images.device, recipe.precision):
        logits: Tensor = model(images)
    return logits.float()


LOSSES: dict[str, Callable[[Recipe], LossFn]] = {
    "cross-entropy": cross_entropy,
    "hinge": hinge,
    "squared": squared,
}


def choose_loss(recipe: Recipe) -> str:
    """The name in LOSSES that a training uses."""
    return recipe.loss


def loss_function(recipe: Recipe) -> LossFn:
    return LOSSES[choose_loss(recipe)](recipe)
