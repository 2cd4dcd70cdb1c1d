"""Claim: if near-circles are labelled as circles, 3, 10 or 1,000 layers will do no better: the floor follows the labels.

    python -m experiments.near_circles          (a minute)

Drawn circles and ellipses, 16×16. A share of the ellipses carries the label "circle", as whoever validated them was not
careful. MLPs with 1, 3 and 8 hidden layers learn from 4,000 such images; their error against clean labels, and against labels
made in the same careless way. Three seeds.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import Images, accuracy, mean, percent, share, tell, train
from limpide.models.mlp import MLP

SEEDS, SIDE, N, DEPTHS, CARELESS = 3, 16, 4000, (1, 3, 8), (0.0, 0.2, 0.4)


def drawn(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Outlines with a little noise: (uint8 (n, SIDE, SIDE, 1), 1 = circle)."""
    circle = random.integers(0, 2, n)
    y, x = np.mgrid[:SIDE, :SIDE][:, None] - (SIDE - 1) / 2 - random.uniform(-1.5, 1.5, (2, n, 1, 1))
    radius, flat = random.uniform(4, 6, (n, 1, 1)), np.where(circle, 1.0, random.uniform(0.6, 0.8, n))[:, None, None]
    upright = random.integers(0, 2, n)[:, None, None]
    long, short = np.where(upright, y, x), np.where(upright, x, y)
    distance = np.abs(np.sqrt(long**2 + (short / flat) ** 2) - radius)
    pixels = 255 * np.clip(1.2 - distance, 0, 1) + random.normal(0, 20, (n, SIDE, SIDE))
    return np.clip(pixels, 0, 255).astype(np.uint8)[..., None], circle


def careless(labels: np.ndarray, share_of_ellipses: float, random: np.random.Generator) -> np.ndarray:
    return np.where((labels == 0) & (random.random(len(labels)) < share_of_ellipses), 1, labels)


def main() -> None:
    clean: dict[tuple[float, int], list[float]] = {}
    noisy: dict[tuple[float, int], list[float]] = {}
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        (x, y), (x_test, y_test) = drawn(N, random), drawn(4000, random)
        for rate in CARELESS:
            own, judged = careless(y, rate, random), careless(y_test, rate, random)
            for depth in DEPTHS:
                torch.manual_seed(seed)
                model = MLP(classes=2, size=SIDE, widths=(128,) * depth)
                train(model, Images(x, own, x_test, y_test, ("ellipse", "circle")), epochs=15, lr=2e-3, batch=64, seed=seed, precision="fp32")
                clean.setdefault((rate, depth), []).append(1 - accuracy(model, x_test, y_test))
                noisy.setdefault((rate, depth), []).append(1 - accuracy(model, x_test, judged))
    floor = {rate: rate / 2 for rate in CARELESS}  # half of the images are ellipses
    best = {rate: min(mean(noisy[rate, depth])[0] for depth in DEPTHS) for rate in CARELESS}
    tell(
        "near_circles",
        section="Limits the courses teach",
        course="if they validate near-circles as circles, 3, 10 or 1000 layers will do no better: the error floor follows the labels, not the depth",
        measured="; ".join(
            f"{rate:.0%} of ellipses called circles: error against such labels "
            + ", ".join(f"{depth} layers {percent(noisy[rate, depth])}" for depth in DEPTHS)
            for rate in CARELESS
        ),
        why="the course gives no numbers; where r of the ellipses are mislabelled at random, no model can err on less than r/2 of such labels",
        holds=all(best[rate] > 0.85 * floor[rate] for rate in CARELESS) and best[0.4] > best[0.2] > best[0.0],
        numbers=[
            *(share(f"error, {rate:.0%} careless, {depth} layers", noisy[rate, depth]) for rate, depth in noisy),
            *(share(f"error against clean labels, {rate:.0%} careless, {depth} layers", clean[rate, depth]) for rate, depth in clean),
        ],
    )


if __name__ == "__main__":
    main()
