"""The default learning rate of each optimizer, as a multiple of that of AdamW: does a third or three times as much do
better?

    python -m experiments.optimizers   (10 minutes)

6,000 images of MNIST, two epochs with one cycle of the rate, two seeds: the small convolutional network, the perceptron
with one hidden layer, and the linear model, each at its own rate of AdamW (models/registry.py) times the factor.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import accuracy, mnist, train
from limpide.models import MODELS, build
from limpide.training.optim import DEFAULTS, OPTIMIZERS
from limpide.training.optim.groups import parameter_groups

N, EPOCHS, SEEDS, FACTORS = 6000, 2, 2, (0.1, 0.3, 1.0, 3.0, 10.0)


def main() -> None:
    images = mnist().some(N)
    test = images.test[:2000], images.test_labels[:2000]
    print("| optimizer, network | " + " | ".join(f"× {factor:g}" for factor in FACTORS) + " |")
    print("|---" * (len(FACTORS) + 1) + "|")
    for name, rule in OPTIMIZERS.items():
        for network in ("cnn", "mlp", "linear"):
            cells = []
            for factor in FACTORS:
                scores = []
                for seed in range(SEEDS):
                    torch.manual_seed(seed)
                    model = build(network, 10, 1, 28)
                    rate = DEFAULTS[name].rate * MODELS[network].lr * factor
                    groups = parameter_groups(model, DEFAULTS[name].weight_decay)
                    train(model, images, epochs=EPOCHS, lr=rate, batch=128, optimizer=rule(groups), seed=seed)
                    scores.append(accuracy(model, *test))
                cells.append(f"{100 * np.mean(scores):.1f}")
            print(f"| {name}, {network} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
