"""Claim: six filters written by hand do nearly as well as six learned ones, and learned ones do a little better.

    python -m experiments.handmade_filters      (a minute)

The lab's six 3×3 filters (identity, vertical edges, horizontal edges, blur, all edges, emboss) → ReLU → maximum of 2×2
→ one linear layer, on MNIST: 11,830 parameters. Frozen, or learned from the same start; three seeds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from experiments.common import accuracy, mnist, percent, share, tell, train

SEEDS, EPOCHS = 3, 3
FILTERS = (
    ((0, 0, 0), (0, 1, 0), (0, 0, 0)),  # identity
    ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1)),  # vertical edges
    ((-1, -1, -1), (0, 0, 0), (1, 1, 1)),  # horizontal edges
    ((1, 2, 1), (2, 4, 2), (1, 2, 1)),  # blur
    ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),  # all edges
    ((-1, -1, 0), (-1, 0, 1), (0, 1, 1)),  # emboss
)


def six() -> Tensor:
    """(6, 1, 3, 3), each of norm 1, so that one rate suits them all."""
    filters = torch.tensor(FILTERS, dtype=torch.float32)[:, None]
    return filters / filters.square().sum((1, 2, 3), keepdim=True).sqrt()


class SixFilters(nn.Module):
    def __init__(self, learned: bool) -> None:
        super().__init__()
        self.filters = nn.Conv2d(1, 6, 3, padding=1)
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
        why=(
            "the lab's filters and network (11,830 parameters), but filters of norm 1, AdamW with one cycle of "
            "the rate and three passes"
        ),
        holds=min(found["learned"]) > max(found["frozen"]) and np.mean(found["frozen"]) > 0.94,
        numbers=[share(name, scores) for name, scores in found.items()],
    )


if __name__ == "__main__":
    main()
