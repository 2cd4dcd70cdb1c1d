"""The training images most similar to one image, for a network: cosine of the features before its last layer
(interpret/embedding.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import numpy as np

from limpide.core.errors import LimpideError
from limpide.core.events import Progress
from limpide.core.run import Run
from limpide.data.preprocessing import Preprocessing
from limpide.data.run_images import ImageGone, RunImages
from limpide.explanation.record import NearestImage, NearestImages
from limpide.system.files import sha256
from limpide.text.messages import N_, message

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 32
WORK = 60e9  # multiply-adds that a search among many images may cost: some ten seconds of one processor
MIN_IMAGES, MAX_IMAGES = 300, 1000  # images
SHOWN = 8
LOOKING = N_("searching for the most similar training images")
# reasons why there are none
GONE = N_("The most similar training images cannot be shown: they are no longer where they were when the run began.")
FROM_ARRAY = N_(
    "The most similar training images cannot be shown: the run learned from an array, and its images are not on disk."
)


def affordable(each: int) -> int:
    """The number of images that are searched: fewer for a network that takes long for each. each: multiply-adds of one
    image.
    """
    return int(min(MAX_IMAGES, max(MIN_IMAGES, WORK / max(1, each))))


def features_seen_by(
    network: nn.Module, preprocessing: Preprocessing, squares: np.ndarray
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Yield (features float32 (n, width), logits (n, classes)), batch by batch. squares: uint8 (n, size, size,
    channels)
    """
    import torch

    from limpide.interpret.embedding import features_of
    from limpide.training.batches import as_tensor
    from limpide.training.device import fuse_batch_norm

    network = fuse_batch_norm(network, torch.device("cpu"))  # the same numbers except for rounding
    for k in range(0, len(squares), BATCH):
        features, logits = features_of(network, as_tensor(squares[k : k + BATCH], preprocessing))
        yield features.float().numpy(), logits.float()


def nearest_rows(
    features: np.ndarray, rows: np.ndarray, one: np.ndarray, own: int = -1, most: int = SHOWN
) -> list[tuple[int, float]]:
    """Return (place in `rows`, cosine), the most similar first; the image itself, row `own` of the run, is left out."""
    from limpide.interpret.embedding import nearest_rows

    return [(k, cosine) for k, cosine in nearest_rows(features, one, most + 1) if rows[k] != own][:most]


def find_nearest_images(
    run: Run, network: nn.Module, preprocessing: Preprocessing, image: Tensor, data: bytes = b""
) -> Iterator[Progress | NearestImages]:
    """Yield progress, then last the neighbours of this image among those that the run learned from, or a sentence on
    why there are none.

    image: (1, channels, size, size), normalised · data: the bytes of its file, which identify it among them.
    """
    from limpide.interpret.embedding import features_of
    from limpide.models.flops import multiply_adds

    try:
        one = features_of(network, image)[0][0].numpy()
        album = RunImages(run)
        rows = album.some(affordable(multiply_adds(network, preprocessing.channels, preprocessing.size)), album.learned)
        rows_read, squares = yield from _decode_rows(album, rows, preprocessing)
    except LookupError:
        yield NearestImages((), 0, 0, True, message(FROM_ARRAY if run.info().arrays else GONE))
        return
    except LimpideError as error:
        yield NearestImages((), 0, 0, True, error.message())
        return
    features: list[np.ndarray] = []
    for batch_features, _ in features_seen_by(network, preprocessing, np.stack(squares)):
        features.append(batch_features)
        done = min(len(rows_read), len(features) * BATCH)
        yield Progress(message(LOOKING), len(rows) + done, len(rows) + len(rows_read))
    top = nearest_rows(np.concatenate(features), np.array(rows_read), one, _row_of(data, album, rows_read))
    shown = tuple(
        NearestImage(album.files[rows_read[k]], album.labels[rows_read[k]], cosine, squares[k]) for k, cosine in top
    )
    yield NearestImages(shown, len(rows_read), len(album.rows(album.learned)), bool(album.learned))


def _decode_rows(
    album: RunImages, rows: np.ndarray, preprocessing: Preprocessing
) -> Generator[Progress, None, tuple[list[int], list[np.ndarray]]]:
    """Yield progress and return the rows that still exist, with their squares. Raises ImageGone where all are gone,
    LookupError where there is no source to read from.
    """
    rows_read: list[int] = []
    squares: list[np.ndarray] = []
    for done, row in enumerate(rows.tolist()):
        if done % BATCH == 0:
            yield Progress(message(LOOKING), done, 2 * len(rows))
        try:
            squares.append(preprocessing.pixels(album.image(row, preprocessing.jpeg_side)))
        except ImageGone:
            raise
        except LookupError:  # this image is gone, or was replaced
            continue
        rows_read.append(row)
    if not rows_read:
        raise ImageGone
    return rows_read, squares


def _row_of(data: bytes, album: RunImages, rows: list[int]) -> int:
    """The row among `rows` of the image with these bytes; −1 if there is none."""
    digits = sha256(data) if data else ""
    return next((row for row in rows if digits and album.contents[row] and digits.startswith(album.contents[row])), -1)
