"""Statistics of the training images for the sealed file: the network runs once more on a sample of them, and of the
validation images.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from limpide.data.dataset import Dataset
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels, Undecoded
from limpide.data.split import sample
from limpide.deploy.predictor import PIXELS
from limpide.deploy.train_stats import (
    MAX_VALUE,
    MAX_VALUES,
    MAX_WIDTH,
    Looked,
    TrainStats,
    grey_properties,
    make_train_stats,
)
from limpide.models import multiply_adds
from limpide.models.features import WithFeatures, features_width
from limpide.training.batches import normalized
from limpide.workflows.train.context import TrainContext

BATCH = 32  # images at once: calibration holds more memory at the same size
MAX_IMAGES = 2000
MAX_DECODED = 200  # images, if they have to be decoded again
MIN_IMAGES = 32
HELD_OUT = 5  # one image in this many is a validation image
# multiply-adds of the forward passes of all these images together: a few seconds; and the limit for each second that
# was asked for with --time
MAX_WORK, MAX_WORK_A_SECOND = 2e11, 1e9


def sample_size(asked: float | None, work: int) -> int:
    """The largest number of images to use. asked: s, with --time; work: multiply-adds of one image. The number does not
    depend on a clock, so that a resume uses the same images.
    """
    allowed = MAX_WORK if asked is None else min(MAX_WORK, asked * MAX_WORK_A_SECOND)
    return int(min(MAX_IMAGES, max(MIN_IMAGES, allowed / max(1, work))))


def train_stats_of(
    job: TrainContext, model: nn.Module, preprocessing: Preprocessing, temperature: float
) -> TrainStats | None:
    """None for a network whose outputs are not finite. The network must be in evaluation mode, on the processor."""
    pixels = job.pixels_of(preprocessing)
    width = features_width(model, preprocessing.channels, preprocessing.size)
    if width is not None and width > MAX_WIDTH:
        width = None
    most = sample_size(job.recipe.time, multiply_adds(model, preprocessing.channels, preprocessing.size))
    if isinstance(pixels.array, Undecoded):
        most = min(most, MAX_DECODED)
    if width is not None:
        most = min(most, max(MIN_IMAGES, MAX_VALUES // width))
    validation_rows = _sample_rows(job.dataset, np.intersect1d(job.rows("validation"), pixels.rows), most // HELD_OUT)
    train = _sample_rows(job.dataset, np.intersect1d(job.rows("train"), pixels.rows), most - len(validation_rows))
    image_records, validation = job.reading.seen, None
    batch = min(BATCH, max(1, PIXELS // preprocessing.size**2))
    looked = _look(model, pixels, train, width, batch, temperature, image_records)
    if len(validation_rows):
        validation = _look(model, pixels, validation_rows, width, batch, temperature, image_records)
    if looked is None:
        return None
    counts = np.bincount(job.dataset.labels[job.rows("train")], minlength=len(job.dataset.learned_classes))
    return make_train_stats(counts, looked, validation)


def _sample_rows(dataset: Dataset, rows: np.ndarray, most: int) -> np.ndarray:
    """About `most` of them, class by class."""
    rows = rows[sample(dataset.labels[rows], most)] if len(rows) else rows
    return rows[np.argsort(dataset.labels[rows], kind="stable")]


@torch.inference_mode()
def _look(
    model: nn.Module,
    pixels: Pixels,
    rows: np.ndarray,
    width: int | None,
    batch: int,
    temperature: float,
    image_records: np.ndarray,
) -> Looked | None:
    """image_records: the records of all images, from reading."""
    with_features = nn.Module() if width is None else WithFeatures(model)
    probabilities, features, grey = [], [], []
    for start in range(0, len(rows), batch):
        chunk = rows[start : start + batch]
        squares = pixels.take(chunk)
        if lost := pixels.lost():  # their squares are black
            squares = squares[[int(row) not in lost for row in chunk]]
        if not len(squares):
            continue
        images = normalized(torch.from_numpy(np.array(squares)), pixels.preprocessing)
        logits, batch_features = (model(images), None) if width is None else with_features(images)
        probabilities.append((logits.float() / temperature).softmax(1).numpy())
        grey.append(grey_properties(squares if squares.shape[-1] == 1 else Preprocessing.grey(squares)))
        if batch_features is not None:
            features.append(batch_features.numpy())
    if not probabilities or not all(np.isfinite(one).all() for one in probabilities):
        return None
    usable = bool(features) and all((np.abs(one) <= MAX_VALUE).all() for one in features)
    sizes = np.stack([image_records["width"][rows], image_records["height"][rows]], 1)
    return Looked(
        np.concatenate(probabilities),
        np.concatenate(features) if usable else None,
        np.concatenate(grey),
        sizes if sizes.all() else None,
    )
