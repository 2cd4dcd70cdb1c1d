"""The column "fastai" of few.py: `fine_tune` on the same weights, in an environment that holds fastai and limpide.

    PYTHON -m benchmarks.few_fastai LEARNED.csv NEW.csv

Both files have lines of path and label. It prints one line of JSON: the share of the new images that is right, and
the seconds from the first line of this program to the trained network. All is as fastai's guide does it: a fifth of the
images for validation, squares of 224 pixels, `aug_transforms`, its own head, `fine_tune(5)` (an epoch of the head, then
five of all).
"""

from __future__ import annotations

import time

BEGAN = time.monotonic()  # importing is part of what a user waits for

import csv  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import torch  # noqa: E402
from fastai.vision import all as fastai  # noqa: E402
from torch import nn  # noqa: E402

from limpide.models.efficientnet import EfficientNet  # noqa: E402

EPOCHS, SIZE, BATCH = 5, 224, 64


class Body(nn.Module):
    """EfficientNet-Lite0 without its pooling and its last layer: what fastai calls the body."""

    def __init__(self) -> None:
        super().__init__()
        network = EfficientNet("lite0")
        network.load_imagenet()
        self.layers = nn.Sequential(network.stem, network.blocks, network.last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


def _parts(model: nn.Sequential) -> fastai.L:
    return fastai.L(*map(fastai.params, (model[0], model[1])))


def read(file: str) -> tuple[list[Path], list[str]]:
    with open(file, newline="") as stream:
        rows = list(csv.reader(stream))
    return [Path(path) for path, _ in rows], [label for _, label in rows]


def main() -> None:
    (learned, labels), (new, truth) = map(read, sys.argv[1:3])
    loaders = fastai.ImageDataLoaders.from_lists(
        Path(),
        learned,
        labels,
        valid_pct=0.2,
        seed=0,
        bs=min(BATCH, max(2, int(0.8 * len(learned)))),
        num_workers=0,
        item_tfms=fastai.Resize(SIZE),
        batch_tfms=[*fastai.aug_transforms(), fastai.Normalize.from_stats([127 / 255] * 3, [128 / 255] * 3)],
    )
    network = nn.Sequential(Body(), fastai.create_head(1280, loaders.c))
    fastai.apply_init(network[1], nn.init.kaiming_normal_)
    learner = fastai.Learner(loaders, network, splitter=_parts, metrics=fastai.accuracy)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(EPOCHS)
    seconds = time.monotonic() - BEGAN
    with learner.no_bar():
        said, _ = learner.get_preds(dl=loaders.test_dl(new))
    right = sum(loaders.vocab[int(k)] == label for k, label in zip(said.argmax(1), truth, strict=True)) / len(truth)
    print(json.dumps({"right": right, "seconds": seconds}))


if __name__ == "__main__":
    main()
