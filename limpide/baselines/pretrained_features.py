"""The features that a pretrained network computes for any images: for networks that were trained from scratch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from limpide.core.recipe import Recipe
from limpide.data.dataset import Dataset
from limpide.data.decoding.decode import Undecodable
from limpide.data.preprocessing import Preprocessing
from limpide.models import multiply_adds, parameters
from limpide.system.machine import cores
from limpide.training.build import build_network
from limpide.training.frozen_features import Frozen

SIZE = 96  # pixels: four times faster than 224, and small images hold no more
CHUNK = 32  # images at once: more would take more memory but not less time


class FrozenFeatures:
    """Features of any images of a data set, computed when they are first asked for."""

    def __init__(self, dataset: Dataset, recipe: Recipe) -> None:
        self.dataset = dataset
        self.preprocessing = Preprocessing(
            SIZE, 3, recipe.fit, "bicubic", (127.0,), (128.0,), 2 * SIZE, value_range=recipe.span()
        )
        network = build_network(
            recipe.but(model="efficientnet_lite0", weights="auto"), len(dataset.learned_classes), 3, SIZE
        )
        # Counted before layers are fused: fused layers cannot be counted.
        self.multiply_adds, self.bytes = multiply_adds(network, 3, SIZE), 4 * parameters(network)
        self.width = int(network.head.in_features)  # type: ignore[union-attr,arg-type]
        self.frozen = Frozen(network, self.preprocessing, torch.device("cpu"))
        self._known: dict[int, np.ndarray] = {}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), width); NaN for an image that can no longer be read."""
        missing = np.array([i for i in rows.tolist() if i not in self._known], dtype=int)
        for k in range(0, len(missing), CHUNK):
            part = missing[k : k + CHUNK]
            self._known.update(zip(part.tolist(), self.fresh(part), strict=True))
        return np.stack([self._known[i] for i in rows.tolist()])

    def fresh(self, rows: np.ndarray) -> np.ndarray:
        """The same, computed even if known."""
        with ThreadPoolExecutor(cores()) as pool:
            squares = list(pool.map(self._square, rows.tolist()))
        readable = [square is not None for square in squares]
        features = np.full((len(rows), self.width), np.nan, np.float32)
        if any(readable):
            features[readable] = self.frozen.features(np.stack([one for one in squares if one is not None]))
        return features

    def _square(self, row: int) -> np.ndarray | None:
        try:
            return self.preprocessing.pixels(self.dataset.images.image(row, self.preprocessing.jpeg_side))
        except Undecodable:
            return None
