"""The parameters of the classifiers are those of a recipe: at run time because they are made of it, and in the text
that editors and type checkers read because it is held equal.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from sklearn.base import clone

from limpide import FlatImageClassifier, ImageClassifier
from limpide.core.errors import UsageError
from tests.signatures import CLASSES, signature_text, written


@pytest.mark.parametrize("estimator", CLASSES)
def test_the_text_is_the_signature(estimator: Any) -> None:
    assert written(estimator) == signature_text(estimator), "run make signatures"


def test_the_signature_says_types_and_defaults() -> None:
    given = inspect.signature(ImageClassifier).parameters
    assert str(given["time"]) == "time: 'str | float | None' = None"
    assert str(given["value_range"]) == "value_range: 'tuple[float, float] | str' = 'auto'"
    assert (
        given["judge"].default is True and inspect.signature(FlatImageClassifier).parameters["judge"].default is False
    )
    assert [inspect.signature(each).parameters["model"].default for each in CLASSES] == ["auto", "cnn"]


@pytest.mark.parametrize("estimator", CLASSES)
def test_scikit_learn_reads_it(estimator: Any) -> None:
    made = estimator(epochs=3, batch_size=7)
    names = set(inspect.signature(estimator).parameters)
    assert set(made.get_params()) == names == set(vars(made)), "what is named is what is stored, and nothing else"
    assert clone(made).get_params() == made.get_params() and made.batch == 7
    with pytest.raises(UsageError, match=r"did you mean epochs\?.*\[L101\]"):
        estimator(epocs=3)
    with pytest.raises(UsageError, match=r"\[L113\]"):
        estimator(batch=3, batch_size=7)
