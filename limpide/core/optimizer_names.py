"""How the optimizers of a recipe are called in a sentence."""

from __future__ import annotations

from typing import Any

from limpide.text.messages import N_, message

_NAMES = {
    "sgd": "SGD",
    "momentum": N_("SGD with momentum 0.9"),
    "nesterov": N_("SGD with Nesterov's momentum 0.9"),
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
}


def optimizer_name(name: str) -> Any:
    """A value for a Message; an unknown name stays as it is."""
    return message(_NAMES[name]).to_json() if name in _NAMES else name
