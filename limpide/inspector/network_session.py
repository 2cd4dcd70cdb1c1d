"""What a question about one network and one image needs from its session: a run on the disk (session.py), or a network
in memory (memory_session.py).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from limpide.data.preprocessing import Preprocessing
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.lru_cache import LRUCache
from limpide.inspector.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor, nn

    from limpide.interpret.trace import Trace

MAX_BYTES = 300_000_000  # of each kind that is kept for the next question

CacheKey = tuple[Hashable, ...]


@dataclass(frozen=True)
class LoadedNetwork:
    network: nn.Module  # in evaluation mode
    preprocessing: Preprocessing
    classes: list[str]


@dataclass(frozen=True)
class TracedImage:
    """The trace of this network for one image."""

    network: nn.Module
    preprocessing: Preprocessing
    classes: list[str]
    trace: Trace


class NetworkSession(Protocol):
    """`path` and `snapshot` name weights of a run; they mean nothing to a network in memory."""

    progress: Progress
    traces: LRUCache
    results: LRUCache  # all other results that took long

    def load_network(self, path: str, snapshot: str) -> LoadedNetwork:
        """Raises LookupError where these weights do not exist."""

    def weights_key(self, path: str, snapshot: str) -> CacheKey:
        """Identifies these weights."""

    def image_key(self, path: str, snapshot: str, image: ImageReference) -> CacheKey:
        """Identifies this image in these weights."""

    def temperature(self, path: str, snapshot: str) -> float:
        """The number by which the logits are divided before they become probabilities."""

    def averages_mirrored(self, path: str, snapshot: str) -> bool:
        """Whether these weights are of a sealed model that answers with the mean over an image and its mirror image."""

    def input_shape(self, path: str, snapshot: str) -> tuple[int, int, int]:
        """(channels, height, width) of the network's input."""

    def square(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> np.ndarray:
        """uint8 (size, size, channels): the input of the network, changed as the question asks. Raises LookupError."""

    def tensor(self, path: str, preprocessing: Preprocessing, image: ImageReference) -> Tensor:
        """(1, channels, size, size), normalised as in training. Raises LookupError."""

    def probe_batch(self, path: str, preprocessing: Preprocessing, most: int) -> Tensor:
        """At most `most` images that the training set aside: (n, channels, size, size), normalised. Raises LookupError
        where there are none.
        """

    def class_and_file(self, path: str, image: ImageReference, classes: list[str]) -> tuple[str | None, str | None]:
        """The class and the file of an image of the run, as far as they are known."""

    def is_clipped(self, preprocessing: Preprocessing, image: ImageReference) -> bool:
        """Whether the image holds values beyond the range that the network was trained on. Raises LookupError."""


def trace_image(session: NetworkSession, path: str, snapshot: str, image: ImageReference) -> TracedImage:
    """Run the network on this image once and keep the trace. Raises LookupError."""
    from limpide.interpret.trace import trace

    loaded = session.load_network(path, snapshot)
    recorded = session.traces.get(
        session.image_key(path, snapshot, image),
        lambda: trace(loaded.network, session.tensor(path, loaded.preprocessing, image)),
    )
    return TracedImage(loaded.network, loaded.preprocessing, loaded.classes, recorded)
