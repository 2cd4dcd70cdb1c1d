"""Many images at once: the features that the network computes for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from limpide.data.preprocessing import Preprocessing
from limpide.data.run_images import ImageGone, run_stamp
from limpide.explanation import nearest_images
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.session import Session, batch
from limpide.text.messages import N_, message

PIECE = 32  # images: a question that is cancelled and asked again continues with the next piece


def cost(session: Session, path: str, snapshot: str) -> int:
    """Multiply-adds of one image."""
    from limpide.models.flops import multiply_adds

    loaded = session.load_network(path, snapshot)
    return session.results.get(
        ("cost", *session.weights_key(path, snapshot)),
        lambda: multiply_adds(loaded.network, loaded.preprocessing.channels, loaded.preprocessing.size),
    )


def affordable(session: Session, path: str, snapshot: str) -> int:
    """The number of images in a search among many (explanation/nearest_images.py)."""
    return nearest_images.affordable(cost(session, path, snapshot))


@dataclass
class ImageFeatures:
    """Parallel; images that can no longer be read are left out."""

    rows: np.ndarray  # (n,) of the album
    features: np.ndarray  # float32 (n, width)
    probabilities: np.ndarray  # float32 (n, classes); in a cached piece, the logits


def features_of_images(session: Session, path: str, snapshot: str, rows: np.ndarray) -> ImageFeatures:
    """Raises LookupError where none of the images exists any more."""
    import torch

    from limpide.interpret.embedding import features_of
    from limpide.training.device import fuse_batch_norm

    loaded, key = session.load_network(path, snapshot), session.weights_key(path, snapshot)
    quick = session.results.get(("fused", *key), lambda: fuse_batch_norm(loaded.network, torch.device("cpu")))

    def work(chunk: np.ndarray) -> ImageFeatures | None:
        rows_read, squares = readable(session, path, loaded.preprocessing, chunk)
        if not len(rows_read):
            return None
        session.progress.advance(len(rows_read))
        features, logits = features_of(quick, batch(loaded.preprocessing, squares))
        return ImageFeatures(rows_read, features.float().numpy(), logits.float().numpy())

    with session.progress.track(len(rows), looks=2):  # each is read, and goes through the network
        pieces = [
            session.results.get(("many", *key, *run_stamp(path), chunk.tobytes()), lambda: work(chunk))  # noqa: B023
            for chunk in pieces_of(session, rows, 2)
        ]
    if not (pieces_read := [piece for piece in pieces if piece is not None]):
        raise LookupError(message(N_("none of these images can be read any more")))
    rows_read, features, logits = (
        np.concatenate([getattr(piece, field.name) for piece in pieces_read]) for field in fields(ImageFeatures)
    )
    # a run is calibrated only after its weights are written
    temperature = session.temperature(path, snapshot)
    return ImageFeatures(rows_read, features, (torch.from_numpy(logits) / temperature).softmax(1).numpy())


def readable(
    session: Session, path: str, preprocessing: Preprocessing, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows that can be read, their squares uint8 (n, size, size, channels)); decoded once for all snapshots of
    a run.
    """

    def read(chunk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows_read, squares = [], []
        for row in chunk.tolist():
            session.progress.advance(1)
            try:
                squares.append(session.square(path, preprocessing, ImageReference(row=row)))
            except ImageGone:
                raise
            except LookupError:  # this image is gone, or damaged since
                continue
            rows_read.append(row)
        return np.array(rows_read, int), np.stack(squares) if squares else np.zeros(
            (0, preprocessing.size, preprocessing.size, preprocessing.channels), np.uint8
        )

    pieces = [
        session.squares.get((*run_stamp(path), preprocessing, chunk.tobytes()), lambda: read(chunk))  # noqa: B023
        for chunk in pieces_of(session, rows, 1)
    ]
    rows_read, squares = (
        zip(*pieces, strict=True) if pieces else ([np.zeros(0, int)], [np.zeros((0, 1, 1, 1), np.uint8)])
    )
    return np.concatenate(rows_read), np.concatenate(squares)


def pieces_of(session: Session, rows: np.ndarray, each: int) -> Iterator[np.ndarray]:
    """Yield the rows, piece by piece: a cancelled question continues with the first piece that it did not finish. each:
    looks that an image costs.
    """
    progress = session.progress
    begun = progress.looks_done
    for k in range(0, len(rows), PIECE):
        progress.looks_done = begun + k * each
        yield rows[k : k + PIECE]
    progress.looks_done = begun + len(rows) * each
