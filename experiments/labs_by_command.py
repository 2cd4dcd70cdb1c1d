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
from experiments.common import ROOT, mean, tell
from limpide.core.finding import Number, Table
from limpide.core.run import Run
from limpide.system.files import cache_folder

SEEDS, TEST = 3, 200
PLACE = cache_folder() / "experiments" / "labs"
NETWORKS = lab_networks.__name__
LAB = {"optimizer": "sgd", "schedule": "constant", "augment": "none", "label-smoothing": "0", "keep": "last"}
CIFARNET = {"model": f"{NETWORKS}:cifarnet", "batch": "64", "epochs": "10"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One ablation. options: besides LAB · course: what it says of each choice · signs: of each later choice against
    the first, as the course has them: 0 where it sees no difference, None where it says nothing · images: of each class
    for training; 0: the digits of scikit-learn · pairs: two more choices to compare, and the sign.
    """

    name: str
    varied: str
    options: dict[str, str]
    course: tuple[str, ...]
    signs: tuple[int | None, ...]
    images: int = 500
    pairs: tuple[tuple[int, int, int], ...] = ()


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
        {"optimizer": "adamw", "schedule": "one-cycle", "lr": "0.005", "batch": "64", "epochs": "5"},
        ("73.20 %", "77.83 %", "26–33 %", "76.5–77.7 %"),
        (1, -1, 1),
        pairs=((2, 3, 1),),
    ),
    Comparison("optimizer", "optimizer=sgd,nesterov", CIFARNET | {"lr": "0.01", "epochs": "5"}, ("", ""), (1,)),
    Comparison(
        "rate of Adam",
        "lr=0.001,0.01",
        CIFARNET | {"optimizer": "adam", "epochs": "5"},
        ("the better one", "the worse one"),
        (-1,),
    ),
    Comparison(
        "weight decay",
        "weight_decay=0,0.01",
        CIFARNET | {"lr": "0.1", "epochs": "15"},
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
        "challenge",
        "augment=none,light",
        {"model": "cnn", "epochs": "4", "optimizer": "adamw", "schedule": "one-cycle", "label-smoothing": "0.1"},
        ("more than 65 %", "more than 65 %"),
        (None,),
        5000,
    ),
)
SIGNS, NOT = {-1: "−", 0: "0", 1: "+"}, "**not as the course**"
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
    words = ["ablate", "digits", comparison.varied]
    if comparison.images:
        words[1] = str(share_of(folder, comparison.images))
        options |= {"images": str(folder), "split-column": "split", "image-size": "32", "calibration": "0"}
    for name, value in options.items():
        words += [f"--{name}", value] if name != varied else []
    return [*words, "--repeats", str(SEEDS), "--runs", str(PLACE / "runs")]


def measure(comparison: Comparison, folder: Path) -> dict[str, Any]:
    """What one ablation prints with `--json`."""
    words = command(comparison, folder)
    print("limpide", shlex.join(words), file=sys.stderr, flush=True)
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "limpide", *words, "--json"], env=here, stdout=subprocess.PIPE, check=True, text=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    print(comparison.name, json.dumps(said["finding"]["data"]), flush=True)
    return said


def verdict_of(difference: Sequence[float], meant: int | None) -> str:
    """difference: (value, low, high); its sign is 0 where the interval holds 0."""
    found = 0 if difference[1] <= 0 <= difference[2] else int(np.sign(difference[0]))
    if meant is None:
        return f"{SIGNS[found]}; the course says nothing"
    return f"{SIGNS[found]}, as the course" if found == meant else f"{SIGNS[found]}, {NOT} ({SIGNS[meant]})"


def rows_of(comparison: Comparison, finding: dict[str, Any]) -> list[list[Any]]:
    """Of the table: one for each choice, and one for each more pair, whose interval is over the seeds alone."""
    names = [name.replace(f"{NETWORKS}:", "") for name in finding["data"]["names"]]
    rows: list[list[Any]] = []
    for k, (name, number) in enumerate(zip(names, finding["numbers"], strict=True)):
        gap = finding["data"]["differences"][k]
        verdict = verdict_of(gap, comparison.signs[k - 1]) if gap else ""
        rows.append([comparison.name, name, comparison.course[k], number["value"], *(gap or [None] * 3), verdict])
    for first, other, meant in comparison.pairs:
        gap = list(mean(list(np.subtract(*(finding["data"]["right"][k] for k in (other, first))))))
        rows.append([comparison.name, f"{names[other]} against {names[first]}", "", None, *gap, verdict_of(gap, meant)])
    return rows


def weights_in(runs: Path) -> dict[str, list[float]]:
    """Weight decay → (variance of the weights about 0, the largest of them), means over the seeds, after training."""
    found: dict[str, list[list[float]]] = {}
    for run in Run.all_in(runs):
        layers = [one for name, one in list(run.lines(run.stats_file))[-1]["parameters"].items() if "weight" in name]
        variance = sum(one["norm"] ** 2 for one in layers) / sum(sum(one["counts"]) for one in layers)
        most = max(max(-one["low"], one["high"]) for one in layers)
        found.setdefault(str(run.info().wanted["weight_decay"]), []).append([variance, most])
    return {decay: np.mean(values, axis=0).tolist() for decay, values in found.items()}


def main(folder: str, *names: str) -> None:
    place = Path(folder).resolve()
    said = {one: measure(one, place) for one in COMPARISONS if not names or one.name in names}
    if names:
        return
    found = {one: answer["finding"] for one, answer in said.items()}
    rows = [row for one, finding in found.items() for row in rows_of(one, finding)]
    wrong = [f"{row[0]} ({row[1]})" for row in rows if NOT in row[-1]]
    claimed = sum(bool(row[-1]) and "nothing" not in row[-1] for row in rows)
    weights = next(weights_in(Path(answer["runs"])) for one, answer in said.items() if one.name == "weight decay")
    without, decayed = weights["0.0"], weights["0.01"]
    tell(
        "labs_by_command",
        section="Convolutional nets",
        course=(
            "the figures of the labs are in the table; weight decay: variance of the weights .0056 to .0032, the "
            "largest 1.79 to 1.38"
        ),
        measured=(
            f"{claimed - len(wrong)} of {claimed} signs over {SEEDS} seeds are those of the course"
            + (f"; not: {', '.join(wrong)}" if wrong else "")
            + f". Weight decay: variance of the weights {without[0]:.2g} to {decayed[0]:.2g}, the largest "
            f"{without[1]:.2f} to {decayed[1]:.2f}"
        ),
        why=(
            "500 images of each class and fewer passes instead of 5,000 (1,000 for batch norm, all for the "
            "challenge), to stay within an hour. The nets of three to 51 convolutions have 16 maps instead of 100, and "
            "AdamW with one cycle: so few steps at a constant rate of .1 teach neither of the deep ones (ten passes, "
            "two seeds: 31.9 and 17.8 % with shortcuts, 15.5 and 20.2 % without). A rate of 10 and a batch of one end "
            "in a loss that is no number, and limpide says so: such a network names no image, where the labs count the "
            "10 % of the class that it happens to answer. Weight decay 0.01 in place of 0.001, as there are a tenth of "
            "the steps: rate, decay and steps multiplied are those of the lab. Dropout on the small digits of "
            "scikit-learn; on MNIST it is an experiment of its own"
        ),
        holds=not wrong,
        numbers=[Number(**number) for finding in found.values() for number in finding["numbers"]],
        table=Table(COLUMNS, rows),
        seconds=sum(SEEDS * row[-1] for finding in found.values() for row in finding["table"]["rows"]),
        data={
            one.name: finding["data"]
            | {"command": " ".join(["limpide", *command(one, place)]).replace(str(place), "FOLDER")}
            for one, finding in found.items()
        }
        | {"weights": weights},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
