"""A run or a model file → a Predictor."""

from __future__ import annotations

from pathlib import Path

from limpide.language import N_, Message, message
from limpide.predictor import Predictor
from limpide.run import Run


def unfinished(run: str) -> Message | None:
    """What a person should know before relying on this run's model: it was not judged, and may become better."""
    path = Path(run)
    if path.is_file() or (info := Run.open(path).info())["status"] == "finished":
        return None
    return message(
        N_("this run is not finished and its model not judged; limpide train {location} with the same options continues it"), location=info.get("location", "")
    )


def predictor_of(run: str) -> Predictor:
    """`run` is a run directory or an exported .onnx file. Raises RunError or ModelError."""
    path = Path(run)
    return Predictor(path if path.is_file() else Run.open(path).model_file)
