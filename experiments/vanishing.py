"""Claim: through ten layers of sigmoids the slope all but vanishes; the activation and the start of the weights decide.

    python -m experiments.vanishing             (a minute)

MLP with ten hidden layers of 64 on MNIST: the size of the slope by the weights of the second layer against the tenth
(both 64×64), at the start, and what is learned in two passes. Sigmoid, tanh and ReLU, with torch's start and with
weights that keep the spread (Glorot & Bengio 2010 for sigmoid and tanh, He et al. 2015 for ReLU). Three seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from experiments.common import accuracy, batches, mnist, percent, share, tell, train
from limpide.models.mlp import MLP

SEEDS, DEPTH, EPOCHS = 3, 10, 2


def start(model: MLP, activation: str, kept: bool) -> None:
    for layer in model.modules():
        if kept and isinstance(layer, nn.Linear):
            (nn.init.kaiming_normal_ if activation == "relu" else nn.init.xavier_normal_)(layer.weight)
            nn.init.zeros_(layer.bias)


def main() -> None:
    images = mnist()
    ratios: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        for activation in ("sigmoid", "tanh", "relu"):
            for kept in (False, True):
                name = f"{activation}, {'spread kept' if kept else 'torch’s start'}"
                torch.manual_seed(seed)
                model = MLP(classes=10, widths=(64,) * DEPTH, activation=activation)
                start(model, activation, kept)
                x, y = next(batches(images.train, images.train_labels, 512).in_order())
                nn.functional.cross_entropy(model(x), y).backward()
                grads = [layer.weight.grad for layer in model.hidden if isinstance(layer, nn.Linear)]
                layers = [grad.norm().item() for grad in grads if grad is not None]
                ratios.setdefault(name, []).append(layers[1] / layers[-1])
                model.zero_grad()
                train(model, images, epochs=EPOCHS, lr=1e-3, batch=128, seed=seed, precision="fp32")
                found.setdefault(name, []).append(accuracy(model, images.test, images.test_labels))
    faded = {name: float(np.mean(values)) for name, values in ratios.items()}
    tell(
        "vanishing",
        section="Networks named",
        course="activations and vanishing gradients over ten layers; initialisation",
        measured="; ".join(
            f"{name}: slope of the second layer {faded[name]:.1g} of the tenth's, {percent(found[name])}"
            for name in found
        ),
        why="the course gives no numbers",
        holds=bool(
            faded["sigmoid, torch’s start"] < 1e-4
            and min(faded["tanh, spread kept"], faded["relu, spread kept"]) > 0.1
            and np.mean(found["sigmoid, torch’s start"]) < 0.3
            and min(np.mean(found["tanh, spread kept"]), np.mean(found["relu, spread kept"])) > 0.9
        ),
        numbers=[share(name, values) for name, values in found.items()],
        data={"slope of the second layer over that of the tenth": faded},
    )


if __name__ == "__main__":
    main()
