"""skorch's notebook on MNIST, its convolutional network, https://github.com/skorch-dev/skorch (notebooks/MNIST.ipynb):
two convolutions of 32 and 64, dropout, a hidden layer of 100; Adam at 0.002, 10 epochs, batches of 128, a fifth of the
images for validation. The notebook draws its own test images from all 70,000; here they are the usual 10,000.
"""

from __future__ import annotations

import numpy as np
import torch
from shared import GOAL, Arguments, load, tell
from skorch import NeuralNetClassifier
from torch import nn

EPOCHS, RATE = 10, 0.002


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.Dropout2d(0.5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1600, 100),
        nn.Dropout(0.5),
        nn.ReLU(),
        nn.Linear(100, 10),
        nn.Softmax(dim=-1),
    )


def scaled(images: np.ndarray) -> np.ndarray:
    return images.astype("float32")[:, None] / 255


def main() -> None:
    given = Arguments.read()
    torch.manual_seed(given.seed)
    images, labels = load(given.files, "train")
    net = NeuralNetClassifier(network, max_epochs=EPOCHS, lr=RATE, optimizer=torch.optim.Adam)
    began = given.seconds()
    net.fit(scaled(images), labels)
    net.save_params(f_params=given.model)
    seconds = given.seconds()
    right, spent = (np.array(net.history[:, name]) for name in ("valid_acc", "dur"))
    good = np.flatnonzero(right >= GOAL)
    images, labels = load(given.files, "t10k")
    accuracy = (net.predict(scaled(images)) == labels).mean()
    tell(seconds, accuracy, began + float(spent[: good[0] + 1].sum()) if len(good) else None)


if __name__ == "__main__":
    main()
