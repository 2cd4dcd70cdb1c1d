"""Claim: batch and rate, batch norm and optimizer have the signs of labs 1 and 3 with public commands.

    python -m experiments.labs_1_and_3 FOLDER   (CIFAR-10 in train/ and test/; a quarter of an hour)

How it is measured: experiments/labs_by_command.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments import labs_by_command
from experiments.common import tell
from experiments.labs_by_command import CIFARNET, Comparison

COMPARISONS = (
    Comparison(
        "batch",
        "batch=64,1,1024",
        {"model": CIFARNET["model"], "lr": "0.1", "epochs": "5"},
        ("64.34 %", "10.00 %", "34.45 %"),
        (-1, -1),
    ),
    Comparison("rate", "lr=0.1,0.001,10", CIFARNET | {"epochs": "5"}, ("64.34 %", "26.09 %", "10.00 %"), (-1, -1)),
    Comparison(
        "batch norm",
        "normalization=auto,batch",
        CIFARNET | {"lr": "0.5", "batch": "1024"},
        ("stalls", "learns"),
        (1,),
        1000,
    ),
    Comparison("optimizer", "optimizer=sgd,nesterov", CIFARNET | {"lr": "0.01", "epochs": "5"}, ("", ""), (None,)),
    Comparison(
        "rate of Adam",
        "lr=0.001,0.01",
        CIFARNET | {"optimizer": "adam", "epochs": "5"},
        ("the better one", "the worse one"),
        (-1,),
    ),
    Comparison(
        "challenge",
        "augment=none,light",
        {"model": "cnn", "epochs": "4", "optimizer": "adamw", "schedule": "one-cycle", "label-smoothing": "0.1"},
        ("more than 65 %", "more than 65 %"),
        (None,),
        5000,
    ),
)


def main(folder: str) -> None:
    place = Path(folder).resolve()
    said = labs_by_command.measure_all(COMPARISONS, place)
    kept = labs_by_command.evidence(said, place)
    best = max(number["value"] for number in said[COMPARISONS[-1]]["finding"]["numbers"])
    tell(
        "labs_1_and_3",
        section="Convolutional nets",
        course="the figures of the labs are in the table; with one's own choices, more than 65 % without editing code",
        measured=labs_by_command.summary(kept["table"].rows) + f"; the challenge: {100 * best:.1f} %",
        why=(
            "500 images of each class (1,000 for batch norm) and at most ten passes instead of 5,000 images, to stay "
            "within minutes; all images and four passes for the challenge. A rate of 10, a batch of one and a rate of "
            ".5 may end in a loss that is no number, and limpide says so: such a network names no image, where the "
            "labs count the 10 % of the class that it happens to answer"
        ),
        holds=labs_by_command.NOT not in str(kept["table"].rows) and best > 0.65,
        **kept,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
