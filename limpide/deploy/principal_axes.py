"""The first principal components of rows of numbers, the same every time (Halko, Martinsson & Tropp 2011, arXiv
0909.4061, algorithm 4.4), and the spread of each column.
"""

from __future__ import annotations

import numpy as np

FURTHER, ROUNDS = 8, 4  # additional vectors during the computation, and products with all rows
MIN_SPREAD = 0.05  # of the spread of all columns: a nearly constant one, divided by almost 0, would weigh most
MIN_OF_MEAN = 1e-3  # of a column's mean: float16 is not more precise
MIN_OF_MAX = 1e-4  # of the largest spread: float16 cannot represent smaller numbers together with it
NOTHING = 1e-5  # of the longest component: a shorter one is rounding error


def spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation that is never 0) of each column. values: float32 (n, width), n ≥ 1."""
    mean, std = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
    least = np.maximum(MIN_SPREAD * np.sqrt((std**2).mean()), MIN_OF_MEAN * np.abs(mean))
    std = np.maximum(std, least)
    std = np.maximum(std, MIN_OF_MAX * std.max())
    return mean.astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32)


def principal_axes(z: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """(axes float32 (count, width), share of the variance along them). z: float32 (n, width), centered."""
    n, width = z.shape
    whole = float((z.astype(np.float64) ** 2).sum())
    if count < 1 or not whole > 0:
        return np.zeros((0, width), np.float32), 0.0
    rank = min(count + FURTHER, n, width)
    basis = np.random.default_rng(0).standard_normal((width, rank)).astype(np.float32)
    for _ in range(ROUNDS):
        basis, _r = np.linalg.qr(z.T @ (z @ basis))
    _, sizes, turns = np.linalg.svd(z @ basis, full_matrices=False)
    axes = (turns @ basis.T)[:count][sizes[:count] > NOTHING * sizes[0]]
    # The sign of an axis is arbitrary: its largest number is made positive.
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    return np.asarray(axes, np.float32), min(1.0, float((sizes[: len(axes)].astype(np.float64) ** 2).sum() / whole))
