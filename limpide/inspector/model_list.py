"""The networks that a training can use."""

from __future__ import annotations

from limpide.inspector.answer import Answer
from limpide.inspector.session import Session


def networks(session: Session) -> Answer:
    """Every built-in network with its parameters and the square that it was made for, counted once; published: whether
    it can start from published weights.
    """
    return {"networks": session.results.get("networks", _count_parameters)}, b""


def _count_parameters() -> list[dict[str, object]]:
    import torch

    from limpide.models import MODELS, PRETRAINED, build, parameters

    descriptions: list[dict[str, object]] = []
    for name, entry in MODELS.items():
        with torch.device("meta"):  # shapes without numbers
            count = parameters(build(name, entry.classes, entry.channels, entry.size))
        descriptions.append({"name": name, "parameters": count, "size": entry.size, "published": name in PRETRAINED})
    return descriptions
