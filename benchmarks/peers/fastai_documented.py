"""fastai's tutorial with MNIST from end to end, https://docs.fast.ai/examples/migrating_pytorch.html: the network of
pytorch/examples in a Learner, torchvision's data in batches of 256, Adam, one epoch of `fit_one_cycle` up to 0.01; the
test images are scored at its end. Its other pages start from published weights or from 70,000 PNG files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch.nn.functional as F
from fastai.vision import all as fastai
from pytorch_example import data, linked, network
from shared import GOAL, Arguments, tell
from torch.utils.data import DataLoader

EPOCHS, BATCH, TEST_BATCH, RATE = 1, 256, 512, 1e-2


def main() -> None:
    given = Arguments.read()
    fastai.set_seed(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = linked(given.files, Path(folder))
        learned = DataLoader(data(root, train=True), batch_size=BATCH, shuffle=True)
        tested = DataLoader(data(root, train=False), batch_size=TEST_BATCH)
        loaders = fastai.DataLoaders(learned, tested)
        learner = fastai.Learner(
            loaders, network(), loss_func=F.nll_loss, opt_func=fastai.Adam, metrics=fastai.accuracy
        )
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(EPOCHS, RATE)
        accuracy = learner.recorder.values[-1][-1]
        learner.save(given.model)
    seconds = given.seconds()
    tell(seconds, accuracy, seconds if accuracy >= GOAL else None)


if __name__ == "__main__":
    main()
