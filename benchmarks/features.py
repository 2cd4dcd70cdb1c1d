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
    import torch

    from limpide import Features
    from limpide.data.read_images import Pixels
    from limpide.system import machine
    from limpide.training.build import published_network
    from limpide.training.linear_head import frozen_features, load_features

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=256)
    asked = parser.parse_args()
    machine.keep_memory()
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (asked.images, 14, 14, 3), dtype=np.uint8)
    squares = np.stack(
        [np.asarray(Image.fromarray(one).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for one in small]
    )
    model, preprocessing = published_network("efficientnet_lite0")
    pixels, rows = Pixels(preprocessing, np.arange(len(squares)), squares), np.arange(len(squares))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{k:04d}.png" for k in range(len(squares))]
        for file, square in zip(files, squares, strict=True):
            Image.fromarray(square).save(file, compress_level=1)
        found: dict[str, np.ndarray] = {}

        def training() -> None:
            with tempfile.TemporaryDirectory() as cache:
                for _ in frozen_features(model, pixels, rows, Path(cache), torch.device("cpu")):
                    pass
                found["training"] = load_features(pixels, rows, Path(cache))

        def arrays() -> None:
            found["arrays"] = Features().transform(squares)

        ways: dict[str, Callable[[], None]] = {
            "training's pass": training,
            "transform, array": arrays,
            "transform, files": lambda: found.update(files=Features().transform(files)),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for k in range(asked.rounds + 1):
            for name, work in ways.items():
                began = time.perf_counter()
                work()
                if k:  # the first round warms up
                    times[name].append(time.perf_counter() - began)
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


if __name__ == "__main__":
    main()
