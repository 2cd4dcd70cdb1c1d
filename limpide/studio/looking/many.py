"""Many images at once: what the network sees in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from limpide.language import N_, message
from limpide.studio.looking.looker import Looker
from limpide.workflows import alike
from limpide.workflows.album import Gone, stamp


def cost(looker: Looker, path: str, snapshot: str) -> int:
    """Multiply-adds of one image."""
    from limpide.models.counting import multiply_adds

    network, preprocessing, _ = looker.network(path, snapshot)
    return looker.once(("cost", *looker.key(path, snapshot)), lambda: multiply_adds(network, preprocessing.channels, preprocessing.size))  # type: ignore[no-any-return]


def affordable(looker: Looker, path: str, snapshot: str) -> int:
    """How many images a look at many takes in (workflows/alike.py)."""
    return alike.affordable(cost(looker, path, snapshot))


@dataclass
class Many:
    """Parallel; images that can no longer be read are left out."""

    rows: np.ndarray  # (n,) of the album
    features: np.ndarray  # float32 (n, width)
    probabilities: np.ndarray  # float32 (n, classes)


def many(looker: Looker, path: str, snapshot: str, rows: np.ndarray) -> Many:
    """Raises LookupError where none of the images is there any more."""
    network, preprocessing, _ = looker.network(path, snapshot)
    return looker.once(
        ("many", *looker.key(path, snapshot), *stamp(path), rows.tobytes()),
        lambda: _many(looker, path, network, preprocessing, looker.temperature(path, snapshot), rows),
    )  # type: ignore[no-any-return]


def _many(looker: Looker, path: str, network: Any, preprocessing: Any, temperature: float, rows: np.ndarray) -> Many:
    kept, squares = readable(looker, path, preprocessing, rows)
    if not len(kept):
        raise LookupError(message(N_("none of these images can be read any more")))
    found = list(alike.seen_by(network, preprocessing, squares))
    return Many(kept, np.concatenate([features for features, _ in found]), np.concatenate([(logits / temperature).softmax(1).numpy() for _, logits in found]))


def readable(looker: Looker, path: str, preprocessing: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows that can be read, their squares uint8 (n, size, size, channels)); decoded once for every snapshot of a run."""

    def work() -> tuple[np.ndarray, np.ndarray]:
        kept, squares = [], []
        for row in rows.tolist():
            try:
                squares.append(looker.square(path, preprocessing, {"row": row}))
            except Gone:
                raise
            except LookupError:  # this one is gone, or damaged since
                continue
            kept.append(row)
        return np.array(kept, int), np.stack(squares) if squares else np.zeros((0, 1, 1, 1), np.uint8)

    return looker.squares.once((*stamp(path), preprocessing, rows.tobytes()), work)  # type: ignore[no-any-return]
