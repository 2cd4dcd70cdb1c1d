"""Augmentation of training images: one kind per file, the table of their names, and the function that chooses one.

The choice is made once, before the first step, and written to run.json, from which a resume and all displays read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from limpide.core import typed_json
from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo
from limpide.models import find, pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.augment.base import Augmentation
from limpide.training.augment.light import LightAugment
from limpide.training.augment.listed import STRONG, ListedAugment, listed
from limpide.training.augment.shifted import ShiftedAugment

AUGMENTS: dict[str, type[Augmentation]] = {
    "light": LightAugment,
    "listed": ListedAugment,
    "shifted": ShiftedAugment,
}
UNNAMED = "light"  # recorded without its name, as some runs are older than the table
FEW_EPOCHS = 3  # up to this many epochs need no augmentation


def decide_augmentation(recipe: Recipe, epochs: float | None, grey: bool, classes: int) -> Augmentation | None:
    """Return the augmentation that was asked for. By itself, pretrained networks and long trainings see each image
    slightly altered every time. classes: logits of the network.

    epochs: None while the number is unknown; the training then counts as long, as timed steps must not be quicker than
    the real ones.
    """
    flip = recipe.flip == "yes"
    if recipe.augment == "none":
        return None
    if recipe.augment == "strong":
        return listed(STRONG, classes, flip=flip)
    if recipe.augment not in ("auto", "light"):
        return listed(recipe.augment.split(","), classes, flip=flip)
    if pretrained(recipe):
        return LightAugment(flip=flip)
    if recipe.augment == "auto" and find(recipe.model).augment == "shifted":
        return ShiftedAugment(flip=flip)
    if recipe.augment == "auto" and epochs is not None and epochs <= FEW_EPOCHS:
        return listed((), classes, flip=True) if flip else None
    return LightAugment(zoom=0.1, shift=0.07, turn=0.0 if grey else 5.0, light=0.0 if grey else 0.1, flip=flip)


def augmentation_of(info: RunInfo, grey: bool) -> Augmentation | None:
    """The augmentation that a run recorded; if it recorded none, the default. Raises typed_json.InvalidJson."""
    if info.augmentation is not None:
        return augmentation_from_json(info.augmentation)
    return decide_augmentation(Recipe.from_json(info.recipe), info.epochs or 1.0, grey, len(info.classes))


def augmentation_to_json(change: Augmentation | None) -> dict[str, Any]:
    """The record for `run.json`: the name and the parameters; {} for no augmentation."""
    if change is None:
        return {}
    name = next(name for name, kind in AUGMENTS.items() if type(change) is kind)
    return ({} if name == UNNAMED else {"name": name}) | asdict(change)


def augmentation_from_json(kept: Mapping[str, Any]) -> Augmentation | None:
    """The augmentation of a record. Raises typed_json.InvalidJson for a record of another version of limpide."""
    if not kept:
        return None
    kind = AUGMENTS.get(str(kept.get("name", UNNAMED)))
    if kind is None:
        raise typed_json.invalid_field("augmentation.name", typed_json.ONE_OF, names=", ".join(AUGMENTS))
    return typed_json.as_record(kind, kept, "augmentation")


def describe_augmentation(change: Augmentation | None, epochs: float, *, is_asked: bool = False) -> Message:
    """How images are altered during training, or why they are not. is_asked: whether the user said so."""
    if change is not None:
        return change.describe()
    says = N_(
        "while training, images are shown as they are (no augmentation): too few epochs for it to help "
        "({epochs:number}; --augment light alters them all the same)"
    )
    if is_asked:
        says = N_("while training, images are shown as they are, as asked (no augmentation)")
    return message(says, epochs=epochs)
