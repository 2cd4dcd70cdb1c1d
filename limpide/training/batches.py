"""Batches: pixels in memory (or mapped from disk) → normalised tensors on the device, in an order that a
seed decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels

# images float (batch, channels, size, size), targets int64 (batch,), or float (batch, classes): shares of each image
Batch = tuple[Tensor, Tensor]


@dataclass
class Batches:
    """Some images of a data set, by batches. `rows` and `labels` are parallel; rows index the data set."""

    pixels: Pixels
    rows: np.ndarray  # int (n,)
    labels: np.ndarray  # int (n,)
    batch: int  # images at once through the network
    device: torch.device
    accumulate: int = 1  # batches an update of the weights, whose gradients add up

    def __len__(self) -> int:
        """Updates in one pass."""
        return -(-len(self.rows) // (self.batch * self.accumulate))

    def in_order(self) -> Iterator[Batch]:
        """Every image once, as listed: for evaluation."""
        for start in range(0, len(self.rows), self.batch):
            yield self._batch(np.arange(start, min(start + self.batch, len(self.rows))))

    def shuffled(self, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The images of each update of this epoch, from number `start` on. The order depends on seed and epoch alone.

        All are of the same size, give or take one image: a small last one would mislead batch normalisation,
        and a single image, which it cannot use at all, brings the one before it along.
        """
        n, count = len(self.rows), len(self)
        order = np.arange(n, dtype=np.int32)
        np.random.default_rng((seed, epoch)).shuffle(order)
        for k in range(start, count):
            picked = order[n * k // count : n * (k + 1) // count]
            if len(picked) == 1 and n > 1:
                picked = np.append(picked, order[n * k // count - 1])
            yield self._batch(picked)

    def _batch(self, picked: np.ndarray) -> Batch:
        raw = torch.from_numpy(self.pixels.take(self.rows[picked])).to(self.device)
        if lost := self.pixels.lost():
            readable = torch.tensor([int(i) not in lost for i in self.rows[picked]])
            raw, picked = raw[readable.to(self.device)], picked[readable.numpy()]
        labels = torch.from_numpy(self.labels[picked].astype(np.int64)).to(self.device)
        return normalized(raw, self.pixels.preprocessing), labels


def split_batch(batch: Batch, number: int) -> list[tuple[float, Batch]]:
    """(share of the images, part) of about as many parts. Means over the parts, times the shares, add up to the mean
    over the batch; no part is a single image, which batch normalisation cannot use.
    """
    images, targets = batch
    number = max(1, min(number, len(images) // 2))
    if number == 1:
        return [(1.0, batch)]
    parts = zip(images.tensor_split(number), targets.tensor_split(number), strict=True)
    return [(len(part[0]) / len(images), part) for part in parts]


def normalized(raw: Tensor, preprocessing: Preprocessing) -> Tensor:
    """uint8 (batch, size, size, channels) → float (batch, channels, size, size), in channels-last memory."""
    mean = torch.tensor(preprocessing.mean, device=raw.device)
    std = torch.tensor(preprocessing.std, device=raw.device)
    return ((raw.float() - mean) / std).permute(0, 3, 1, 2)


def as_tensor(squares: np.ndarray, preprocessing: Preprocessing) -> Tensor:
    """uint8 (n, size, size, channels) → float (n, channels, size, size), rows first: for looking inside."""
    return normalized(torch.from_numpy(np.array(squares)), preprocessing).contiguous()
