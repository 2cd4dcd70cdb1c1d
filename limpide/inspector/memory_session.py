"""One network in memory and one image, in place of a run on the disk: for a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np

from limpide.data.preprocessing import Preprocessing
from limpide.explanation.inputs import OpenedNetwork, label_named
from limpide.inspector.session import Session
from limpide.interpret.trace import Trace

CHANGES = ("noise", "turn", "mirror")


class MemorySession(Session):
    """Answers as a Looker does; `path` and `snapshot` mean nothing, and the only image is {"bytes": …}, changed or not.

    The network is looked at as it is now: when somebody trains it on, what was found before is worked out anew.
    """

    def __init__(self, opened: OpenedNetwork, seen: Trace, square: np.ndarray) -> None:
        super().__init__()
        self._opened, self._image, self._square_seen = opened, seen.image, square
        self._preprocessing = opened.preprocessing or _as_if(seen, square)
        self._classes = [label_named(opened, k) for k in range(seen.output.shape[1])]
        self.traces.once(self.trace_key("", "", {}), lambda: seen)

    def key(self, path: str, snapshot: str) -> tuple[Any, ...]:
        """Where each weight lies, and how often it was changed there."""
        network = self._opened.network
        return tuple(
            (p.data_ptr(), 0 if p.is_inference() else p._version) for p in (*network.parameters(), *network.buffers())
        )

    def trace_key(self, path: str, snapshot: str, image: dict[str, Any]) -> tuple[Any, ...]:
        return (self.key(path, snapshot), *(image.get(name) or 0 for name in CHANGES))

    def network(self, path: str, snapshot: str) -> tuple[Any, Any, list[str]]:
        return self._opened.network, self._preprocessing, self._classes

    def temperature(self, path: str, snapshot: str) -> float:
        return self._opened.temperature

    def shape(self, path: str, snapshot: str) -> tuple[int, int, int]:
        channels, height, width = self._image.shape[1:]
        return channels, height, width

    def watched(self, path: str, preprocessing: Any, most: int) -> Any:
        return self._image

    def tensor(self, path: str, preprocessing: Any, image: dict[str, Any]) -> Any:
        """As it was given; only a changed image is made from its pixels."""
        return super().tensor(path, preprocessing, image) if any(image.get(name) for name in CHANGES) else self._image

    def is_clipped(self, preprocessing: Any, image: dict[str, Any]) -> bool:
        return False  # it came as a tensor: there is no file whose values could lie beyond anything

    def _square(self, path: str, preprocessing: Any, image: dict[str, Any]) -> np.ndarray:
        return self._square_seen


def _as_if(seen: Trace, square: np.ndarray) -> Preprocessing:
    """For a tensor that somebody normalised in a way that nobody told: its smallest number as black, its largest as
    white, as its square is drawn.
    """
    low, high = float(seen.image.min()), float(seen.image.max())
    std = 255 / ((high - low) or 1.0)
    return Preprocessing(size=seen.image.shape[-1], channels=seen.image.shape[1], mean=(-low * std,), std=(std,))
