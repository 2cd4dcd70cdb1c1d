"""predict: classify images with the sealed file. torch is not imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from limpide.core.errors import DataError
from limpide.deploy.load import load_predictor
from limpide.deploy.predictor import Prediction


def predict(run: str, files: Iterable[str], top: int = 5) -> Iterator[Prediction | DataError]:
    yield from load_predictor(run).predict(files, top)
