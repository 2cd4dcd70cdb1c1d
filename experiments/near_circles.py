"""Claim: if near-circles are labelled as circles, 3, 10 or 1,000 layers will do no better: the floor follows the
labels.

    python -m experiments.near_circles          (two minutes)

Drawn circles and ellipses, 16×16. A share of the ellipses carries the label "circle", as a careless validator gives it.
MLPs with 1, 3 and 8 hidden layers learn from 4,000 such images. Two errors: against labels made in the same careless
way, whose floor of half that share is arithmetic, and against what the images really show, which is what a user of the
network meets. Five seeds. The claim says that depth changes nothing: it is tested on the second error, seed by seed.
"""

from __future__ import annotations

import numpy as np
import torch

from experiments.common import Images, accuracy, mean, percent, share, tell, train
from limpide.models.mlp import MLP

SEEDS, SIDE, N, DEPTHS, CARELESS = 5, 16, 4000, (1, 3, 8), (0.0, 0.2, 0.4)


def draw_outlines(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
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


Errors = dict[tuple[float, int], list[float]]  # (share of careless labels, depth) → of each seed


def measure() -> tuple[Errors, Errors]:
    """Errors against what the images show, and against labels made in the same careless way."""
    clean: Errors = {}
    noisy: Errors = {}
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        (x, y), (x_test, y_test) = draw_outlines(N, random), draw_outlines(4000, random)
        for rate in CARELESS:
            own, judged = careless(y, rate, random), careless(y_test, rate, random)
            images = Images(x, own, x_test, y_test, ("ellipse", "circle"))
            for depth in DEPTHS:
                torch.manual_seed(seed)
                model = MLP(classes=2, size=SIDE, widths=(128,) * depth)
                train(model, images, epochs=15, lr=2e-3, batch=64, seed=seed, precision="fp32")
                clean.setdefault((rate, depth), []).append(1 - accuracy(model, x_test, y_test))
                noisy.setdefault((rate, depth), []).append(1 - accuracy(model, x_test, judged))
    return clean, noisy


def main() -> None:
    clean, noisy = measure()
    shallow, deep = clean[CARELESS[-1], DEPTHS[0]], clean[CARELESS[-1], DEPTHS[-1]]
    gain, low, high = mean(list(np.subtract(shallow, deep)))
    tell(
        "near_circles",
        section="Limits the courses teach",
        course=(
            "if they validate near-circles as circles, 3, 10 or 1000 layers will do no better: the error floor "
            "follows the labels, not the depth"
        ),
        measured="; ".join(
            f"{rate:.0%} of ellipses called circles: error against what the images show "
            + ", ".join(f"{depth} layers {percent(clean[rate, depth])}" for depth in DEPTHS)
            + "; against such labels "
            + ", ".join(f"{depth} layers {percent(noisy[rate, depth])}" for depth in DEPTHS)
            for rate in CARELESS
        )
        + f". With {CARELESS[-1]:.0%} careless, {DEPTHS[-1]} layers err {100 * gain:.1f} points less than one "
        f"({100 * low:.1f} to {100 * high:.1f}) against what the images show",
        why=(
            "two floors are meant by one word. Against labels of the same carelessness r, no network errs on less "
            "than r/2: that is arithmetic, and depth cannot change it. Against the truth there is no such floor "
            "while fewer than half of the ellipses are mislabeled: random mistakes average out, and more layers "
            "average better here. A mistake that everybody makes alike would be learned at any depth; this was not "
            "measured"
        ),
        holds=bool(low <= 0 <= high),
        numbers=[
            *(share(f"error, {rate:.0%} careless, {depth} layers", noisy[rate, depth]) for rate, depth in noisy),
            *(
                share(f"error against clean labels, {rate:.0%} careless, {depth} layers", clean[rate, depth])
                for rate, depth in clean
            ),
        ],
        data={"gain of depth": [gain, low, high]},
    )


if __name__ == "__main__":
    main()
