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
# (logits (batch, classes), targets: class numbers or shares of all classes, label smoothing) → the mean over the images
Rule = Callable[[Tensor, Tensor, float], Tensor]


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """In nats."""
    return F.cross_entropy(logits, targets, label_smoothing=smoothing)


def hinge(logits: Tensor, targets: Tensor, _smoothing: float = 0.0) -> Tensor:
    """The multi-class hinge, the mean over the classes of max(0, 1 − s_target + s_class) without the target's own
    (Weston & Watkins 1999; PyTorch's MultiMarginLoss). Where targets are shares of all classes, the mean of their
    hinges.
    """
    if not targets.is_floating_point():
        return F.multi_margin_loss(logits, targets)
    margins = (1 - logits[:, :, None] + logits[:, None, :]).clamp_min(0)  # (batch, target, class)
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    return (targets * margins.masked_fill(own, 0).mean(2)).sum(1).mean()


def squared(outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """The squared distance of the outputs to 1 for the target and 0 for the other classes, summed over the classes
    (Widrow & Hoff 1960).
    """
    if not targets.is_floating_point():
        targets = F.one_hot(targets, outputs.shape[1]).float()
    targets = (1 - smoothing) * targets + smoothing / outputs.shape[1]
    return (outputs - targets).square().sum(1).mean()


RULES: dict[str, Rule] = {"cross-entropy": cross_entropy, "hinge": hinge, "squared": squared}


def _of_network(rule: Rule) -> Callable[[Recipe], LossFn]:
    """The rule with the recipe's arithmetic and label smoothing."""

    def make(recipe: Recipe) -> LossFn:
        def loss_fn(model: nn.Module, batch: Batch) -> Tensor:
            images, targets = batch
            with autocast(images.device, recipe.precision):
                logits = model(images)
            return rule(logits.float(), targets, recipe.label_smoothing or 0.0)

        return loss_fn

    return make


LOSSES: dict[str, Callable[[Recipe], LossFn]] = {name: _of_network(rule) for name, rule in RULES.items()}


def choose_loss(recipe: Recipe) -> str:
    """The name in LOSSES that a training uses."""
    return recipe.loss


def loss_function(recipe: Recipe) -> LossFn:
    return LOSSES[choose_loss(recipe)](recipe)


def judging_rule(recipe: Recipe) -> Rule:
    """The loss of evaluation: that of the training, so that the two can be compared; for one that is not given as a
    rule, cross-entropy.
    """
    return RULES.get(choose_loss(recipe), cross_entropy)
