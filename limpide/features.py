"""Features: what a network sees in images, as an array that scikit-learn eats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from limpide.data.decode import Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.errors import DataError
from limpide.forked import in_a_new_thread
from limpide.language import N_
from limpide.run import Run
from limpide.samples import images_in, paths_in

BATCH = 32


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Images → float32 (n, width): what the layer before the last one says, by a published network or by your own run.

    Features("efficientnet_lite0").transform(["a.jpg", "b.jpg"])     # (2, 1280)
    make_pipeline(Features("efficientnet_lite0"), LogisticRegression()).fit(paths, labels)
    make_union(Features("efficientnet_lite0"), Features("runs/photos-001"))     # two networks side by side, for one head

    network: a network with published weights, or a run. X: paths, an array (n, height, width[, 3]) of grey levels (floats as the
    run was trained with, else measured as in `ImageClassifier`) or Pillow images. There is
    nothing to fit. Raises DataError for an image that cannot be used, ModelError or RunError for a network that is not there.
    """

    def __init__(self, network: str = "efficientnet_lite0") -> None:
        self.network = network

    def fit(self, X: Any, y: Any = None) -> Self:
        return self

    @in_a_new_thread
    def transform(self, X: Any) -> np.ndarray:
        from limpide.interpret.features import features_of
        from limpide.training.batches import as_tensor

        model, preprocessing, scale = _opened(str(self.network))
        paths = paths_in(X)
        if paths is None and isinstance(X, np.ndarray) and X.ndim == 2:
            todo = N_("reshape them to (n, height, width), or (1, height, width) for one image")
            raise DataError("L222", N_("these are rows of numbers, and images were expected"), where=f"shape {X.shape}", todo=todo)
        images = paths if paths is not None else images_in(X, scale)
        found = []
        for k in range(0, len(images), BATCH):
            some = [_decoded(item, preprocessing) if paths is not None else item for item in images[k : k + BATCH]]
            squares = np.stack([preprocessing.pixels(image) for image in some])
            found.append(features_of(model, as_tensor(squares, preprocessing))[0].float().numpy())
        if not found:
            raise DataError("L211", N_("none of these images can be read"), where="transform", todo=N_("name image files, a folder, or a pattern in quotes"))
        return np.concatenate(found)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """One name for each number, as scikit-learn's pipelines ask for them."""
        from limpide.interpret.features import last_linear

        model, _, _ = _opened(str(self.network))
        return np.array([f"{Path(str(self.network)).name}_{k}" for k in range(last_linear(model).in_features)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _decoded(path: Any, preprocessing: Preprocessing) -> Any:
    try:
        return preprocessing.opened(Path(path).read_bytes())[0]
    except Undecodable as error:
        raise DataError("L207", error.reason, where=path, todo=N_("name a readable image")) from error
    except OSError as error:
        raise DataError("L208", N_("the file cannot be opened"), where=f"{path}: {error.strerror}", todo=N_("name a readable image")) from error


def _opened(network: str) -> tuple[Any, Any, float | None]:
    """(network in evaluation mode, preprocessing, what turned the floats it learned from into grey levels)."""
    from limpide.training.network import published, trained

    if Path(network).exists():
        run = Run.open(network)
        arrays = run.info().arrays
        return *trained(run), arrays.scale if arrays else None
    return *published(network), None
