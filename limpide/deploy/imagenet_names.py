"""Names of ImageNet classes as a person reads them. Files and machine-readable output keep the English ones, whatever
the language. No torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

from limpide.core.errors import DataError
from limpide.deploy.predictor import Prediction
from limpide.text.language import current_language


@cache
def _french() -> dict[str, str]:
    folder = resources.files("limpide") / "models"
    names = ((folder / file).read_text(encoding="utf-8").splitlines() for file in ("imagenet.txt", "imagenet.fr.txt"))
    return dict(zip(*names, strict=True))


def translate_predictions(answers: Iterable[Prediction | DataError]) -> Iterator[Prediction | DataError]:
    """The answers of a published network, with class names in the language in force."""
    for answer in answers:
        if isinstance(answer, Prediction) and current_language() == "fr":
            top = tuple((_french().get(name, name), share) for name, share in answer.top)
            answer = dataclasses.replace(answer, label=_french().get(answer.label or "", answer.label), top=top)
        yield answer
