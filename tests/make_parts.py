"""Photographs of drilled plates, good ones and such with a defect, the same for the same seed.

python -m tests.make_parts FOLDER     # has a look
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 160  # pixels
DEFECTS = ("scratch", "missing", "stain")


def plate(defect: str, random: np.random.Generator, *, holes: int = 4, side: int = SIDE) -> Image.Image:
    """A brushed plate, holes × holes drilled, a little shifted and turned, in changing light. defect: "": none."""
    grain = random.normal(0, 14, (2 * side, 2 * side))
    kernel = np.ones(15) / 15
    grain = np.apply_along_axis(np.convolve, 1, grain, kernel, "same")
    base = np.array([150, 152, 158]) + random.normal(0, 2, 3)
    image = Image.fromarray(np.clip(base + grain[..., None], 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    step, radius = 2 * side / (holes + 1), side / (2.6 * (holes + 1))
    places = [(step * (i + 1), step * (j + 1)) for i in range(holes) for j in range(holes)]
    missing = int(random.integers(len(places))) if defect == "missing" else -1
    for k, (x, y) in enumerate(places):
        if k != missing:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(38, 38, 42))
            draw.arc((x - radius, y - radius, x + radius, y + radius), 200, 320, fill=(215, 215, 220), width=4)
    if defect == "scratch":
        x, y, angle, length = *random.uniform(0.25, 0.75, 2) * 2 * side, random.uniform(0.5, 2.6), side * 0.45
        dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=(225, 226, 230), width=4)
    if defect == "stain":
        x, y = random.uniform(0.25, 0.75, 2) * 2 * side
        spot = Image.new("L", image.size)
        r = side * random.uniform(0.1, 0.16)
        ImageDraw.Draw(spot).ellipse((x - r, y - 0.7 * r, x + r, y + 0.7 * r), fill=150)
        image.paste((112, 92, 70), (0, 0), spot.filter(ImageFilter.GaussianBlur(r / 4)))
    image = image.rotate(random.uniform(-2, 2), Image.Resampling.BILINEAR, fillcolor=(120, 120, 124))
    shift = random.integers(-6, 7, 2)
    image = image.transform(image.size, Image.Transform.AFFINE, (1, 0, int(shift[0]), 0, 1, int(shift[1])))
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BOX), float)
    light = 1 + 0.12 * random.normal() + 0.08 * random.normal() * np.linspace(-1, 1, side)
    return Image.fromarray(
        np.clip(pixels * light[None, :, None] + random.normal(0, 2, pixels.shape), 0, 255).astype(np.uint8)
    )


def part_folder(root: Path, counts: dict[str, int], *, seed: int = 0, holes: int = 4, side: int = SIDE) -> Path:
    """Writes `root/class/000.png` …: counts of "good" and of DEFECTS."""
    random = np.random.default_rng(seed)
    for name, n in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for k in range(n):
            defect = "" if name not in DEFECTS else name
            plate(defect, random, holes=holes, side=side).save(root / name / f"{k:03d}.png")
    return root


if __name__ == "__main__":
    part_folder(Path(sys.argv[1]), {"good": 80, "scratch": 12, "missing": 12, "stain": 12})
