"""FlatImageClassifier: images as rows of numbers, the form in which scikit-learn's own tools pass them on."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from limpide.api.image_classifier import ImageClassifier
from limpide.api.parameters import with_choices
from limpide.core.errors import DataError, RunError, UsageError
from limpide.core.run import Run
from limpide.core.run_info import Rows

# Choices about files and tables, about parts that are not reported, and about networks that are larger than the small
# one.
OF_FILES = (
    "resize",
    "value_range",
    "groups",
    "parts",
    "file_column",
    "label_column",
    "split_column",
    "images",
    "suffix",
)
LEFT_OUT = (*OF_FILES, "test", "folds", "calibration", "weights", "freeze")


class FlatImageClassifier(ImageClassifier):
    """Learns from rows of numbers (n, features) that are the pixels of an image, row after row::

        FlatImageClassifier(image_shape=(8, 8)).fit(X, y)    # X: (n, 64), grey
        FlatImageClassifier(image_shape=(8, 8, 3))           # X: (n, 192), red, green, blue of each pixel together

    Without image_shape, the smallest square that holds the features is filled row by row, and its rest is black. The
    lowest number of the training data becomes grey level 0 and the highest 255, whichever feature they are in; in
    prediction, numbers beyond them are clipped. The other parameters are those of `ImageClassifier`, which describes
    them; as this class is used in pipelines and searches, it trains the small network, quietly, and is not judged.
    """

    if TYPE_CHECKING:
        # fmt: off
        # written by python -m tests.signatures (make signatures)
        def __init__(
            self, *,
            model: str = "cnn", time: str | float | None = None, epochs: int | None = None, batch: int | None = None,
            lr: float | None = None, optimizer: str = "adamw", schedule: str = "one-cycle",
            loss: str = "cross-entropy", image_size: int | None = None, validation: float | None = None,
            view: str = "auto", good: str = "", false_alarms: float | None = None, weight_decay: float | None = None,
            l1: float = 0.0, dropout: float | None = None, normalization: str = "auto", init: str = "default",
            clip: float | None = None, average: str = "none", accumulate: int = 1, keep: str = "best",
            label_smoothing: float | None = None, balance: str = "auto", augment: str = "auto", flip: str = "auto",
            average_mirrored: str = "auto", patience: int | None = None, seed: int = 0, device: str = "auto",
            precision: str = "auto", image_shape: tuple[int, ...] | None = None,
            runs: str | os.PathLike[str] | None = None, judge: bool = False, quiet: bool = True,
        ) -> None: ...
        # fmt: on
    else:

        @with_choices(without=LEFT_OUT, model="cnn")
        def __init__(
            self,
            *,
            image_shape: tuple[int, ...] | None = None,
            runs: str | os.PathLike[str] | None = None,
            judge: bool = False,
            quiet: bool = True,
        ) -> None:
            self.image_shape, self.runs, self.judge, self.quiet = image_shape, runs, judge, quiet

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = tags.input_tags.string = False
        tags.input_tags.two_d_array = tags.target_tags.required = True
        return tags

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> Self:
        """A trained classifier from its run directory. Raises RunError when it was not trained on rows of numbers."""
        clf = super().load(run)
        rows = Run.open(run).info().rows
        if rows is None:
            raise RunError("L513", where=run)
        clf.image_shape = clf.image_shape_ = rows.shape
        clf.n_features_in_, clf.range_ = rows.features, (rows.low, rows.high)
        return clf

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:  # type: ignore[override]
        """X: numbers (n, features) · y: labels (n,) · groups: as in `ImageClassifier.fit`."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.image_shape_ = self._shape(X.shape[1])
        self.range_ = float(X.min()), float(X.max())
        super().fit(self._images(X), y, groups)
        (low, high), run = self.range_, self._run()
        run.update(rows=Rows(tuple(self.image_shape_), X.shape[1], low, high))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities, float64 (n, classes), columns as in `classes_`. X: numbers (n, features)."""
        self._run()
        return super().predict_proba(self._images(validate_data(self, X, dtype=np.float64, reset=False)))

    def _shape(self, features: int) -> tuple[int, ...]:
        """(height, width) or (height, width, 3). Raises UsageError for an invalid shape, DataError where the features
        do not fill it.
        """
        if self.image_shape is None:
            side = math.isqrt(features - 1) + 1
            return side, side
        shape = tuple(self.image_shape) if isinstance(self.image_shape, (tuple, list)) else ()
        if (
            len(shape) not in (2, 3)
            or not all(isinstance(side, (int, np.integer)) and side > 0 for side in shape)
            or shape[2:] not in ((), (1,), (3,))
        ):
            raise UsageError("L118", where=f"image_shape={self.image_shape}")
        if math.prod(shape) != features:
            raise DataError("L224", where=f"image_shape={shape}", features=features, n=math.prod(shape))
        return shape

    def _images(self, X: np.ndarray) -> np.ndarray:
        """float64 (n, features) → uint8 (n, height, width, 1 | 3)."""
        low, high = self.range_
        filled = np.zeros((len(X), math.prod(self.image_shape_)), np.uint8)
        filled[:, : X.shape[1]] = np.rint((np.clip(X, low, high) - low) * (255 / ((high - low) or 1.0)))
        return filled.reshape(len(X), *self.image_shape_[:2], -1)
