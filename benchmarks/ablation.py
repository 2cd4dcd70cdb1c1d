"""How often does an ablation of a choice against itself name a winner? 5 % are meant.

    python -m benchmarks.ablation [--draws 200] [--repeats 3]   (2 minutes)

Each draw trains the linear model on 300 images of digits, for two epochs, twice as often as there are repeats: half of
the trainings are called one choice and half another, with seeds of their own. 400 images judge, new ones in each draw.
The bound beside the share is the least of a binomial 95 % interval (Clopper & Pearson 1934).
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from scipy.stats import binomtest

from limpide.audit.ablation import Tried, ablation_finding
from limpide.core.recipe import Recipe
from limpide.data.named_datasets import DATASETS
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Pixels
from limpide.models import build
from limpide.training.batches import Batches
from limpide.training.loop import fit, logits_of
from limpide.training.start import start_state

LEARNED, JUDGED = 300, 400
RECIPE = Recipe.of(model="linear", epochs=2, batch=32, lr=0.01, weight_decay=0.0, device="cpu", precision="fp32")


def answers(seed: int, pixels: Pixels, labels: np.ndarray, learned: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """bool (JUDGED,): whether a training with this seed names each image rightly."""
    batches = Batches(pixels, learned, labels[learned], 32, torch.device("cpu"))
    recipe = RECIPE.but(seed=seed)
    torch.manual_seed(seed)
    state = start_state(build("linear", 10, 1, 8), recipe, 2 * len(batches))
    for _ in fit(state, batches, None, recipe):
        pass
    logits = logits_of(state.model, Batches(pixels, judged, labels[judged], JUDGED, torch.device("cpu")))
    return np.asarray(logits.argmax(1).numpy() == labels[judged])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    dataset = DATASETS["digits"]()
    array = np.stack([np.asarray(dataset.images.image(row)) for row in range(len(dataset))])
    grey = array.reshape(*array.shape[:3], -1)[..., :1]
    pixels = Pixels(Preprocessing(array.shape[1], 1), np.arange(len(dataset)), np.ascontiguousarray(grey))
    named = 0
    for draw in range(chosen.draws):
        order = np.random.default_rng(draw).permutation(len(dataset))
        learned, judged = order[:LEARNED], order[LEARNED : LEARNED + JUDGED]
        seeds = 2 * chosen.repeats * draw + np.arange(2 * chosen.repeats)
        right = np.stack([answers(int(seed), pixels, dataset.labels, learned, judged) for seed in seeds])
        halves = [Tried(name, right[k::2], (1.0,) * chosen.repeats) for k, name in enumerate(("one", "other"))]
        named += ablation_finding(halves, None).verdict == "ok"
    bound = binomtest(named, chosen.draws).proportion_ci(0.95).low
    share = named / chosen.draws
    print(f"a winner in {named} of {chosen.draws} ablations of equals ({share:.1%}, at least {bound:.1%})")


if __name__ == "__main__":
    main()
