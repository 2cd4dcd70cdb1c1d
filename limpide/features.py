"""Features: what a network sees in images, as an array that scikit-learn eats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from limpide.data.decode import Undecodable, decode
from limpide.errors import DataError
from limpide.language import N_
from limpide.run import Run
from limpide.samples import images_in, paths_in

BATCH = 32


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Images → float32 (n, width): what the layer before the last one says, by a published network or by your own run.

    Features("efficientnet_lite0").transform(["a.jpg", "b.jpg"])     # (2, 1280)
    make_pipeline(Features("efficientnet_lite0"), LogisticRegression()).fit(paths, labels)
    make_union(Features("efficientnet_lite0"), Features("runs/photos-001"))     # two networks side by side, for one head

    network: a network with published weights, or a run. X: paths, an array (n, height, width[, 3]) or Pillow images. There is
    nothing to fit. Raises DataError for an image that cannot be used, ModelError or RunError for a network that is not there.
    """

    def __init__(self, network: str = "efficientnet_lite0") -> None:
        self.network = network

    def fit(self, X: Any, y: Any = None) -> Self:
        return self

    def transform(self, X: Any) -> np.ndarray:
        import torch

        from limpide.data.reading import Pixels
        from limpide.training.batches import normalised

        model, preprocessing = _opened(self.network)
        paths, found = paths_in(X), []
        images = [_decoded(path, preprocessing.jpeg_side) for path in paths] if paths is not None else images_in(X)
        for k in range(0, len(images), BATCH):
            squares = np.stack([preprocessing.pixels(image) for image in images[k : k + BATCH]])
            with torch.inference_mode():
                batch = normalised(torch.from_numpy(squares), Pixels(preprocessing, np.arange(len(squares)), squares))
                found.append(model.features(batch).float().numpy())
        return np.concatenate(found)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _decoded(path: Any, at_least: int) -> Any:
    try:
        return decode(Path(path).read_bytes(), at_least)
    except Undecodable as error:
        raise DataError("L207", error.reason, where=path, todo=N_("name a readable image")) from error
    except OSError as error:
        raise DataError("L208", N_("the file cannot be opened"), where=f"{path}: {error.strerror}", todo=N_("name a readable image")) from error


def _opened(network: str) -> tuple[Any, Any]:
    """(network, preprocessing), in evaluation mode."""
    from limpide.training.network import published, trained

    if Path(network).exists():
        return trained(Run.open(network))
    return published(network)
