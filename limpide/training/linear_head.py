"""Transfer learning, first half: features of a frozen network computed once, and a linear head fitted on them.

The same network is then fine-tuned by `fit`, with lower learning rates for the layers that already know the most.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from limpide.core.events import Progress
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.system import machine
from limpide.system.files import write_atomically
from limpide.system.quiet_libraries import quiet_libraries
from limpide.text.messages import N_, message
from limpide.training.frozen_features import BATCH, Frozen, batch_of

CHUNK = 128  # images whose features are computed and stored together: about a second of work
# Inverse strengths of the L2 penalty (scikit-learn's C) on standardised features, tried from strong to weak.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)


class Squares(Protocol):
    """Squares of images, indexed by their positions in the data set, like Pixels."""

    @property
    def preprocessing(self) -> Preprocessing: ...

    def take(self, indices: np.ndarray) -> np.ndarray: ...


def frozen_features(
    model: nn.Module, pixels: Squares, rows: np.ndarray, cache: Path, device: torch.device
) -> Iterator[Progress]:
    """Computes `model.features` for these images (indices into the data set) and stores them chunk by chunk.

    A chunk that is already there is not computed again. `load_features` reads the result.
    """
    chunk, batch = _chunk_of(pixels), batch_of(pixels.preprocessing.size)
    missing_starts = [
        k for k in range(0, len(rows), chunk) if not _chunk_name(cache, pixels, rows[k : k + chunk]).exists()
    ]
    frozen = Frozen(model, pixels.preprocessing, device) if missing_starts else None
    for k in range(0, len(rows), chunk):
        part = rows[k : k + chunk]
        if frozen and k in missing_starts:
            array = np.concatenate(
                [frozen.features(pixels.take(part[start : start + batch])) for start in range(0, len(part), batch)]
            )
            write_atomically(_chunk_name(cache, pixels, part), lambda stream, a=array: np.save(stream, a))  # type: ignore[misc]
        yield Progress(message(N_("running the pretrained network on the images")), k + len(part), len(rows))


def seconds_an_image(model: nn.Module, pixels: Pixels, rows: np.ndarray, device: torch.device) -> float:
    """Seconds that `frozen_features` takes for each of many images, without decoding."""
    batch = batch_of(pixels.preprocessing.size)
    frozen, squares = Frozen(model, pixels.preprocessing, device), pixels.take(np.resize(rows, batch))
    frozen.features(squares)  # warm-up
    began = time.perf_counter()
    frozen.features(squares)
    return (time.perf_counter() - began) / batch


def load_features(pixels: Squares, rows: np.ndarray, cache: Path) -> np.ndarray:
    """float32 (len(rows), width), in the order of `rows`, as `frozen_features` stored them."""
    chunk = _chunk_of(pixels)
    return np.concatenate(
        [np.load(_chunk_name(cache, pixels, rows[k : k + chunk])) for k in range(0, len(rows), chunk)]
    )


def _chunk_of(pixels: Squares) -> int:
    """The number of images whose features are stored together: fewer if the squares are larger."""
    return CHUNK // BATCH * batch_of(pixels.preprocessing.size)


def _chunk_name(cache: Path, pixels: Squares, part: np.ndarray) -> Path:
    key = hashlib.sha256(part.astype("<i8").tobytes()).hexdigest()[:16]
    return cache / f"features-{pixels.preprocessing.size}-{key}.npy"


@dataclass(frozen=True)
class Head:
    weight: np.ndarray  # float32 (classes, width)
    bias: np.ndarray  # float32 (classes,)
    strength: float  # the C that validation chose
    tried: tuple[tuple[float, float], ...]  # (C, validation log-loss in nats)

    def logits(self, features: np.ndarray) -> np.ndarray:
        return features @ self.weight.T + self.bias


def fit_head(features: np.ndarray, labels: np.ndarray, held: np.ndarray, held_labels: np.ndarray, classes: int) -> Head:
    """Multinomial logistic regression; the penalty with the least validation log-loss wins.

    features, held: (n, width) · labels, held_labels: int (n,) · a class without a training image gets a very low score.
    """
    heads: list[Head] = []
    with fitting():
        for head in fit_path(features, labels, classes, STRENGTHS):
            loss = log_loss(head.logits(held), held_labels) if len(held) else 0.0
            heads.append(Head(head.weight, head.bias, head.strength, ((head.strength, loss),)))
            if len(heads) > 1 and loss > heads[-2].tried[0][1]:
                break  # weaker penalties only over-fit more
    best = min(heads, key=lambda head: head.tried[0][1])
    return Head(best.weight, best.bias, best.strength, tuple(head.tried[0] for head in heads))


@contextlib.contextmanager
def fitting() -> Iterator[None]:
    """For the fits of `fit_path`: one thread, and no warnings of scikit-learn. A fit that was stopped is not a fault,
    as validation decides, not the last digit of the loss.
    """
    with quiet_libraries, machine.one_thread():
        yield


def fit_path(
    features: np.ndarray, labels: np.ndarray, classes: int, strengths: Iterable[float], groups: Sequence[int] = ()
) -> Iterator[Head]:
    """One head for each strength, from strong to weak, each fit starting from the one before. Features are centred and
    divided by one number, their common spread: the same spread for each would amplify features that are rarely active.

    groups: widths of the kinds of features that are concatenated, if there are several. Each kind is divided by a
    different number, so that all the others together weigh as much as the first.
    """
    from sklearn.linear_model import LogisticRegression

    present = np.unique(labels)
    if len(present) == 1:  # there is only one class
        bias = np.full(classes, -20.0, np.float32)
        bias[present] = 0.0
        yield from (Head(np.zeros((classes, features.shape[1]), np.float32), bias, one, ()) for one in strengths)
        return
    mean = features.mean(0)
    centered = features - mean
    spread = _spread(centered, groups or (features.shape[1],))
    model, scaled = LogisticRegression(max_iter=100, tol=1e-3, warm_start=True), centered / spread
    basis = None
    if len(scaled) < scaled.shape[1] // 2:
        scaled, basis = _in_span(scaled)
    for strength in strengths:
        model.set_params(C=strength).fit(scaled, labels)
        coef = model.coef_ if basis is None else model.coef_ @ basis
        yield _unscaled(coef, model.intercept_, model.classes_, mean, spread, classes, strength)


def _spread(centered: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """float32 (width,): the divisor of each feature."""
    spread, start = np.empty(centered.shape[1], np.float32), 0
    for width in groups:
        columns = slice(start, start + width)
        mean_square = float((centered[:, columns] ** 2).mean())
        share = 1 if not start else 1 / (len(groups) - 1)  # of the weight of the first kind
        spread[columns] = np.sqrt(mean_square * width / (groups[0] * share)) + 1e-6
        start += width
    return spread


def _in_span(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(coordinates float32 (n, rank), basis float32 (rank, width)) of rows that are fewer than the columns. A penalised
    weight lies in the span of the rows (the representer theorem, Schölkopf et al. 2001), so nothing is lost and a fit
    is quicker.
    """
    values, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    kept = values > 1e-6 * max(values[-1], 1e-12)
    lengths = np.sqrt(values[kept])
    basis = (vectors[:, kept] / lengths).T.astype(np.float32) @ rows
    return np.asarray(vectors[:, kept] * lengths, np.float32), basis


