"""How good with ten images a class? Training and validation together; tested on all the others. Mean over several
draws.

    python -m benchmarks.few PHOTOS [--each 10] [--draws 5]

PHOTOS holds one folder a class. Each draw takes that many images of every class into a train folder and all others into
a test folder, and runs `limpide train` on it with no option, in a fresh process. Prints one line a draw and the means;
"after" counts from process start to the saved model.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def share_out(photos: Path, folder: Path, each: int, random: np.random.Generator) -> None:
    """Copies `each` images of each class into train/ and all others into test/."""
    for own in sorted(photos.iterdir()):
        files = sorted(own.iterdir())
        for k, i in enumerate(random.permutation(len(files))):
            target = folder / ("train" if k < each else "test") / own.name / files[i].name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(files[i], target)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("options", nargs="*", help="passed on to limpide train")
    arguments = parser.parse_args()
    found = []
    for seed in range(arguments.draws):
        random = np.random.default_rng(seed)
        with tempfile.TemporaryDirectory(dir=arguments.photos.parent) as name:
            share_out(arguments.photos, Path(name, "data"), arguments.each, random)
            command = [sys.executable, "-m", "limpide", "train", f"{name}/data", "--runs", f"{name}/runs", "--json"]
            command += arguments.options
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found.append((result["accuracy"], result["first_model_seconds"], result["model_seconds"], result["seconds"]))
        print(
            f"draw {seed}: {result['accuracy']:.1%} of {result['n_test']} ({result['kind']}), model after "
            f"{result['model_seconds']:.1f} s, whole {result['seconds']:.1f} s",
            flush=True,
        )
    mean = np.mean(found, 0)
    print(
        f"mean: {mean[0]:.1%}, first model after {mean[1]:.1f} s, final model after {mean[2]:.1f} s, whole "
        f"command {mean[3]:.1f} s"
    )


if __name__ == "__main__":
    main()
