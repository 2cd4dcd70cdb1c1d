"""Is a small defect found in a large photograph? Generated plates of brushed metal, half of them with one scratch.

    python -m benchmarks.plates [--each 40] [--test 100] [--size 1600 1200] [--views auto whole]

Plates of 1,600 × 1,200 pixels: brushed metal, lit from one side, with smudges and specks of dust in both classes; half
have a scratch of 40 × 3 pixels anywhere, at any angle. `limpide train --folds 5` learns from so many of each class, in
a fresh process, and its sealed file names new ones. Prints the share that is right by the folds and of the new ones,
how often the deciding window holds the scratch, and the seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

CONTRAST = 45.0  # grey levels of the scratch, lighter or darker
CLASSES = ("good", "scratched")
Place = tuple[float, float]


def plate(
    random: np.random.Generator,
    scratched: bool,
    size: tuple[int, int] = (1600, 1200),
    scratch: tuple[int, int] = (40, 3),
) -> tuple[Image.Image, Place | None]:
    """(RGB, middle of its scratch: x, y in pixels). size, scratch: (length, width), pixels."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    streaks = Image.fromarray(random.normal(0, 7, (height, width // 16)).astype(np.float32))
    grey = random.uniform(110, 150) + np.asarray(streaks.resize(size, Image.Resampling.BICUBIC))
    angle = random.uniform(0, 2 * np.pi)
    grey = grey + 35 * (np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5))
    for dent, smooth in _harmless_marks(random, width, height):
        grey = grey + (gaussian_filter(dent, 10) if smooth else dent)
    place = None
    if scratched:
        px, py, turn = random.uniform(60, width - 60), random.uniform(60, height - 60), random.uniform(0, np.pi)
        along = np.abs((x - px) * np.cos(turn) + (y - py) * np.sin(turn))
        across = np.abs((y - py) * np.cos(turn) - (x - px) * np.sin(turn))
        drawn = np.clip(scratch[0] / 2 + 0.5 - along, 0, 1) * np.clip(scratch[1] / 2 + 0.5 - across, 0, 1)
        grey = grey + drawn * CONTRAST * random.choice([-1, 1])
        place = px, py
    noise = random.normal(0, 4, (height, width, 1)) + random.normal(0, 2, (height, width, 3))
    rgb = grey[:, :, None] + random.uniform(-4, 4, 3) + noise
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8)), place


def _harmless_marks(random: np.random.Generator, width: int, height: int) -> Iterator[tuple[np.ndarray, bool]]:
    """Two layers of grey levels (height, width), and whether they are smooth: smudges, and specks of dust."""
    for low, high, radii, strength, smooth in ((3, 9, (15, 60), (5, 25), True), (4, 12, (2, 5), (20, 50), False)):
        layer = np.zeros((height, width), np.float32)
        for _ in range(random.integers(low, high)):
            px, py, radius = random.uniform(0, width), random.uniform(0, height), random.uniform(*radii)
            left, top = max(0, int(px - radius - 1)), max(0, int(py - radius - 1))
            part = layer[top : int(py + radius + 2), left : int(px + radius + 2)]
            rows, columns = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
            inside = np.clip(radius + 0.5 - np.hypot(columns - px, rows - py), 0, 1)
            part += inside * random.choice([-1, 1]) * random.uniform(*strength)
        yield layer, smooth


def write_plates(
    folder: Path, each: int, seed: int, size: tuple[int, int], scratch: tuple[int, int]
) -> dict[str, Place]:
    """`each` of both classes; returns where the scratches are, by the name of the file."""
    random, places = np.random.default_rng(seed), {}
    for k in range(each):
        for label, name in enumerate(CLASSES):
            image, place = plate(random, bool(label), size, scratch)
            (folder / name).mkdir(parents=True, exist_ok=True)
            image.save(folder / name / f"{k:03d}.png")
            if place is not None:
                places[f"{name}/{k:03d}.png"] = place
    return places


def measure(folder: Path, view: str, places: dict[str, Place]) -> str:
    """One training in a fresh process, and its file on the new plates."""
    command = [sys.executable, "-m", "limpide", "train", f"{folder}/train", "--runs", f"{folder}/{view}"]
    command += ["--folds", "5", "--view", view, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    result = json.loads(done.stdout)
    right, total, held = new_plates(Path(result["run"]), folder / "test", places)
    where = f", the deciding window holds the scratch in {held:.1%}" if held is not None else ""
    return (
        f"{view}: {result['accuracy']:.1%} in the folds, {right / total:.1%} of {total} new ones{where}; "
        f"whole command {result['seconds']:.0f} s"
    )


def new_plates(run: Path, folder: Path, places: dict[str, Place]) -> tuple[int, int, float | None]:
    """(right, all, share of the scratched ones whose deciding window holds the scratch; None without windows)"""
    from limpide.core.run import Run
    from limpide.deploy.predictor import Predictor
    from limpide.models.windows import deciding_window
    from limpide.training.batches import as_tensor
    from limpide.training.weights import trained_network

    predictor, right, held = Predictor(run / "model.onnx"), 0, []
    model, p = trained_network(Run(run))
    files = sorted(folder.rglob("*.png"))
    for file in files:
        with Image.open(file) as image:
            rgb = image.convert("RGB")
        name = file.relative_to(folder).as_posix()
        label = predictor.classes.index(file.parent.name)
        right += int(predictor.probabilities([rgb])[0].argmax() == label)
        window = deciding_window(model, as_tensor(p.pixels(rgb)[None], p), label) if name in places else None
        if window is not None:
            x, y = (place * p.size / side for place, side in zip(places[name], rgb.size, strict=True))
            held.append(window.left <= x <= window.right and window.top <= y <= window.bottom)
    return right, len(files), float(np.mean(held)) if held else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--test", type=int, default=100)
    parser.add_argument("--size", type=int, nargs=2, default=(1600, 1200))
    parser.add_argument("--scratch", type=int, nargs=2, default=(40, 3))
    parser.add_argument("--views", nargs="+", default=["auto", "whole"])
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    size, scratch = tuple(chosen.size), tuple(chosen.scratch)
    with tempfile.TemporaryDirectory() as name:
        write_plates(Path(name, "train"), chosen.each, chosen.seed, size, scratch)
        places = write_plates(Path(name, "test"), chosen.test, chosen.seed + 1, size, scratch)
        for view in chosen.views:
            print(measure(Path(name), view, places), flush=True)


if __name__ == "__main__":
    main()
