"""Claim: a learning rate far too small or too large, or a batch of one at a rate made for many, learns little or
nothing.

    python -m experiments.batch_and_rate [FOLDER]   (3 minutes)

The net of experiments/cifar_net.py without batch normalisation, plain descent, one cycle with these highest rates,
6,000 images of CIFAR-10, three passes. Three seeds, but one for the batch of one.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from experiments.common import SGD, accuracy, cifar10, percent, share, tell, train
from limpide.models.vgg import PlainNet

SEEDS, EPOCHS, N = 3, 3, 6000
TRIED = {
    "batch 64, rate 0.1": (64, 0.1),
    "batch 1, rate 0.1": (1, 0.1),
    "batch 1024, rate 0.1": (1024, 0.1),
    "batch 64, rate 0.001": (64, 0.001),
    "batch 64, rate 10": (64, 10.0),
}


def main(folder: str = "") -> None:
    images = cifar10(folder).some(N)
    found: dict[str, list[float]] = {}
    for name, (batch, rate) in TRIED.items():
        for seed in range(SEEDS if batch > 1 else 1):
            torch.manual_seed(seed)
            model = PlainNet(classes=10, size=32, depths=(1, 1, 1), widths=(32, 64, 96), hidden=())
            train(model, images, epochs=EPOCHS, lr=rate, batch=batch, optimizer=SGD(model), seed=seed)
            found.setdefault(name, []).append(accuracy(model, images.test, images.test_labels))
    middle = {name: float(np.mean(values)) for name, values in found.items()}
    usual = middle["batch 64, rate 0.1"]
    tell(
        "batch_and_rate",
        section="Convolutional nets",
        course=(
            "rate .1, batch 64: 64.34 %; batch 1 / 1024: 10.00 / 34.45; rate .001 / 10: 26.09 / 10.00 (5 epochs, "
            "all images)"
        ),
        measured="; ".join(f"{name}: {percent(values)}" for name, values in found.items()),
        why=(
            f"{N:,} images and {EPOCHS} passes instead of 50,000 and 5, to stay within minutes; the rate falls "
            f"to zero at the end"
        ),
        holds=all(value < usual - 0.05 for name, value in middle.items() if name != "batch 64, rate 0.1")
        and middle["batch 64, rate 10"] < 0.12,
        numbers=[share(name, values) for name, values in found.items()],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
