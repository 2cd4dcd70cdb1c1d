"""How good is `limpide train` on CIFAR-10 after about a minute of fitting, and after two and a half?

    python -m benchmarks.small_color PHOTOS [--epochs 8 19] [--seeds 1]

PHOTOS has the folders train and test, with a folder for each class (the 60,000 images of CIFAR-10). Each training is
the command that a person types, in a fresh process: it chooses the network itself, learns from 80 % of the training
images, and looks at the 10,000 test images once. The seconds are those of this machine, with its load.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Trained:
    """One training. Shares from 0 to 1, seconds of the wall clock."""

    test: float
    validation_plain: float  # of the image alone
    validation_averaged: float  # with its mirror image
    fitting: float
    images_a_second: float  # in the steps alone
    whole: float
    load: float  # processes that wanted a core, the mean of the last minute at the end


def trained(photos: str, epochs: int, seed: int) -> Trained:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "limpide", "train", photos, "--json", "--new", "--runs", folder]
        command += ["--epochs", str(epochs), "--seed", str(seed)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        run = Path(result["run"])
        info = json.loads((run / "run.json").read_text())
        events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        images = sum(",train," in line for line in (run / "split.csv").read_text().splitlines())
    steps = sum(event["seconds"] for event in events if event["kind"] == "step")
    mirroring = info["final"]["mirroring"] or {"plain": info["final"]["validation"], "averaged": float("nan")}
    return Trained(
        test=result["accuracy"],
        validation_plain=mirroring["plain"],
        validation_averaged=mirroring["averaged"],
        fitting=info["fit_seconds"],
        images_a_second=images * info["epochs"] / steps,
        whole=time.monotonic() - began,
        load=os.getloadavg()[0],
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos")
    parser.add_argument("--epochs", type=int, nargs="+", default=[8, 19])
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    for epochs in arguments.epochs:
        found = []
        for seed in range(arguments.seeds):
            one = trained(arguments.photos, epochs, seed)
            found.append(one.test)
            print(
                f"{epochs} epochs, seed {seed}: test {one.test:.4f} · validation {one.validation_averaged:.4f}, "
                f"without mirror images {one.validation_plain:.4f} · fitting {one.fitting:.1f} s, "
                f"{one.images_a_second:.0f} images/s · whole command {one.whole:.0f} s · load {one.load:.1f}",
                flush=True,
            )
        print(f"{epochs} epochs: mean test accuracy {np.mean(found):.4f}")


if __name__ == "__main__":
    main()
