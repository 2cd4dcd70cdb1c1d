"""Build a network from a recipe: its architecture and its initial weights."""

from __future__ import annotations

import torch
from torch import nn

from limpide import models
from limpide.core.errors import UsageError, nearest
from limpide.core.recipe import Recipe
from limpide.data.preprocessing import Preprocessing
from limpide.models import MODELS, PRETRAINED, pretrained
from limpide.models.regularized import initialize, set_dropout
from limpide.models.weights import load_into
from limpide.text.messages import N_
from limpide.training.defaults import STARTS


def build_network(recipe: Recipe, classes: int, channels: int, size: int, network: str = "") -> nn.Module:
    """A new network: published weights where they exist, the others drawn with the recipe's seed. network: its name, if
    it is another view of the recipe's network (views.py).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = models.build(network or recipe.model, classes, channels, size)
        if recipe.init != "default":
            initialize(model, recipe.init)
    if recipe.dropout is not None:
        set_dropout(model, recipe.dropout)
    if recipe.weights not in STARTS:
        load_into(model, recipe.weights)
    elif pretrained(recipe):
        PRETRAINED[recipe.model](model)
    return model


def published_network(name: str) -> tuple[nn.Module, Preprocessing]:
    """A network as it was published, for the 1,000 classes of ImageNet, and the preprocessing it was published with.

    Raises UsageError for a name that has no published weights, ModelError when they are not installed.
    """
    if name not in PRETRAINED:
        guess = nearest(name, PRETRAINED)
        todo = N_("did you mean {guess}?") if guess else N_("see limpide models")
        raise UsageError("L122", where=name, todo=todo, guess=guess)
    size = MODELS[name].size
    model = models.build(name, 1000, 3, size)
    PRETRAINED[name](model)
    # Its authors resize the shorter side to `size` + 32 pixels and cut out the middle.
    centre = round(1024 * size / (size + 32))
    return model.eval(), Preprocessing(
        size, 3, "crop", "bicubic", (127.0,), (128.0,), jpeg_side=size + size // 2, centre=centre
    )
