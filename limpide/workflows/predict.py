"""predict: the sealed file names images. torch is not imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from limpide.errors import DataError
from limpide.predictor import Prediction
from limpide.workflows.opening import predictor_of


def predict(run: str, files: Iterable[str], top: int = 5) -> Iterator[Prediction | DataError]:
    yield from predictor_of(run).predict(files, top)
