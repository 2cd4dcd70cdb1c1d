"""Claim: a second linear layer adds nothing unless a non-linearity stands between the two.

    python -m experiments.two_linear_layers     (under a minute)

784 → 200 → 10 (159,010 parameters) with and without ReLU, beside 784 → 10; cross-entropy, three seeds each.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from experiments.common import accuracy, batches, mnist, percent, share, tell, train
from limpide.models.linear import LinearNet
from limpide.models.mlp import MLP

SEEDS, EPOCHS = 3, 4


def main() -> None:
    images = mnist()
    found: dict[str, list[float]] = {"one layer": [], "two layers": [], "two layers and ReLU": []}
    apart = 0.0
    for seed in range(SEEDS):
        for name, make in (
            ("one layer", lambda: LinearNet(classes=10)),
            ("two layers", lambda: MLP(classes=10, activation="none")),
            ("two layers and ReLU", lambda: MLP(classes=10)),
        ):
            torch.manual_seed(seed)
            model = make()
            train(model, images, epochs=EPOCHS, lr=2e-3, batch=128, seed=seed, precision="fp32")
            found[name].append(accuracy(model, images.test, images.test_labels))
            if name == "two layers":
                x, _ = next(batches(images.test, images.test_labels, 1000).in_order())
                first, second = model.get_submodule("hidden.0"), model.get_submodule("head")
                assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
                weight, bias = second.weight @ first.weight, second.weight @ first.bias + second.bias
                with torch.no_grad():
                    apart = max(apart, float((x.flatten(1) @ weight.T + bias - model.eval()(x)).abs().max()))
    one, two, relu = (np.mean(values) for values in found.values())
    tell(
        "two_linear_layers",
        section="Linear models",
        course=(
            "784 → 200 → 10 without non-linearity still about 92 % (within 0.6 point of one layer), W₂W₁ gives "
            "the same logits to 1e-4; with ReLU ≥ 97 %"
        ),
        measured="; ".join(f"{name} {percent(values)}" for name, values in found.items())
        + f"; W₂W₁ gives the same logits to {apart:.0e}",
        why="they agree",
        holds=abs(one - two) < 0.006 and relu >= 0.97 and apart < 1e-4,
        numbers=[share(name, values) for name, values in found.items()],
    )


if __name__ == "__main__":
    main()
