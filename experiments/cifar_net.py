"""Claim: a small convolutional net learns CIFAR-10 in a few passes; trained on, it learns its images by heart and must be named for it.

    python -m experiments.cifar_net [FOLDER]    (4 minutes)

The lab's CifarNet (3×3 convolutions of 10, 50 and 150 maps), as the lab trains it: plain descent at the rate 0.1, batches of 64, five
passes over all 50,000 images, two seeds. The same net on 4,000 images until the loss on other images has long turned. And a net of this
package with batch normalisation, AdamW and one cycle of the rate. FOLDER: CIFAR-10 as images in train/ and test/.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from experiments.common import ConstantSGD, Images, accuracy, cifar10, lab_net, percent, share, tell, train
from limpide.events import Epoch
from limpide.models import parameters
from limpide.models.linear import LinearNet
from limpide.models.vgg import PlainNet

SEEDS, RATE, BATCH, FEW, LONG = 2, 0.1, 64, 4000, 60


def by_the_lab(images: Images, epochs: int, seed: int, *, validate: bool = False) -> tuple[torch.nn.Module, list[Epoch]]:
    torch.manual_seed(seed)
    model = lab_net()
    events = train(model, images, epochs=epochs, lr=RATE, batch=BATCH, optimiser=ConstantSGD(model, RATE), seed=seed, validate=validate)
    return model, [event for event in events if isinstance(event, Epoch)]


def main(folder: str = "") -> None:
    images = cifar10(folder)
    full = [accuracy(by_the_lab(images, 5, seed)[0], images.test, images.test_labels) for seed in range(SEEDS)]
    torch.manual_seed(0)
    normed = PlainNet(classes=10, size=32, depths=(1, 1, 1), widths=(32, 64, 96), hidden=(), norm=True)
    train(normed, images, epochs=5, lr=5e-3, batch=128)
    ours = accuracy(normed, images.test, images.test_labels)
    linear = LinearNet(classes=10, channels=3, size=32)
    train(linear, images, epochs=3, lr=1e-3, batch=128, precision="fp32")
    templates = accuracy(linear, images.test, images.test_labels)
    few = images.some(FEW)
    few = Images(few.train, few.train_labels, images.test[:2000], images.test_labels[:2000], images.classes)
    learner, passes = by_the_lab(few, LONG, 0, validate=True)
    turned = int(np.argmin([event.validation_loss for event in passes]))
    own, held = accuracy(learner, few.train, few.train_labels), passes[-1].validation_accuracy
    tell(
        "cifar_net",
        section="Convolutional nets",
        course="small CifarNet (168,490 parameters), 5 epochs: 64.34 %; after 100 epochs train 94.6 / validation 62.1, validation loss 7.3; a linear net has 3,072 "
        "inputs, ten RGB templates",
        measured=f"the lab's net ({parameters(lab_net()):,} parameters) and descent, 5 passes: {percent(full)}; with {FEW:,} images and {LONG} passes train {percent([own])}, "
        f"test {percent([held])}: overfitting, named by the loss on other images, which turned after pass {turned + 1} and rose from "
        f"{passes[turned].validation_loss:.2f} to {passes[-1].validation_loss:.2f}; linear {percent([templates])}; a net of {parameters(normed):,} parameters with batch "
        f"normalisation, AdamW and one cycle of the rate {percent([ours])}",
        why=f"our copy of CIFAR-10 is JPEG; {LONG} passes over {FEW:,} images instead of 100 over all, to stay within minutes; bfloat16 where the processor has it. The interval "
        "is over seeds, where there are several",
        holds=float(np.mean(full)) > 0.55 and own - held > 0.2 and turned < len(passes) - 3,
        numbers=[
            share("lab's net, 5 passes, all images", full),
            share("with batch normalisation, 5 passes", [ours]),
            share("linear", [templates]),
            share(f"{FEW:,} images: train", [own]),
            share(f"{FEW:,} images: test", [held]),
        ],
        data={"validation loss": [event.validation_loss for event in passes], "train loss": [event.train_loss for event in passes]},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
