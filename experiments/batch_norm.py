"""Claim: batch normalisation lets a net learn at a rate at which the same net without it stalls or learns far less.

    python -m experiments.batch_norm [FOLDER]   (3 minutes)

Six 3×3 convolutions, plain descent with highest rates of 0.05 and 0.5 (one cycle) and batches of 256, 6,000 images of
CIFAR-10, five passes; three seeds.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from experiments.common import SGD, accuracy, cifar10, percent, share, tell, train
from limpide.models.vgg import PlainNet

SEEDS, EPOCHS, N, BATCH, RATES = 3, 5, 6000, 256, (0.05, 0.5)


def main(folder: str = "") -> None:
    images = cifar10(folder).some(N)
    found: dict[tuple[bool, float], list[float]] = {}
    for rate in RATES:
        for norm in (False, True):
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                model = PlainNet(classes=10, size=32, depths=(2, 2, 2), widths=(16, 32, 64), hidden=(), norm=norm)
                train(model, images, epochs=EPOCHS, lr=rate, batch=BATCH, optimizer=SGD(model), seed=seed)
                found.setdefault((norm, rate), []).append(accuracy(model, images.test, images.test_labels))
    names = {key: f"{'with' if key[0] else 'without'} batch norm, rate {key[1]}" for key in found}
    tell(
        "batch_norm",
        section="Convolutional nets",
        course="batch norm lets rate .5 at batch 1024 learn where the plain net stalls",
        measured="; ".join(f"{names[key]}: {percent(values)}" for key, values in found.items()),
        why=(
            'the course gives no numbers. "Stalls" is too strong here: at the high rate the plain net learns, far less '
            "and very unevenly from seed to seed; batches of 256, as 6,000 images make few of 1,024, and one cycle of "
            "the rate, which begins low"
        ),
        holds=bool(np.mean(found[True, 0.5]) > np.mean(found[False, 0.5]) + 0.15),
        numbers=[share(names[key], values) for key, values in found.items()],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
