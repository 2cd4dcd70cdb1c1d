"""Choose a few vectors so that no other is far from them: greedy k-centre (Gonzalez 1985), as PatchCore keeps patches
(Roth et al. 2022, section 3.2, algorithm 1).

The first vector is the one farthest from the mean; each next one is the vector farthest from those already chosen. The
largest remaining distance is at most twice the smallest possible (Gonzalez 1985, theorem 2.2). Distances are measured
after a random projection, which changes them little (Johnson & Lindenstrauss 1984).
"""

from __future__ import annotations

import torch
from torch import Tensor

PROJECTED = 64  # numbers per vector after the projection


def choose_coreset(vectors: Tensor, count: int, *, seed: int = 0) -> Tensor:
    """int64 (min(count, n),): indices of the chosen vectors, in the order in which they were chosen. vectors: float
    (n, width).
    """
    points = _projected(vectors, seed)
    squares = points.square().sum(1)
    chosen = [int((points - points.mean(0)).square().sum(1).argmax())]
    nearest = torch.full_like(squares, torch.inf)  # squared distance to the nearest chosen vector
    for _ in range(min(count, len(vectors)) - 1):
        last = points[chosen[-1]]
        nearest = torch.minimum(nearest, squares - 2 * (points @ last) + last @ last)
        nearest[chosen[-1]] = -1.0  # never chosen twice, even among equal vectors
        chosen.append(int(nearest.argmax()))
    return torch.tensor(chosen)


def _projected(vectors: Tensor, seed: int) -> Tensor:
    width = vectors.shape[1]
    if width <= PROJECTED:
        return vectors
    directions = torch.randn(width, PROJECTED, generator=torch.Generator().manual_seed(seed))
    return vectors @ (directions / PROJECTED**0.5)
