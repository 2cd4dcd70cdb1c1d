"""Claim: a net that learned without labels how images are turned needs fewer labels afterwards.

    python -m experiments.rotation_pretext      (2 minutes)

Gidaris, Singh & Komodakis 2018 (arXiv 1803.07728): 20,000 MNIST images without labels, each turned by 0, 90, 180 or 270
degrees, and a small CNN that says by how much. Its layers then learn the digits from 100 labels, beside the same net
from scratch, and beside its features left as they are. Five draws of labels.
"""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import torch
from torch import nn

from experiments.common import Images, accuracy, mean, mnist, percent, share, tell, train
from limpide.models.cnn import SmallCNN

SEEDS, UNLABELLED, LABELLED, EPOCHS = 8, 20_000, 100, 40


class Frozen(nn.Sequential):
    """Normalises with the statistics it came with, also while the last layer learns."""

    def train(self, mode: bool = True) -> Self:
        return super().train(False)


def turned(images: Images) -> Images:
    some = images.train[:UNLABELLED]
    return Images(
        np.concatenate([np.rot90(some, k, (1, 2)) for k in range(4)]),
        np.repeat(np.arange(4), len(some)),
        images.test,
        images.test_labels,
        ("0", "90", "180", "270"),
    )


def main() -> None:
    images = mnist()
    unlabelled = turned(images)
    found: dict[str, list[float]] = {"from scratch": [], "after the pretext task": [], "its features, frozen": []}
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        pretext = SmallCNN(classes=4)
        train(pretext, unlabelled, epochs=1, lr=1e-2, batch=128, seed=seed)
        few = images.some(LABELLED, seed)
        for name, scores in found.items():
            torch.manual_seed(seed)
            model = SmallCNN(classes=10)
            if name != "from scratch":
                model.blocks = copy.deepcopy(pretext.blocks)
                if name == "its features, frozen":
                    model.blocks = Frozen(*model.blocks).requires_grad_(False)
            train(model, few, epochs=EPOCHS, lr=3e-3, batch=20, seed=seed)
            scores.append(accuracy(model, few.test, few.test_labels))
    gain, low, high = mean(list(np.subtract(found["after the pretext task"], found["from scratch"])))
    tell(
        "rotation_pretext",
        section="Networks named",
        course="a rotation pretext task (self-supervision) against training from scratch: with few labels it helps",
        measured="; ".join(f"{name} {percent(scores)}" for name, scores in found.items())
        + (
            f"; with {LABELLED} labels the pretext task gains {100 * gain:+.1f} points ({100 * low:+.1f} to "
            f"{100 * high:+.1f})"
        ),
        why=(
            "the course gives no numbers; 0, 1 and 8 look the same upside-down, so MNIST suits the task less "
            "than photographs"
        ),
        holds=low > 0,
        numbers=[share(name, scores) for name, scores in found.items()],
        data={"difference": [gain, low, high]},
    )


if __name__ == "__main__":
    main()
