"""How good is a folder of photographs when whole people (or sites, or cameras) are held out? Mean over several splits.

    python -m benchmarks.groups PHOTOS GROUPS.csv [--splits 5]

PHOTOS holds one folder a class; GROUPS.csv has the columns file, label and one naming the group. A fifth of the groups
becomes the test folder, the rest the train folder; then `limpide train` runs on them with no option at all, in a fresh
process. Prints one line a split and the means.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def held_out(rows: list[dict[str, str]], column: str, seed: int) -> set[str]:
    groups = sorted({row[column] for row in rows})
    return set(np.random.default_rng(seed).permutation(groups)[: len(groups) // 5].tolist())


def build(photos: Path, rows: list[dict[str, str]], column: str, test: set[str], folder: Path) -> None:
    for row in rows:
        target = folder / ("test" if row[column] in test else "train") / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(photos / row["file"], target)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path)
    parser.add_argument("groups", type=Path)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("options", nargs="*", help="passed on to limpide train")
    arguments = parser.parse_args()
    with open(arguments.groups, newline="") as stream:
        rows = list(csv.DictReader(stream))
    column = next(name for name in rows[0] if name not in ("file", "label"))
    found = []
    for seed in range(arguments.splits):
        with tempfile.TemporaryDirectory(dir=arguments.photos.parent) as name:
            build(arguments.photos, rows, column, held_out(rows, column, seed), Path(name) / "data")
            began = time.monotonic()
            command = [sys.executable, "-m", "limpide", "train", f"{name}/data", "--runs", f"{name}/runs", "--json"]
            command += arguments.options
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            wall = time.monotonic() - began
            info = json.loads(Path(result["run"], "run.json").read_text())
            simpler = json.loads(Path(result["run"], "findings", "simpler.json").read_text())
            frozen = next(
                (row[1] for row in simpler["table"]["rows"] if "linear layer on a frozen" in str(row[0])),
                result["accuracy"],
            )
        row = (frozen, result["accuracy"], result["first_model_seconds"], result["model_seconds"], wall)
        found.append(row)
        print(
            f"split {seed}: first model {frozen:.3f} after {row[2]:.1f} s · final {row[1]:.3f} "
            f"({result['kind']}) after {row[3]:.1f} s"
            f" · whole command {wall:.1f} s · {result['n_test']} test images · steps {info['steps']}",
            flush=True,
        )
    mean = np.mean(found, axis=0)
    print(
        f"mean: first model {mean[0]:.3f} after {mean[2]:.1f} s · final {mean[1]:.3f} after {mean[3]:.1f} s · "
        f"whole command {mean[4]:.1f} s"
    )


if __name__ == "__main__":
    main()
