"""Features: what a network sees in images, as an array for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from limpide.core.errors import DataError
from limpide.core.run import Run
from limpide.core.run_info import Arrays
from limpide.data.inputs import FROM_FILES, decode_inputs, images_in
from limpide.data.preprocessing import Preprocessing
from limpide.system import machine
from limpide.system.fork_safety import in_new_thread_if_forked
from limpide.text.messages import N_

BATCH = 32


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Images → float32 (n, width): the input of the last layer of a published network or of your own run.

    Alone, before a model of scikit-learn, or two networks side by side::

        Features("efficientnet_lite0").transform(["a.jpg", "b.jpg"])     # (2, 1280)
        make_pipeline(Features("efficientnet_lite0"), LogisticRegression()).fit(paths, labels)
        make_union(Features("efficientnet_lite0"), Features("runs/photos-001"))

    network: a network with published weights, or a run. X: images as `ImageClassifier.predict_proba` takes them (floats
    are scaled as in the run's training); an empty list returns (0, width). There is nothing to fit. A network with
    published weights runs as in a training: nine times faster than plain PyTorch, with features of two digits where the
    processor computes in bfloat16. Raises DataError for an unusable image, ModelError or RunError for a network that
    does not exist.
    """

    def __init__(self, network: str = "efficientnet_lite0") -> None:
        self.network = network

    def fit(self, X: Any, y: Any = None) -> Self:
        return self

    @in_new_thread_if_forked
    def transform(self, X: Any) -> np.ndarray:
        from limpide.interpret.embedding import last_linear

        machine.keep_memory()  # as a training does: without it, the same pass takes twice as long
        model, preprocessing, arrays = _opened(str(self.network))
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind not in "OUT":
            todo = N_("reshape them to (n, height, width), or (1, height, width) for one image")
            raise DataError("L222", where=f"shape {X.shape}", todo=todo)
        items, features = images_in(X, arrays, preprocessing.value_range), _looking(model, preprocessing)
        found = np.zeros((len(items), last_linear(model).in_features), np.float32)
        with ThreadPoolExecutor(machine.cores()) as pool:
            for k in range(0, len(items), BATCH):
                part = range(k, min(k + BATCH, len(items)))
                squares = pool.map(
                    lambda i: preprocessing.pixels(decode_inputs(items, preprocessing, i, i + 1)[0]), part
                )
                found[k : k + BATCH] = features(np.stack(list(squares)))
        machine.release_memory()
        return found

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """One name for each number, as scikit-learn's pipelines require."""
        from limpide.interpret.embedding import last_linear

        model, _, _ = _opened(str(self.network))
        return np.array(
            [f"{Path(str(self.network)).name}_{k}" for k in range(last_linear(model).in_features)], dtype=object
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _looking(model: Any, preprocessing: Preprocessing) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from uint8 squares (n, size, size, channels) to float32 (n, width); for a network that a
    training uses frozen, with the training's own pass.
    """
    from limpide.interpret.embedding import features_of
    from limpide.models.efficientnet import EfficientNet
    from limpide.training.batches import as_tensor
    from limpide.training.device import choose_device
    from limpide.training.frozen_features import Frozen

    if isinstance(model, EfficientNet):
        return Frozen(model, preprocessing, choose_device("auto")).features
    return lambda squares: features_of(model, as_tensor(squares, preprocessing))[0].float().numpy()


def _opened(network: str) -> tuple[Any, Any, Arrays]:
    """Return (network in evaluation mode, preprocessing, the form of the arrays from which it learned)."""
    from limpide.training.build import published_network
    from limpide.training.weights import trained_network

    if Path(network).exists():
        run = Run.open(network)
        return *trained_network(run), run.info().arrays or FROM_FILES
    return *published_network(network), FROM_FILES
