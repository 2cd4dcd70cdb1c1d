"""Batches: pixels in memory (or mapped from disk) → normalised tensors on the device, in an order that a
seed decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels

Batch = tuple[Tensor, Tensor]  # images float (batch, channels, size, size), labels int64 (batch,)


@dataclass
class Batches:
    """Some images of a data set, by batches. `rows` and `labels` are parallel; rows index the data set."""

    pixels: Pixels
    rows: np.ndarray  # int (n,)
    labels: np.ndarray  # int (n,)
    batch: int
    device: torch.device

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch)

    def in_order(self) -> Iterator[Batch]:
        """Every image once, as listed: for evaluation."""
        for start in range(0, len(self.rows), self.batch):
            yield self._batch(np.arange(start, min(start + self.batch, len(self.rows))))

    def shuffled(self, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of this epoch from number `start` on. The order depends on seed and epoch alone.

        All batches are of the same size, give or take one image: a small last one would mislead batch normalisation,
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
            there = torch.tensor([int(i) not in lost for i in self.rows[picked]])
            raw, picked = raw[there.to(self.device)], picked[there.numpy()]
        labels = torch.from_numpy(self.labels[picked].astype(np.int64)).to(self.device)
        return normalized(raw, self.pixels.preprocessing), labels


def normalized(raw: Tensor, preprocessing: Preprocessing) -> Tensor:
    """uint8 (batch, size, size, channels) → float (batch, channels, size, size), in channels-last memory."""
    mean = torch.tensor(preprocessing.mean, device=raw.device)
    std = torch.tensor(preprocessing.std, device=raw.device)
    return ((raw.float() - mean) / std).permute(0, 3, 1, 2)


def as_tensor(squares: np.ndarray, preprocessing: Preprocessing) -> Tensor:
    """uint8 (n, size, size, channels) → float (n, channels, size, size), rows first: for looking inside."""
    return normalized(torch.from_numpy(np.array(squares)), preprocessing).contiguous()


Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class LightAugment:
    """Zoom, shift, turn, brightness and contrast, each drawn anew for each image; `flip` adds left-right mirroring."""

    zoom: float = 0.15  # largest change of scale, share
    shift: float = 0.06  # largest shift, share of the side
    turn: float = 8.0  # largest rotation, degrees
    light: float = 0.2  # largest change of brightness and of contrast, share
    flip: bool = False

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        n, device = len(images), images.device

        def draw(largest: float) -> Tensor:
            return ((torch.rand(n, generator=generator) * 2 - 1) * largest).to(device)

        scale, angle = 1 + draw(self.zoom), torch.deg2rad(draw(self.turn))
        mirror = torch.where(draw(1.0) < 0, -1.0, 1.0) if self.flip else torch.ones(n, device=device)
        cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
        across, down = draw(2 * self.shift), draw(2 * self.shift)
        theta = torch.stack(
            (torch.stack((cos * mirror, -sin, across), 1), torch.stack((sin * mirror, cos, down), 1)), 1
        )
        grid = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
        images = torch.nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        contrast, brightness = (1 + draw(self.light))[:, None, None, None], draw(self.light)[:, None, None, None]
        return images * contrast + brightness
