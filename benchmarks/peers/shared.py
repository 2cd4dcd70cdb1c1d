"""What every peer is given: the same files, the same recipe, and one way to say what came out.

Nothing of limpide is imported, and PyTorch only where it is needed: TensorFlow's peer does without.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# The recipe of `limpide train mnist`; tests/house/test_peers.py compares it with limpide's.
LEARNED, VALIDATED = 48_000, 6_000  # images
BATCH, RATE, WEIGHT_DECAY, SMOOTHING = 128, 0.01, 0.02, 0.1
WIDTHS, WARM_UP, MEAN, STD = (16, 32, 64), 0.25, 127.5, 63.75
STEPS = -(-LEARNED // BATCH)
GOAL = 0.99  # of the test images


@dataclass(frozen=True)
class Arguments:
    """What `python -m benchmarks.peers` hands to each program."""

    files: Path  # the folder of the four idx files
    model: Path  # where the model is to be saved
    seed: int
    began: float  # s, time.monotonic() before the process started

    @classmethod
    def read(cls) -> Arguments:
        files, model, seed, began = sys.argv[1:]
        return cls(Path(files), Path(model), int(seed), float(began))

    def seconds(self) -> float:
        """Since the process was asked for."""
        return time.monotonic() - self.began


def load(files: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """part: train or t10k. Returns uint8 images (n, 28, 28) and int64 labels (n,)."""
    pixels = np.fromfile(files / f"{part}-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 28, 28)
    return pixels, np.fromfile(files / f"{part}-labels-idx1-ubyte", dtype=np.uint8)[8:].astype(np.int64)


def normalized(images: np.ndarray) -> np.ndarray:
    """uint8 (n, 28, 28) → float32 of the same shape, as limpide's preprocessing of grey images."""
    return (images.astype(np.float32) - np.float32(MEAN)) / np.float32(STD)


def learned_and_validated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the 60,000: as many as limpide learns from, and as many as it validates on."""
    order = np.random.default_rng(seed).permutation(60_000)
    return order[:LEARNED], order[LEARNED : LEARNED + VALIDATED]


def one_cycle(step: int) -> float:
    """The share of the highest rate: up to 1 in a quarter of the steps, then down to 0, both in a line."""
    peak = WARM_UP * STEPS
    return min((step + 1) / peak, (STEPS - step) / (STEPS - peak + 1), 1.0)


def tell(saved: float, accuracy: Any, reached: float | None = None) -> None:
    """Print the line that `python -m benchmarks.peers` reads. saved: s until the model was a file; accuracy: share of
    the test images; reached: s until the library's own score after an epoch was GOAL or more.
    """
    print(json.dumps({"accuracy": float(accuracy), "seconds": saved, "reached": reached}))
