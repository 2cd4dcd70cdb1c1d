"""What the experiments labs_1_and_3, lab_4 and lab_5 share: comparisons of the labs by public commands.

Every number is of `limpide ablate`, printed as it is run, with the networks of experiments/lab_networks.py, plain
descent at a constant rate, no augmentation, the weights of the last epoch, three seeds. Of CIFAR-10 a fixed share: 500
or more training and 200 test images of each class, in a table; a tenth of the training images validates. The intervals
are of the ablation: over seeds and images, on the same images. A command that was stopped goes on, and one that is done
answers at once.
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
from experiments.common import ROOT, mean
from limpide.core.finding import Number, Table
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


def measure_all(comparisons: Sequence[Comparison], place: Path) -> dict[Comparison, dict[str, Any]]:
    """Comparison → what its ablation prints. place: CIFAR-10 in train/ and test/."""
    return {one: measure(one, place) for one in comparisons}


def summary(rows: Sequence[Sequence[Any]]) -> str:
    """How many signs are those of the course, and which are not."""
    claimed = [row for row in rows if row[-1] and "nothing" not in row[-1]]
    wrong = [f"{row[0]} ({row[1]})" for row in claimed if NOT in row[-1]]
    says = f"{len(claimed) - len(wrong)} of {len(claimed)} signs over {SEEDS} seeds are those of the course"
    return says + (f"; not: {', '.join(wrong)}" if wrong else "")


def evidence(said: dict[Comparison, dict[str, Any]], place: Path) -> dict[str, Any]:
    """What `tell` keeps of the ablations, by its names."""
    findings = {one: answer["finding"] for one, answer in said.items()}
    return {
        "numbers": [Number(**number) for finding in findings.values() for number in finding["numbers"]],
        "table": Table(COLUMNS, [row for one, finding in findings.items() for row in rows_of(one, finding)]),
        "seconds": sum(SEEDS * row[-1] for finding in findings.values() for row in finding["table"]["rows"]),
        "data": {
            one.name: finding["data"]
            | {"command": " ".join(["limpide", *command(one, place)]).replace(str(place), "FOLDER")}
            for one, finding in findings.items()
        },
    }
