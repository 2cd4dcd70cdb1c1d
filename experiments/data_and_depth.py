"""Claim: more data helps, and depth helps where there is enough of it; differences below the interval are none.

    python -m experiments.data_and_depth        (1 minute)

MNIST, 500 to 32,000 training images, small CNNs with one, two and three blocks; as many steps in each training:
32 passes over 500 images, half of one over 32,000. Three seeds, with the interval of the mean.
"""

from __future__ import annotations

import torch

from experiments.common import accuracy, mean, mnist, percent, share, tell, train
from limpide.models.cnn import SmallCNN

SEEDS, SIZES, WIDTHS, SEEN = 3, (500, 2000, 8000, 32_000), ((16,), (16, 32), (16, 32, 64)), 16_000


def main() -> None:
    images = mnist()
    found: dict[tuple[int, int], list[float]] = {}
    for seed in range(SEEDS):
        for n in SIZES:
            for widths in WIDTHS:
                torch.manual_seed(seed)
                model = SmallCNN(classes=10, widths=widths)
                train(model, images.some(n, seed), epochs=SEEN / n, lr=5e-3, batch=64, seed=seed)
                found.setdefault((n, len(widths)), []).append(accuracy(model, images.test, images.test_labels))
    tell(
        "data_and_depth",
        section="Networks named",
        course="amount of data and depth against accuracy: both help, data more surely than depth",
        measured="; ".join(
            f"{n:,} images: " + ", ".join(f"{depth} blocks {percent(found[n, depth])}" for depth in (1, 2, 3))
            for n in SIZES
        ),
        why="the course gives no numbers",
        holds=all(mean(found[SIZES[-1], d])[1] > mean(found[SIZES[0], d])[2] for d in (1, 2, 3))
        and mean(found[SIZES[-1], 3])[1] > mean(found[SIZES[-1], 1])[2],
        numbers=[share(f"{n:,} images, {depth} blocks", values) for (n, depth), values in found.items()],
    )


if __name__ == "__main__":
    main()
