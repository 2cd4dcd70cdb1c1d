"""The finished run that studio, pages and inspector are tested on: trained once, copied by each module that
wants it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from limpide import ImageClassifier


def train_toy(folder: Path) -> None:
    """Forty squares and discs of one colour, in two classes, one of which has a hostile name."""
    dice = np.random.default_rng(0)
    for label in ("<img src=x onerror=alert(1)>", "disc"):
        place = folder / "photos" / label
        place.mkdir(parents=True)
        for k in range(40):
            pixels = dice.integers(0, 60, (32, 32, 3)).astype(np.uint8)
            rows, columns = np.mgrid[:32, :32]
            down, across, size = (*dice.integers(11, 21, 2), dice.integers(5, 9))
            inside = (
                (rows - down) ** 2 + (columns - across) ** 2 < size**2
                if label == "disc"
                else (abs(rows - down) < size) & (abs(columns - across) < size)
            )
            pixels[inside] = dice.integers(150, 255, 3)
            Image.fromarray(pixels).save(place / f"{k}.png")
    ImageClassifier(model="cnn", epochs=3, image_size=32, runs=str(folder / "runs"), quiet=True).fit(
        str(folder / "photos")
    )


def copy_toy(toy: Path, folder: Path) -> Path:
    """Images and run at another place, as if they had been made there; returns the folder of runs."""
    shutil.copytree(toy, folder, dirs_exist_ok=True)
    for file in (folder / "runs").rglob("*"):
        if file.suffix in (".json", ".jsonl", ".html", ".csv"):
            file.write_bytes(file.read_bytes().replace(str(toy).encode(), str(folder).encode()))
    return folder / "runs"
