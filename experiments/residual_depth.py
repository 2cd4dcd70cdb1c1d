"""Claim: a very deep plain net trains worse than a shallow one; with shortcuts depth does no harm.

    python -m experiments.residual_depth [FOLDER]   (5 minutes)

The CIFAR form of ResNet with half its maps (8-16-32), 7 convolutions and 51 (25 residual blocks), and their plain twins
with the very same parameters: 3,000 images of CIFAR-10, 5 passes, three seeds. Sized for two cores: the course's had
100 maps, on a card.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from experiments.common import accuracy, cifar10, percent, share, tell, train
from limpide.models import parameters
from limpide.models.resnet import ResNet

SEEDS, EPOCHS, N = 3, 5, 3000
DEPTHS = {7: (1, 1, 1), 51: (9, 8, 8)}  # convolutions → blocks a stage, of two convolutions each, after the first one


def main(folder: str = "") -> None:
    images = cifar10(folder).some(N)
    found: dict[tuple[int, bool], list[float]] = {}
    counts = {}
    for layers, depths in DEPTHS.items():
        for shortcuts in (False, True):
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                model = ResNet(classes=10, depths=depths, widths=(8, 16, 32), cifar=True, shortcuts=shortcuts)
                counts[layers] = parameters(model)
                train(model, images, epochs=EPOCHS, lr=5e-3, batch=128, seed=seed, precision="fp32")
                found.setdefault((layers, shortcuts), []).append(accuracy(model, images.test, images.test_labels))
    names = {key: f"{key[0]} convolutions, {'residual' if key[1] else 'plain'}" for key in found}
    shallow, deep = DEPTHS
    tell(
        "residual_depth",
        section="Convolutional nets",
        course=(
            "51 convolutions, plain / with 25 residual blocks: 26–33 / 76.5–77.7 % (4,582,010 parameters each); "
            "three / five convolutions 73.20 / 77.83"
        ),
        measured="; ".join(
            f"{names[key]} ({counts[key[0]]:,} parameters): {percent(values)}" for key, values in found.items()
        ),
        why=(
            f"narrower by twelve, {N:,} images and {EPOCHS} passes instead of 50,000 and more: sign and order "
            f"are those of the course, the scores are not"
        ),
        holds=bool(
            np.mean(found[deep, True]) > np.mean(found[deep, False]) + 0.05
            and np.mean(found[deep, False]) < np.mean(found[shallow, False])
        ),
        numbers=[share(names[key], values) for key, values in found.items()],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
