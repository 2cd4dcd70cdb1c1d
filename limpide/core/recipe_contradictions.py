"""Choices of a recipe that contradict each other, whatever the images and the network are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from limpide.core.errors import UsageError

if TYPE_CHECKING:
    from limpide.core.recipe import Recipe


def check_together(recipe: Recipe) -> None:
    """Raises UsageError that names both. A default contradicts nothing."""
    if (span := recipe.span()) and not span[0] < span[1] < math.inf:
        where = f"value_range={recipe.value_range}"
        raise UsageError("L138", where=where)
    test, validation = recipe.shares()
    if test + validation + recipe.calibration > 0.9:
        raise UsageError("L103", where=f"test={test} validation={validation} calibration={recipe.calibration}")
    if recipe.folds == 1:
        raise UsageError("L102", where="folds=1", name="folds", expected="0, 2 … 20")
    if recipe.folds and (recipe.test or recipe.validation):
        kept = f"test={recipe.test}" if recipe.test else f"validation={recipe.validation}"
        raise UsageError("L165", where=f"folds={recipe.folds} {kept}")
    for one, other in _pairs(recipe):
        raise UsageError("L177", where=f"{one}={getattr(recipe, one)} {other}={getattr(recipe, other)}")


def _pairs(recipe: Recipe) -> list[tuple[str, str]]:
    """Names of two choices that cannot both be followed."""
    changes, found = recipe.augment.split(","), []
    if recipe.loss == "hinge" and recipe.label_smoothing:  # a hinge knows no shares of a class
        found.append(("loss", "label_smoothing"))
    if recipe.flip == "yes" and (recipe.augment == "none" or (_is_list(recipe.augment) and "flip" not in changes)):
        found.append(("augment", "flip"))
    if recipe.flip == "no" and "flip" in changes:
        found.append(("augment", "flip"))
    if recipe.balance == "yes" and recipe.loss != "cross-entropy":  # balancing corrects logits of probabilities
        found.append(("balance", "loss"))
    if recipe.init != "default" and recipe.weights not in ("auto", "none"):
        found.append(("init", "weights"))
    if recipe.folds and recipe.schedule.startswith("plateau"):  # no image is kept to tell when to lower the rate
        found.append(("folds", "schedule"))
    return found


def _is_list(augment: str) -> bool:
    return augment not in ("none", "light", "strong", "auto")
