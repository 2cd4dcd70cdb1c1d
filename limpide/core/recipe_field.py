"""What a field of Recipe says of itself: its group, meaning, unit, legal values, other names and source."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from limpide.text.messages import N_

WHOLE, QUARTERS = "whole", "quarters"  # views without extra cost; training/views.py describes the others
VIEWS = ("auto", WHOLE, QUARTERS, "windows", "windows-448", "windows-800", "windows-1120", "windows-1792")

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
_EPOCHS = r"[1-9]\d{0,4}"
_FACTOR = r"0?\.\d+"  # below 1: --lr is the highest rate
SCHEDULE = (
    rf"constant|cosine|one-cycle(?::{_FACTOR})?|step(?::{_EPOCHS}(?:,{_FACTOR})?)?|"
    rf"multistep(?::{_EPOCHS}(?:,{_EPOCHS})*)?|exponential(?::{_FACTOR})?|plateau(?::\d{{1,5}}(?:,{_FACTOR})?)?"
)
CHANGES = ("flip", "crop", "zoom", "rotate", "translate", "color", "blur", "erase", "mixup", "cutmix")

Group = Literal["data", "model", "optimization", "augmentation", "machine"]
# Groups of choices, in the order of the help.
GROUPS: dict[Group, str] = {
    "model": N_("Network"),
    "optimization": N_("Learning"),
    "data": N_("Images"),
    "augmentation": N_("Changes to the images while training"),
    "machine": N_("Machine"),
}


def recipe_field(
    default: Any,
    group: Group,
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = "",
    also: tuple[str, ...] = (),
    source: str = "",
    accepts: str = "",
    legal: str = "",
) -> Any:
    """accepts: a type that may be given for the value, besides the value's own · legal: the legal values in words, for
    a pattern that does not say them.
    """
    rules = dict(unit=unit, low=low, high=high, choices=choices, pattern=pattern, legal=legal)
    metadata = dict(group=group, meaning=meaning, also=also, source=source, accepts=accepts) | rules
    return field(default=default, metadata=metadata)


# Choices for training in gradient steps: they do not apply if the first model is kept, a last layer fitted on frozen
# features.
OF_STEPS = (
    *("epochs", "batch", "lr", "optimizer", "schedule", "loss", "weight_decay", "l1", "dropout", "clip", "average"),
    *("accumulate", "keep", "freeze", "label_smoothing", "augment", "flip", "patience", "precision"),
)
