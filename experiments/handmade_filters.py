"""Claim: six filters that somebody wrote down do nearly as well as six learned ones, and learned ones do a little better.

    python -m experiments.handmade_filters      (a minute)

Six 5×5 filters (two edges, two diagonals, a spot, a blur) → ReLU → maximum of 2×2 → one linear layer, on MNIST. Frozen, or
learned from the same start; three seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from experiments.common import accuracy, mnist, percent, share, tell, train

SEEDS, EPOCHS = 3, 3


def six() -> Tensor:
    """(6, 1, 5, 5), each of norm 1."""
    y, x = np.mgrid[-2:3, -2:3].astype(np.float32)
    bell = np.exp(-(x**2 + y**2) / 4)
    spot = np.exp(-(x**2 + y**2)) - 0.18
    filters = np.stack([x * bell, y * bell, (x + y) * bell, (x - y) * bell, spot, bell])
    return torch.from_numpy((filters / np.sqrt((filters**2).sum((1, 2), keepdims=True)))[:, None].astype(np.float32))


class SixFilters(nn.Module):
    def __init__(self, learned: bool) -> None:
        super().__init__()
        self.filters = nn.Conv2d(1, 6, 5, padding=2)
        with torch.no_grad():
            self.filters.weight.copy_(six())
            self.filters.bias.zero_()  # type: ignore[union-attr]
        self.filters.requires_grad_(learned)
        self.head = nn.Linear(6 * 14 * 14, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(nn.functional.max_pool2d(self.filters(x).relu(), 2).flatten(1))


def main() -> None:
    images = mnist()
    found: dict[str, list[float]] = {"frozen": [], "learned": []}
    for seed in range(SEEDS):
        for name, scores in found.items():
            torch.manual_seed(seed)
            model = SixFilters(learned=name == "learned")
            train(model, images, epochs=EPOCHS, lr=3e-3, batch=128, seed=seed)
            scores.append(accuracy(model, images.test, images.test_labels))
    tell(
        "handmade_filters",
        section="Linear models",
        course="six hand-made filters, frozen / learned: 96.31 / 97.08 %",
        measured=f"frozen {percent(found['frozen'])}, learned {percent(found['learned'])}",
        why="the lab's six filters are not in its text; ours are two edges, two diagonals, a spot and a blur",
        holds=min(found["learned"]) > max(found["frozen"]) and np.mean(found["frozen"]) > 0.94,
        numbers=[share(name, scores) for name, scores in found.items()],
    )


if __name__ == "__main__":
    main()
