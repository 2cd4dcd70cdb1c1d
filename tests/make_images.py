"""Small folders of coloured shapes on noise, the same for the same seed: data for tests that train.

python -m tests.make_images FOLDER     # has a look
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("disc", "square", "bars")


def shape(kind: str, size: tuple[int, int], random: np.random.Generator, *, noise: int = 60) -> Image.Image:
    """One RGB image (width, height): a shape of random place, size and colour over uniform noise."""
    width, height = size
    ground = random.integers(0, noise + 1, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    side = min(size)
    r = max(2, int(side * random.uniform(0.22, 0.4)))
    x, y = (int(random.integers(r, max(r + 1, extent - r))) for extent in size)
    colour = tuple(int(v) for v in random.integers(120, 256, 3))
    if kind == "disc":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    elif kind == "square":
        draw.rectangle((x - r, y - r, x + r, y + r), fill=colour)
    else:
        for k in range(-r, r + 1, max(3, r // 2)):
            draw.line((x + k, y - r, x + k, y + r), fill=colour, width=max(1, r // 5))
    return image


def photo_folder(
    root: Path,
    *,
    per_class: int = 24,
    size: tuple[int, int] = (24, 24),
    classes: Sequence[str] = SHAPES,
    seed: int = 0,
    suffix: str = "png",
    noise: int = 60,
) -> Path:
    """Writes `root/class/0000.png` … and returns `root`. A class is drawn as the shape of its place in `classes`."""
    random = np.random.default_rng(seed)
    for k, name in enumerate(classes):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(per_class):
            shape(SHAPES[k % len(SHAPES)], size, random, noise=noise).save(folder / f"{i:04d}.{suffix}")
    return root


def photo(file: Path, *, kind: str = "disc", size: tuple[int, int] = (64, 48), seed: int = 0) -> Path:
    shape(kind, size, np.random.default_rng(seed)).save(file)
    return file


if __name__ == "__main__":
    print(photo_folder(Path(sys.argv[1])))