def _unscaled(
    coef: np.ndarray,
    intercept: np.ndarray,
    present: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    classes: int,
    strength: float,
) -> Head:
    """The same function on raw features, as one Linear layer over all classes. present: int, the fitted classes."""
    if len(present) == 2:  # scikit-learn keeps one row for two classes
        coef, intercept = np.concatenate([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    weight, bias = np.zeros((classes, coef.shape[1]), np.float32), np.full(classes, -20.0, np.float32)
    weight[present] = coef / spread
    bias[present] = intercept - (coef / spread) @ mean
    return Head(weight, bias, strength, ())


def log_loss(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean of −log p(true class), nats an image. weights: float (n,), of the images; None: all alike."""
    return float(np.average(log_losses(logits, labels), weights=weights))


def log_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,): −log p(true class) of each image, nats."""
    top = logits.max(1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(1))
    return np.asarray(log_sum - logits[np.arange(len(labels)), labels])


def set_head(model: nn.Module, head: Head) -> None:
    with torch.no_grad():
        model.head.weight.copy_(torch.from_numpy(head.weight))  # type: ignore[union-attr,operator,arg-type]
        model.head.bias.copy_(torch.from_numpy(head.bias))  # type: ignore[union-attr,operator,arg-type]


def discriminative_scales(model: nn.Module) -> list[tuple[str, float]]:
    """(parameter prefix, share of the learning rate): earlier layers are more general, so they learn more slowly
    (Howard & Ruder 2018).
    """
    blocks = len(model.blocks)  # type: ignore[arg-type]
    third = [(f"blocks.{k}.", 0.1 if k < blocks // 3 else 0.3 if k < 2 * blocks // 3 else 0.6) for k in range(blocks)]
    return [("stem.", 0.1), *third, ("last.", 1.0), ("head.", 1.0)]
