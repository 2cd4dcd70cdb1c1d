"""Claim: shift the image by a few pixels, and an MLP no longer knows it, while a convolutional net loses less.

    python -m experiments.shifted_pixels        (under a minute)

Trained on MNIST as it is, tested on images shifted to the right by 0 to 6 pixels. Three seeds.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import accuracy, mnist, percent, share, tell, train
from limpide.models.cnn import SmallCNN
from limpide.models.mlp import MLP

SEEDS, SHIFTS = 3, (0, 1, 2, 3, 4, 6)


def main() -> None:
    images = mnist()
    found: dict[str, dict[int, list[float]]] = {"MLP": {k: [] for k in SHIFTS}, "CNN": {k: [] for k in SHIFTS}}
    for seed in range(SEEDS):
        for name, make, lr in (("MLP", lambda: MLP(classes=10), 2e-3), ("CNN", lambda: SmallCNN(classes=10), 1e-2)):
            torch.manual_seed(seed)
            model = make()
            train(model, images, epochs=2, lr=lr, seed=seed)
            for k in SHIFTS:
                found[name][k].append(accuracy(model, np.roll(images.test, k, axis=2), images.test_labels))
    lost = {name: np.mean(scores[0]) - np.mean(scores[4]) for name, scores in found.items()}
    tell(
        "shifted_pixels",
        section="Linear models",
        course="shift the image by k pixels: the MLP collapses, the CNN less",
        measured="; ".join(
            f"by {k}: MLP {percent(found['MLP'][k])}, CNN {percent(found['CNN'][k])}" for k in (0, 2, 4)
        ),
        why="the course gives no numbers",
        holds=bool(lost["MLP"] > 1.3 * lost["CNN"] and lost["MLP"] > 0.3),
        numbers=[share(f"{name}, {k} px", values) for name, scores in found.items() for k, values in scores.items()],
    )


if __name__ == "__main__":
    main()
