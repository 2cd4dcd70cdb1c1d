"""Claim: the table of the labs (batch, rate, weight decay, batch norm, depth, dropout) has the right signs with public
commands.

    python -m experiments.labs_by_command FOLDER [NAME …]   (FOLDER: CIFAR-10 in train/ and test/; about an hour)

Every number is of `limpide ablate`, printed as it is run, with the networks of experiments/lab_networks.py, plain
descent at a constant rate, no augmentation, the weights of the last epoch, three seeds. Of CIFAR-10 a fixed share: 500
or 1,000 training and 200 test images of each class, in a table; a tenth of the training images validates. The intervals
are of the ablation: over seeds and images, on the same images. A command that was stopped goes on, and one that is done
answers at once. NAME measures only those comparisons, and stores nothing.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments import lab_networks
from experiments.common import ROOT, tell
from limpide.core.finding import Number, Table
from limpide.system.files import cache_folder

SEEDS, TEST = 3, 200
PLACE = cache_folder() / "experiments" / "labs"
NETWORKS = lab_networks.__name__
LAB = {"optimizer": "sgd", "schedule": "constant", "augment": "none", "label-smoothing": "0", "keep": "last"}
CIFARNET = {"model": f"{NETWORKS}:cifarnet", "batch": "64", "epochs": "10"}


@dataclass(frozen=True)
class Comparison:
    """One ablation. options: besides LAB · course: what it says of each choice · signs: of each later choice against
    the first, as the course has them; 0 where it claims no difference · images: of each class for training; 0: MNIST.
    """

    name: str
    varied: str
    options: dict[str, str]
    course: tuple[str, ...]
    signs: tuple[int, ...]
    images: int = 500


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
    Comparison(
        "depth",
        "model=" + ",".join(f"{NETWORKS}:narrow_{name}" for name in ("three", "five", "fifty_one", "residual")),
        {"lr": "0.1", "batch": "64", "epochs": "10"},
        ("73.20 %", "77.83 %", "26–33 %", "76.5–77.7 %"),
        (1, -1, 1),
    ),
    Comparison("optimizer", "optimizer=sgd,nesterov", CIFARNET | {"lr": "0.01"}, ("", ""), (1,)),
    Comparison(
        "rate of Adam", "lr=0.001,0.01", CIFARNET | {"optimizer": "adam"}, ("the better one", "the worse one"), (-1,)
    ),
    Comparison(
        "weight decay",
        "weight_decay=0,0.001",
        CIFARNET | {"lr": "0.1", "epochs": "40"},
        ("66.74 %", "68.88 %"),
        (1,),
    ),
    Comparison(
        "dropout",
        "dropout=0,0.3",
        {"model": f"{NETWORKS}:mlp_100", "lr": "0.1", "batch": "64", "epochs": "20"},
        ("97.67 %", "97.62 %"),
        (0,),
        0,
    ),
    Comparison(
        "schedule", "schedule=constant/exponential:0.8/multistep:5,8", CIFARNET | {"lr": "0.1"}, ("", "", ""), (0, 0)
    ),
)
COLUMNS = [
    ("comparison", "text"),
    ("choice", "text"),
    ("course", "text"),
    ("here", "percent"),
    ("difference", "gap"),
    ("from", "gap"),
    ("to", "gap"),
    ("sign", "text"),
]


def share_of(folder: Path, images: int) -> Path:
    """The table of so many training and TEST test images of each class, always the same ones."""
    table = PLACE / f"cifar10-{images}.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    with open(table, "w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "label", "split"))
        for part, n in (("train", images), ("test", TEST)):
            random = np.random.default_rng(0)
            for of_class in sorted(path for path in (folder / part).iterdir() if path.is_dir()):
                files = sorted(of_class.iterdir())
                some = sorted(random.permutation(len(files))[:n])
                rows.writerows((files[k].relative_to(folder), of_class.name, part) for k in some)
    return table


def command(comparison: Comparison, folder: Path) -> list[str]:
    """The words after `limpide`."""
    varied, options = comparison.varied.split("=")[0].replace("_", "-"), LAB | comparison.options
    words = ["ablate", "mnist", comparison.varied]
    if comparison.images:
        words[1] = str(share_of(folder, comparison.images))
        options |= {"images": str(folder), "split-column": "split", "image-size": "32", "calibration": "0"}
    for name, value in options.items():
        words += [f"--{name}", value] if name != varied else []
    return [*words, "--repeats", str(SEEDS), "--runs", str(PLACE / "runs")]


def measure(comparison: Comparison, folder: Path) -> dict[str, Any]:
    """The finding of one ablation, as `--json` prints it."""
    words = command(comparison, folder)
    print("limpide", shlex.join(words), file=sys.stderr, flush=True)
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "limpide", *words, "--json"], env=here, stdout=subprocess.PIPE, check=True, text=True
    )
    finding: dict[str, Any] = json.loads(done.stdout)["finding"]
    print(comparison.name, json.dumps(finding["data"]), flush=True)
    return finding


def sign_of(difference: Sequence[float]) -> int:
    """Of (value, low, high): 0 where its interval holds 0."""
    return 0 if difference[1] <= 0 <= difference[2] else int(np.sign(difference[0]))


def rows_of(comparison: Comparison, finding: dict[str, Any]) -> list[list[Any]]:
    """Of the table: one for each choice."""
    rows = []
    for k, number in enumerate(finding["numbers"]):
        choice, difference = number["name"].replace(f"{NETWORKS}:", ""), finding["data"]["differences"][k]
        verdict = ""
        if difference:
            meant, found = comparison.signs[k - 1], sign_of(difference)
            verdict = f"{'−0+'[found + 1]}, course {'−0+'[meant + 1]}" + (
                ": **not as the course**" if found != meant else ""
            )
        rows.append(
            [comparison.name, choice, comparison.course[k], number["value"], *(difference or [None] * 3), verdict]
        )
    return rows


def main(folder: str, *names: str) -> None:
    found = {one: measure(one, Path(folder).resolve()) for one in COMPARISONS if not names or one.name in names}
    if names:
        return
    rows = [row for one, finding in found.items() for row in rows_of(one, finding)]
    wrong = [f"{row[0]} ({row[1]})" for row in rows if "not as" in row[-1]]
    compared = sum(bool(row[-1]) for row in rows)
    seconds = sum(SEEDS * row[-1] for finding in found.values() for row in finding["table"]["rows"])
    tell(
        "labs_by_command",
        section="Convolutional nets",
        course="the table of the labs: batch, rate, depth, decay, batch norm, dropout; its figures are below",
        measured=(
            f"{compared - len(wrong)} of {compared} signs are those of the course over {SEEDS} seeds"
            + (f"; not: {', '.join(wrong)}" if wrong else "")
        ),
        why=WHY,
        holds=not wrong,
        numbers=[Number(**number) for finding in found.values() for number in finding["numbers"]],
        table=Table(COLUMNS, rows),
        seconds=seconds,
        data={
            one.name: {**finding["data"], "command": shlex.join(command(one, Path("FOLDER")))}
            for one, finding in found.items()
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
