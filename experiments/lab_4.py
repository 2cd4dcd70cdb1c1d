"""Claim: weight decay and dropout have the signs of lab 4 with public commands.

    python -m experiments.lab_4 FOLDER   (CIFAR-10 in train/ and test/; a quarter of an hour)

How it is measured: experiments/labs_by_command.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from experiments import lab_networks, labs_by_command
from experiments.common import tell
from experiments.labs_by_command import CIFARNET, Comparison
from limpide.core.run import Run

COMPARISONS = (
    Comparison(
        "dropout",
        "dropout=0,0.3",
        {"model": f"{lab_networks.__name__}:mlp_100", "lr": "0.1", "batch": "64", "epochs": "20"},
        ("97.67 %", "97.62 %"),
        (0,),
        0,
    ),
    Comparison(
        "weight decay",
        "weight_decay=0,0.01",
        CIFARNET | {"lr": "0.1", "epochs": "15"},
        ("66.74 %", "68.88 %"),
        (1,),
    ),
)


def weights_in(runs: Path) -> dict[str, list[float]]:
    """Weight decay → (variance of the weights about 0, the largest of them), means over the seeds, after training."""
    found: dict[str, list[list[float]]] = {}
    for run in Run.all_in(runs):
        layers = [one for name, one in list(run.lines(run.stats_file))[-1]["parameters"].items() if "weight" in name]
        variance = sum(one["norm"] ** 2 for one in layers) / sum(sum(one["counts"]) for one in layers)
        most = max(max(-one["low"], one["high"]) for one in layers)
        found.setdefault(str(run.info().wanted["weight_decay"]), []).append([variance, most])
    return {decay: np.mean(values, axis=0).tolist() for decay, values in found.items()}


def main(folder: str) -> None:
    place = Path(folder).resolve()
    said = labs_by_command.measure_all(COMPARISONS, place)
    kept = labs_by_command.evidence(said, place)
    weights = weights_in(Path(said[COMPARISONS[-1]]["runs"]))
    without, decayed = weights["0.0"], weights["0.01"]
    tell(
        "lab_4",
        section="Convolutional nets",
        course=(
            "the figures of the labs are in the table; weight decay: variance of the weights .0056 to .0032, the "
            "largest 1.79 to 1.38"
        ),
        measured=(
            labs_by_command.summary(kept["table"].rows)
            + f". Weight decay: variance of the weights {without[0]:.2g} to {decayed[0]:.2g}, the largest "
            f"{without[1]:.2f} to {decayed[1]:.2f}"
        ),
        why=(
            "500 images of each class instead of 5,000, to stay within minutes. Weight decay 0.01 in place of 0.001: "
            "there are a tenth of the steps, and rate, decay and steps multiplied are those of the lab. Dropout on the "
            "small digits of scikit-learn; on MNIST it is an experiment of its own"
        ),
        holds=labs_by_command.NOT not in str(kept["table"].rows),
        **kept,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
