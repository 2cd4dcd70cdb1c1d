"""Many images at once: what the network sees in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from limpide.data.run_images import ImageGone, run_stamp
from limpide.explanation import nearest_images
from limpide.inspector.session import Session
from limpide.text.messages import N_, message

PIECE = 32  # images: a question that is given up and asked again goes on with the next of them


def cost(looker: Session, path: str, snapshot: str) -> int:
    """Multiply-adds of one image."""
    from limpide.models.flops import multiply_adds

    network, preprocessing, _ = looker.network(path, snapshot)
    return looker.once(
        ("cost", *looker.key(path, snapshot)),
        lambda: multiply_adds(network, preprocessing.channels, preprocessing.size),
    )  # type: ignore[no-any-return]


def affordable(looker: Session, path: str, snapshot: str) -> int:
    """How many images a look at many takes in (explanation/nearest_images.py)."""
    return nearest_images.affordable(cost(looker, path, snapshot))


@dataclass
class ImageFeatures:
    """Parallel; images that can no longer be read are left out."""

    rows: np.ndarray  # (n,) of the album
    features: np.ndarray  # float32 (n, width)
    probabilities: np.ndarray  # float32 (n, classes); of a piece that is kept, the logits


def features_of_images(looker: Session, path: str, snapshot: str, rows: np.ndarray) -> ImageFeatures:
    """Raises LookupError where none of the images is there any more."""
    import torch

    from limpide.interpret.embedding import features_of
    from limpide.training.device import fuse_batch_norm

    network, preprocessing, _ = looker.network(path, snapshot)
    key, temperature = looker.key(path, snapshot), looker.temperature(path, snapshot)
    quick = looker.once(("fused", *key), lambda: fuse_batch_norm(network, torch.device("cpu")))

    def seen(some: np.ndarray) -> ImageFeatures | None:
        kept, squares = readable(looker, path, preprocessing, some)
        if not len(kept):
            return None
        looker.looked_at(len(kept))
        features, logits = features_of(quick, looker.batch(preprocessing, squares))
        return ImageFeatures(kept, features.float().numpy(), logits.float().numpy())

    with looker.counting(len(rows), looks=2):  # each is read, and shown to the network
        pieces = [
            looker.once(("many", *key, *run_stamp(path), some.tobytes()), lambda: seen(some))  # noqa: B023
            for some in pieces_of(looker, rows, 2)
        ]
    if not (found := [piece for piece in pieces if piece is not None]):
        raise LookupError(message(N_("none of these images can be read any more")))
    kept, features, logits = (
        np.concatenate([getattr(piece, field.name) for piece in found]) for field in fields(ImageFeatures)
    )
    # a run is calibrated after its weights are there
    return ImageFeatures(kept, features, (torch.from_numpy(logits) / temperature).softmax(1).numpy())


def readable(looker: Session, path: str, preprocessing: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows that can be read, their squares uint8 (n, size, size, channels)); decoded once for every
    snapshot of a run.
    """

    def read(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        kept, squares = [], []
        for row in some.tolist():
            looker.looked_at(1)
            try:
                squares.append(looker.square(path, preprocessing, {"row": row}))
            except ImageGone:
                raise
            except LookupError:  # this one is gone, or damaged since
                continue
            kept.append(row)
        return np.array(kept, int), np.stack(squares) if squares else np.zeros(
            (0, preprocessing.size, preprocessing.size, preprocessing.channels), np.uint8
        )

    pieces = [
        looker.squares.once((*run_stamp(path), preprocessing, some.tobytes()), lambda: read(some))  # noqa: B023
        for some in pieces_of(looker, rows, 1)
    ]
    kept, squares = zip(*pieces, strict=True) if pieces else ([np.zeros(0, int)], [np.zeros((0, 1, 1, 1), np.uint8)])
    return np.concatenate(kept), np.concatenate(squares)


def pieces_of(looker: Session, rows: np.ndarray, each: int) -> Iterator[np.ndarray]:
    """The rows, piece by piece: a question that was given up goes on with the first piece that it did not finish. each:
    looks that an image costs.
    """
    begun = looker.done
    for k in range(0, len(rows), PIECE):
        looker.done = begun + k * each
        yield rows[k : k + PIECE]
    looker.done = begun + len(rows) * each
