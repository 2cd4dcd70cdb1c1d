"""Claim: more data helps, and depth helps where there is enough of it; differences below the interval are none.

    python -m experiments.data_and_depth        (3 minutes)

MNIST, 500 to 32,000 training images, small CNNs with one, two and three blocks; as many images are seen in each training
(32,000, at least two passes). Three seeds, with the interval of the mean.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from experiments.common import accuracy, mnist, percent, share, tell, train
from limpide.models.cnn import SmallCNN

SEEDS, SIZES, WIDTHS = 3, (500, 2000, 8000, 32_000), ((16,), (16, 32), (16, 32, 64))


def main() -> None:
    images = mnist()
    found: dict[tuple[int, int], list[float]] = {}
    for seed in range(SEEDS):
        for n in SIZES:
            for widths in WIDTHS:
                torch.manual_seed(seed)
                model = SmallCNN(classes=10, widths=widths)
                train(model, images.some(n, seed), epochs=min(20, max(1, 32_000 // n)), lr=5e-3, batch=64, seed=seed)
                found.setdefault((n, len(widths)), []).append(accuracy(model, images.test, images.test_labels))
    middle = {key: float(np.mean(values)) for key, values in found.items()}
    tell(
        "data_and_depth",
        section="Networks named",
        course="amount of data and depth against accuracy: both help, data more surely than depth",
        measured="; ".join(f"{n:,} images: " + ", ".join(f"{depth} blocks {percent(found[n, depth])}" for depth in (1, 2, 3)) for n in SIZES),
        why="the course gives no numbers",
        holds=all(middle[b, d] > middle[a, d] for a, b in pairwise(SIZES) for d in (1, 2, 3)) and middle[SIZES[-1], 3] > middle[SIZES[-1], 1],
        numbers=[share(f"{n:,} images, {depth} blocks", values) for (n, depth), values in found.items()],
    )


if __name__ == "__main__":
    main()
