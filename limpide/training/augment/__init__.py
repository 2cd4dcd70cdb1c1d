"""What is done to training images: one way a file, the table of their names, and the one place that decides.

It is decided once, before the first step, and written to run.json: a resume and whoever shows it read it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from limpide.core import typed_json
from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo
from limpide.models import pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.augment.base import Augmentation
from limpide.training.augment.light import LightAugment

AUGMENTS: dict[str, type[Augmentation]] = {
    "light": LightAugment,
}
UNNAMED = "light"  # its record has no name: runs are older than the table
FEW_EPOCHS = 3  # so few passes need no variety


def decide_augmentation(recipe: Recipe, epochs: float | None, grey: bool) -> Augmentation | None:
    """Pretrained networks and long trainings see each image a little changed every time.

    epochs: None while nobody knows; then they count as many, as steps that are timed must not be quicker than those
    that come.
    """
    if pretrained(recipe):
        return LightAugment(flip=recipe.flip == "yes")
    if epochs is not None and epochs <= FEW_EPOCHS:
        return None
    return LightAugment(
        zoom=0.1, shift=0.07, turn=0.0 if grey else 5.0, light=0.0 if grey else 0.1, flip=recipe.flip == "yes"
    )


def augmentation_of(info: RunInfo, grey: bool) -> Augmentation | None:
    """As a run has written it down; of one that has not, as it is decided. Raises typed_json.InvalidJson."""
    if info.augmentation is not None:
        return augmentation_from_json(info.augmentation)
    return decide_augmentation(Recipe.from_json(info.recipe), info.epochs or 1.0, grey)


def augmentation_to_json(change: Augmentation | None) -> dict[str, Any]:
    """What `run.json` keeps: its name and its numbers; {} for nothing."""
    if change is None:
        return {}
    name = next(name for name, kind in AUGMENTS.items() if type(change) is kind)
    return ({} if name == UNNAMED else {"name": name}) | asdict(change)


def augmentation_from_json(kept: Mapping[str, Any]) -> Augmentation | None:
    """Raises typed_json.InvalidJson for what another version of limpide has written."""
    if not kept:
        return None
    kind = AUGMENTS.get(str(kept.get("name", UNNAMED)))
    if kind is None:
        raise typed_json.invalid_field("augmentation.name", typed_json.ONE_OF, names=", ".join(AUGMENTS))
    return typed_json.as_record(kind, kept, "augmentation")


def describe_augmentation(change: Augmentation | None, epochs: float) -> Message:
    """What is done to images while training, or why nothing is."""
    if change is not None:
        return change.describe()
    return message(
        N_(
            "while training, images are shown as they are (no augmentation): too few epochs for it to help "
            "({epochs:number})"
        ),
        epochs=epochs,
    )
