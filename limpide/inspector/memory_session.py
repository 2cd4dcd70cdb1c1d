"""One network in memory and one image, instead of a run on the disk: for a notebook."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from limpide.data.preprocessing import Preprocessing
from limpide.explanation.inputs import OpenedNetwork, label_named
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.lru_cache import LRUCache
from limpide.inspector.network_session import MAX_BYTES, CacheKey, LoadedNetwork, NetworkSession
from limpide.inspector.progress import Progress
from limpide.interpret.trace import Trace
from limpide.training.batches import as_tensor


class MemorySession(NetworkSession):
    """`path` and `snapshot` are ignored, and every image reference means the only image, changed or not.

    The network is used as it is now: after further training, earlier results are computed again.
    """

    def __init__(self, opened: OpenedNetwork, trace: Trace, square: np.ndarray) -> None:
        self.progress, self.traces, self.results = Progress(), LRUCache(MAX_BYTES), LRUCache(MAX_BYTES)
        self._opened, self._image, self._square = opened, trace.image, square
        self._loaded = LoadedNetwork(
            opened.network,
            opened.preprocessing or _preprocessing_of(trace),
            [label_named(opened, k) for k in range(trace.output.shape[1])],
        )
        self.traces.get(self.image_key("", "", ImageReference(data=b"")), lambda: trace)

    def load_network(self, path: str, snapshot: str) -> LoadedNetwork:
        return self._loaded

    def weights_key(self, path: str, snapshot: str) -> CacheKey:
        """The address of each weight, and how often it was changed there."""
        network = self._opened.network
        return tuple(
            (p.data_ptr(), 0 if p.is_inference() else p._version) for p in (*network.parameters(), *network.buffers())
        )

    def image_key(self, path: str, snapshot: str, image: ImageReference) -> CacheKey:
        return (self.weights_key(path, snapshot), *image.changes)

    def temperature(self, path: str, snapshot: str) -> float:
        return self._opened.temperature

    def averages_mirrored(self, path: str, snapshot: str) -> bool:
        return self._opened.mirrored

    def input_shape(self, path: str, snapshot: str) -> tuple[int, int, int]:
        channels, height, width = self._image.shape[1:]
        return channels, height, width

    def square(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> np.ndarray:
        return image.changed(self._square)

    def tensor(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> Tensor:
        """The tensor as it was given; only a changed image is made from its pixels."""
        if not image.is_changed:
            return self._image
        return as_tensor(self.square(path, preprocessing, image)[None], preprocessing)

    def probe_batch(self, path: str, preprocessing: Preprocessing, most: int) -> Tensor:
        return self._image

    def class_and_file(self, path: str, image: ImageReference, classes: list[str]) -> tuple[str | None, str | None]:
        return None, None

    def is_clipped(self, preprocessing: Preprocessing, image: ImageReference) -> bool:
        return False  # it came as a tensor: no file has values beyond the range


def _preprocessing_of(trace: Trace) -> Preprocessing:
    """The preprocessing for a tensor whose normalisation is not known: its smallest number as black, its largest as
    white, as its square is drawn.
    """
    low, high = float(trace.image.min()), float(trace.image.max())
    std = 255 / ((high - low) or 1.0)
    return Preprocessing(size=trace.image.shape[-1], channels=trace.image.shape[1], mean=(-low * std,), std=(std,))
