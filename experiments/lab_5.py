"""Claim: depth has the signs of lab 5 with public commands.

    python -m experiments.lab_5 FOLDER   (CIFAR-10 in train/ and test/; a quarter of an hour)

How it is measured: experiments/labs_by_command.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments import lab_networks, labs_by_command
from experiments.common import tell
from experiments.labs_by_command import Comparison

COMPARISONS = (
    Comparison(
        "depth",
        "model="
        + ",".join(f"{lab_networks.__name__}:narrow_{name}" for name in ("three", "five", "fifty_one", "residual")),
        {"optimizer": "adamw", "schedule": "one-cycle", "lr": "0.005", "batch": "64", "epochs": "5"},
        ("73.20 %", "77.83 %", "26–33 %", "76.5–77.7 %"),
        (1, -1, 1),
        pairs=((2, 3, 1),),
    ),
)


def main(folder: str) -> None:
    place = Path(folder).resolve()
    kept = labs_by_command.evidence(labs_by_command.measure_all(COMPARISONS, place), place)
    tell(
        "lab_5",
        section="Convolutional nets",
        course="three and five convolutions, 51 plain and with 25 residual blocks: the figures are in the table",
        measured=labs_by_command.summary(kept["table"].rows),
        why=(
            "500 images of each class instead of 5,000 and five passes, to stay within minutes. The nets have 16 maps "
            "instead of 100, and AdamW with one cycle: so few steps at a constant rate of .1 teach neither of the deep "
            "ones (ten passes, two seeds: 31.9 and 17.8 % with shortcuts, 15.5 and 20.2 % without)"
        ),
        holds=labs_by_command.NOT not in str(kept["table"].rows),
        **kept,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
