"""How fast is `Features.transform` beside the pass that a training makes over the same network?

    python -m benchmarks.features [--rounds 5] [--images 256]

Frozen EfficientNet-Lite0 at 224 pixels, in one process, in turn: training's pass over squares that are decoded
(`frozen_features`), `transform` of the same squares as an array, and `transform` of them as PNG files, which have to be
decoded first. Images a second and ratios of the medians; last, the largest difference between the numbers of the first
two.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 224  # pixels


def main() -> None:
    from limpide.system import machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=256)
    asked = parser.parse_args()
    machine.keep_memory()
    squares = make_squares(asked.images)
    found: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        times = time_in_turn(ways_to_features(squares, Path(folder), found), asked.rounds)
    base = float(np.median(times["training's pass"]))
    for name, seconds in times.items():
        each = sorted(len(squares) / s for s in seconds)
        print(
            f"{name:18} {np.median(each):6.0f} images/s ({each[0]:.0f} to {each[-1]:.0f})  ratio "
            f"{base / float(np.median(seconds)):.2f}"
        )
    print(
        f"largest difference {np.abs(found['training'] - found['arrays']).max():.1e}; from files "
        f"{np.abs(found['training'] - found['files']).max():.1e}"
    )


def make_squares(n: int) -> np.ndarray:
    """uint8 (n, SIZE, SIZE, 3)"""
    small = np.random.default_rng(0).integers(0, 256, (n, 14, 14, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for one in small])


def ways_to_features(squares: np.ndarray, folder: Path, found: dict[str, np.ndarray]) -> dict[str, Callable[[], None]]:
    """What is timed, by its name; each puts the features into `found`. The squares are written into `folder`."""
    import torch

    from limpide import Features
    from limpide.data.read_images import Pixels
    from limpide.training.build import published_network
    from limpide.training.linear_head import frozen_features, load_features

    model, preprocessing = published_network("efficientnet_lite0")
    pixels, rows = Pixels(preprocessing, np.arange(len(squares)), squares), np.arange(len(squares))
    files = [folder / f"{k:04d}.png" for k in range(len(squares))]
    for file, square in zip(files, squares, strict=True):
        Image.fromarray(square).save(file, compress_level=1)

    def training() -> None:
        with tempfile.TemporaryDirectory() as cache:
            for _ in frozen_features(model, pixels, rows, Path(cache), torch.device("cpu")):
                pass
            found["training"] = load_features(pixels, rows, Path(cache))

    return {
        "training's pass": training,
        "transform, array": lambda: found.update(arrays=Features().transform(squares)),
        "transform, files": lambda: found.update(files=Features().transform(files)),
    }


def time_in_turn(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round; one before them warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for k in range(rounds + 1):
        for name, work in ways.items():
            began = time.perf_counter()
            work()
            if k:
                times[name].append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
