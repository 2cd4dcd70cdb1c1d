"""How near is the learning rate that `limpide doctor DATA --rate` suggests to the best one?

    python -m benchmarks.learning_rates mnist cifar10/train [--images 6000] [--epochs 1]   (20 minutes a data set)

For each network and optimizer, the sweeps of the finder, and then a training at each of nine rates, half a power of ten
apart, with the one-cycle schedule; the best has the highest accuracy on 2,000 images that are not trained on. Rates
whose accuracy is within two standard errors of it are as good. The factor is the distance of the suggestion to the
nearest of these.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
import torch

from limpide.audit.rate import suggest_rate
from limpide.core.events import Epoch
from limpide.core.recipe import Recipe
from limpide.data.dataset import Dataset
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.models import build
from limpide.training.batches import Batches
from limpide.training.defaults import usual_rate
from limpide.training.loop import fit
from limpide.training.rate_finder import STEPS, sweep
from limpide.training.start import start_state
from limpide.training.state import TrainState

CPU, JUDGED, SWEEPS = torch.device("cpu"), 2000, 3
POWERS = np.arange(-2, 2.5, 0.5)  # of ten, times the usual rate
TRIED = (("cnn", "adamw"), ("mlp", "adamw"), ("mlp", "sgd"), ("cnn", "momentum"))


def pixels_of(dataset: Dataset, n: int) -> tuple[Pixels, np.ndarray]:
    rows = np.random.default_rng(0).permutation(len(dataset))[:n]
    squares = np.stack([np.asarray(dataset.images.image(int(row))) for row in rows])
    squares = squares.reshape(*squares.shape[:3], -1)
    grey = bool((squares == squares[..., :1]).all())
    squares = np.ascontiguousarray(squares[..., :1] if grey else squares)
    channels, mean, std = squares.shape[3], float(squares.mean()), float(squares.std())
    preprocessing = Preprocessing(squares.shape[1], channels, mean=(mean,) * channels, std=(std,) * channels)
    return Pixels(preprocessing, np.arange(n), squares), dataset.labels[rows]


def compare(pixels: Pixels, labels: np.ndarray, network: str, optimizer: str, epochs: int) -> tuple[float, str]:
    """(the factor, a line about it)"""
    preprocessing, classes = pixels.preprocessing, int(labels.max()) + 1
    choices = dict(model=network, optimizer=optimizer, batch=64, epochs=epochs, device="cpu", precision="fp32")
    recipe = Recipe.of(**choices, weight_decay=0.0, label_smoothing=0.0)
    usual, n = usual_rate(recipe), len(labels) - JUDGED

    def fresh(rate: float, seed: int, steps: int) -> tuple[TrainState, Recipe]:
        torch.manual_seed(seed)
        model = build(network, classes, preprocessing.channels, preprocessing.size)
        asked = recipe.but(seed=seed, lr=rate)
        return start_state(model, asked, steps), asked

    train = Batches(pixels, np.arange(n), labels[:n], 64, CPU)
    judged = Batches(pixels, np.arange(n, len(labels)), labels[n:], 256, CPU)
    sweeps = []
    for seed in range(SWEEPS):
        state, asked = fresh(usual, seed, STEPS)
        sweeps.append(list(sweep(state, train, asked, usual)))
    suggested, _ = suggest_rate(sweeps)
    scores: dict[float, float] = {}
    for power in POWERS:
        rate = usual * 10**power
        state, asked = fresh(rate, 0, epochs * len(train))
        epoch = [event for event in fit(state, train, judged, asked) if isinstance(event, Epoch)]
        scores[rate] = max((one.validation_accuracy for one in epoch), default=0.0)
    best = max(scores.values())
    as_good = [r for r, score in scores.items() if score >= best - 2 * math.sqrt(best * (1 - best) / JUDGED)]
    factor = min((max(suggested / r, r / suggested) for r in as_good), default=math.inf) if suggested else math.inf
    line = (
        f"{network} {optimizer}: suggested {suggested:.2g}, as good as the best ({best:.1%}): "
        f"{min(as_good):.2g} to {max(as_good):.2g}, factor {factor:.1f}; usual {usual:.2g}"
    )
    return factor, line


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=1)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for location in chosen.data:
        pixels, labels = pixels_of(scan(location), chosen.images)
        for network, optimizer in TRIED:
            print(location, compare(pixels, labels, network, optimizer, chosen.epochs)[1], flush=True)


if __name__ == "__main__":
    main()
