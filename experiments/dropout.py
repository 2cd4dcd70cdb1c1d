"""Claim: at this size dropout makes no difference to the test score; and the training score depends on how it is measured.

    python -m experiments.dropout               (2 minutes)

MLP with two hidden layers of 100, 20 passes over MNIST, dropout 0.2 after each hidden layer or none; four seeds. The
training score is measured twice: with dropout still on, as the lab did, and with it off, as for every other score.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import accuracy, batches, mean, mnist, percent, share, tell, train
from limpide.models.mlp import MLP

SEEDS, EPOCHS, DROPOUT = 4, 20, 0.2


@torch.no_grad()
def still_on(model: MLP, images: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy with units still silenced at random."""
    model.train()
    return sum(int((model(x).argmax(1) == y).sum()) for x, y in batches(images, labels, 500).in_order()) / len(labels)


def main() -> None:
    images = mnist()
    found: dict[str, list[float]] = {name: [] for name in ("off: test", "off: train", "on: test", "on: train, dropout off", "on: train, dropout on")}
    for seed in range(SEEDS):
        for name, dropout in (("off", 0.0), ("on", DROPOUT)):
            torch.manual_seed(seed)
            model = MLP(classes=10, widths=(100, 100), dropout=dropout)
            train(model, images, epochs=EPOCHS, lr=3e-3, batch=128, seed=seed, precision="fp32")
            found[f"{name}: test"].append(accuracy(model, images.test, images.test_labels))
            own = accuracy(model, images.train, images.train_labels)
            if dropout:
                found["on: train, dropout off"].append(own)
                found["on: train, dropout on"].append(still_on(model, images.train, images.train_labels))
            else:
                found["off: train"].append(own)
    apart, low, high = mean(list(np.subtract(found["on: test"], found["off: test"])))
    tell(
        "dropout",
        section="Linear models",
        course="dropout 0.3 off / on: 97.67 / 97.62 % of the test; train 99.90 / 97.09 %, the latter with dropout still on: the gap between training and validation shrinks",
        measured="; ".join(f"{name} {percent(values)}" for name, values in found.items())
        + f"; dropout changes the test by {100 * apart:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})",
        why="dropout 0.2 here, 0.3 in the lab, which ran each once and claims that the gap shrinks: it does here, too, measured with dropout off (train less test, both above). "
        "That the test score does not change is our reading of the lab's one pair; over several seeds the small difference is there; one cycle of the rate trains further than a constant one; "
        "measured with dropout off, the training score with dropout is much nearer to that without",
        holds=bool(low <= 0 <= high and np.mean(found["on: train, dropout on"]) < np.mean(found["on: train, dropout off"]) - 0.005),
        numbers=[share(name, values) for name, values in found.items()],
    )


if __name__ == "__main__":
    main()
