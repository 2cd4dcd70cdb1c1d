"""Batches: pixels in memory (or mapped from disk) → normalised tensors on the device, in an order set by a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels

# images float (batch, channels, size, size), targets int64 (batch,), or float (batch, classes): class shares
Batch = tuple[Tensor, Tensor]


@dataclass
class Batches:
    """Some images of a data set, in batches. `rows` and `labels` are parallel; rows index the data set."""

    pixels: Pixels
    rows: np.ndarray  # int (n,)
    labels: np.ndarray  # int (n,)
    batch: int  # images that pass through the network at once
    device: torch.device
    accumulate: int = 1  # batches per update of the weights; their gradients are added

    def __len__(self) -> int:
        """Updates per epoch."""
        return -(-len(self.rows) // (self.batch * self.accumulate))

    def in_order(self) -> Iterator[Batch]:
        """Every image once, as listed: for evaluation."""
        for start in range(0, len(self.rows), self.batch):
            yield self._batch(np.arange(start, min(start + self.batch, len(self.rows))))

    def shuffled(self, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The images of each update of this epoch, from update `start` on. The order depends only on seed and epoch.

        All updates have the same size, give or take one image, as a small last one would mislead batch normalisation.
        Batch normalisation cannot use a single image, so such an update also gets the image before it.
        """
        order = self.order(seed, epoch)
        for k in range(start, len(self)):
            yield self._batch(self.picked(order, k))

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """int32 (n,): places in `rows`."""
        order = np.arange(len(self.rows), dtype=np.int32)
        np.random.default_rng((seed, epoch)).shuffle(order)
        return order

    def picked(self, order: np.ndarray, update: int) -> np.ndarray:
        """The places of the images of one update of an epoch in this order."""
        n, count = len(order), len(self)
        picked = order[n * update // count : n * (update + 1) // count]
        if len(picked) == 1 and n > 1:
            picked = np.append(picked, order[n * update // count - 1])
        return picked

    def _batch(self, picked: np.ndarray) -> Batch:
        raw = torch.from_numpy(self.pixels.take(self.rows[picked])).to(self.device)
        if lost := self.pixels.lost():
            readable = torch.tensor([int(i) not in lost for i in self.rows[picked]])
            raw, picked = raw[readable.to(self.device)], picked[readable.numpy()]
        labels = torch.from_numpy(self.labels[picked].astype(np.int64)).to(self.device)
        return normalized(raw, self.pixels.preprocessing), labels


def split_batch(batch: Batch, number: int) -> list[tuple[float, Batch]]:
    """Split a batch into at most `number` parts; return (share of the images, part) of each. The means over the parts,
    times the shares, add up to the mean over the batch. No part is a single image, which batch normalisation cannot
    use.
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
    """uint8 (n, size, size, channels) → float (n, channels, size, size), rows first: for inspecting a network."""
    return normalized(torch.from_numpy(np.array(squares)), preprocessing).contiguous()
