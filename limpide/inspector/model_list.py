"""Which networks a training can be asked for."""

from __future__ import annotations

from limpide.inspector.session import Answer, Session


def networks(looker: Session) -> Answer:
    """Every built-in one with its parameters and the square that it was made for, counted once; published: whether it
    can start from such weights.
    """
    return {"networks": looker.once("networks", _counted)}, b""


def _counted() -> list[dict[str, object]]:
    import torch

    from limpide.models import MODELS, PRETRAINED, build, parameters

    found: list[dict[str, object]] = []
    for name, entry in MODELS.items():
        with torch.device("meta"):  # shapes without numbers
            count = parameters(build(name, entry.classes, entry.channels, entry.size))
        found.append({"name": name, "parameters": count, "size": entry.size, "published": name in PRETRAINED})
    return found
