"""Claim: a small convolutional net learns CIFAR-10 in a few passes; trained on, it learns its images by heart and must
be named for it.

    python -m experiments.cifar_net [FOLDER]    (4 minutes)

Three stages of 3×3 convolutions (32-64-96 maps), batch normalisation, no dropout. All 50,000 images for 5 passes; and
4,000 images for 25 passes, until the validation loss has long turned. FOLDER: CIFAR-10 as images in train/ and test/.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from experiments.common import SGD, Images, accuracy, cifar10, percent, share, tell, train
from limpide.core.events import Epoch
from limpide.models import parameters
from limpide.models.linear import LinearNet
from limpide.models.vgg import PlainNet


def net() -> PlainNet:
    return PlainNet(classes=10, size=32, depths=(1, 1, 1), widths=(32, 64, 96), hidden=(), norm=True)


def overfit(images: Images) -> tuple[float, float, list[Epoch]]:
    """25 passes over 4,000 images: accuracy on them and on others, and how it went."""
    few = images.some(4000)
    few = Images(few.train, few.train_labels, images.test[:2000], images.test_labels[:2000], images.classes)
    torch.manual_seed(0)
    learner = net()
    events = train(learner, few, epochs=25, lr=0.1, batch=64, optimizer=SGD(learner), validate=True)
    passes = [event for event in events if isinstance(event, Epoch)]
    return accuracy(learner, few.train, few.train_labels), passes[-1].validation_accuracy, passes


def main(folder: str = "") -> None:
    images = cifar10(folder)
    torch.manual_seed(0)
    model = net()
    train(model, images, epochs=5, lr=5e-3, batch=128)
    full = accuracy(model, images.test, images.test_labels)
    linear = LinearNet(classes=10, channels=3, size=32)
    train(linear, images, epochs=3, lr=1e-3, batch=128, precision="fp32")
    templates = accuracy(linear, images.test, images.test_labels)
    own, held, passes = overfit(images)
    turned = int(np.argmin([event.validation_loss for event in passes]))
    tell(
        "cifar_net",
        section="Convolutional nets",
        course=(
            "small CifarNet (168,490 parameters), 5 epochs: 64.34 %; after 100 epochs train 94.6 / validation "
            "62.1; a linear net has 3,072 inputs, ten RGB templates"
        ),
        measured=(
            f"{parameters(model):,} parameters, 5 passes: {percent([full])}; linear {percent([templates])}; with "
            f"4,000 images and 25 passes train {percent([own])}, test {percent([held])}: overfitting, named by the "
            f"loss on other images, which turned after pass {turned + 1}"
        ),
        why=(
            "the lab's CifarNet (three convolutions of 10, 50 and 150 maps, plain descent at a constant rate) is "
            "another net: ours has batch normalisation, and AdamW with one cycle of the rate over all images; our "
            "copy of CIFAR-10 is JPEG; 25 passes over 4,000 images instead of 100 over all; one run each, so no "
            "interval"
        ),
        holds=full > 0.6 and own - held > 0.2 and turned < len(passes) - 3,
        numbers=[
            share("5 passes, all images", [full]),
            share("linear", [templates]),
            share("4,000 images: train", [own]),
            share("4,000 images: test", [held]),
        ],
        data={f"{part} loss": [getattr(event, f"{part}_loss") for event in passes] for part in ("validation", "train")},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
