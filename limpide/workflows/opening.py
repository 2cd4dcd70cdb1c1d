"""A run or a model file → a Predictor."""

from __future__ import annotations

from pathlib import Path

from limpide.predictor import Predictor
from limpide.run import Run


def predictor_of(run: str) -> Predictor:
    """`run` is a run directory or an exported .onnx file. Raises RunError or ModelError."""
    path = Path(run)
    return Predictor(path if path.is_file() else Run.open(path).model_file)
