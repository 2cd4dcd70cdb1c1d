"""How the images that a run learned from are drawn, so that a drawing on the page (browser/static/drawing_pad.js) can
be made like them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.run import Run
from limpide.inspector.answer import Answer
from limpide.inspector.question import Question
from limpide.inspector.session import Session

MAX_GROUND = 0.1  # of the range of grey levels: how far the border may stray from its middle and still be plain
MAX_STROKE = 0.4  # of the side: a thicker shape is not a line
MIN_IMAGES = 4  # images that must be drawn in this way
FINE = 224  # pixels of the side at which lines are measured: in the 8 pixels of a small image they touch each other

# How images that are known by name were made; lengths as fractions of the side, `grid` in pixels, each the mean of its
# part of a finer picture.
MADE: dict[str, dict[str, Any]] = {
    # LeCun, Bottou, Bengio, Haffner 1998, III.A: fitted into 20×20 with its proportions kept, its centre of mass put
    # into the middle of 28×28.
    "mnist": {"width": 20 / 28, "height": 20 / 28, "centre": "mass", "stroke": 2.5 / 28, "grid": 28},
    # Kaynak 1995, after NIST's form-based recognition system (Garris et al. 1994): bitmaps of 32×32, as high as that
    # and at most 24 wide, made thicker or thinner until about 0.3 of it is ink; counted in blocks of 4×4.
    "digits": {"width": 24 / 32, "height": 1.0, "squeezed": True, "centre": "box", "ink": 0.3, "grid": 8, "levels": 16},
}


def ink(session: Session, path: str, snapshot: str) -> Answer:
    """{drawn: false} where the watched images are not lines on a plain ground. Otherwise, as medians over them, in
    fractions of the side:

    light: whether the lines are lighter than the ground · stroke: their width · width, height: of the box that the
    longer side of a drawing fills · centre: "mass" or "box", whichever is nearer to the middle of the square · level,
    ground: grey levels of line and ground, 0 … 255. For images that are known by name, how they were made: {made: their
    name} and the values of MADE.
    """
    if (name := Run(Path(path)).info().location) in MADE:
        return {"drawn": True, "made": name, "light": True, "level": 255.0, "ground": 0.0, **MADE[name]}, b""
    squares = session.probes(path).squares
    strokes = [one for one in map(measure_stroke, squares) if one]
    if len(strokes) < max(MIN_IMAGES, len(squares) // 2):
        return {"drawn": False}, b""
    middle = {
        name: float(np.median([one[name] for one in strokes]))
        for name in ("stroke", "extent", "mass", "box", "level", "ground", "light")
    }
    centre = "mass" if middle.pop("mass") <= middle.pop("box") else "box"
    side = middle.pop("extent")
    return {
        "drawn": True,
        "images": len(strokes),
        "centre": centre,
        **middle,
        "width": side,
        "height": side,
        "light": middle["light"] > 0.5,
    }, b""


def measure_stroke(square: np.ndarray) -> dict[str, float] | None:
    """square: uint8 (side, side, channels). None where it is not a line on a plain ground.

    A line of length l and width w covers A = l w and has the outline P = 2 (l + w), which is the sum of the lengths of
    all gradients (the total variation): so w is the smaller root of w² − P w / 2 + A.
    """
    grey = square.mean(-1)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    level = max((float(grey.min()), float(grey.max())), key=lambda v: abs(v - ground))
    if abs(level - ground) < 64 or float(np.median(np.abs(border - ground))) > MAX_GROUND * 255:
        return None
    line = np.clip((grey - ground) / (level - ground), 0, 1)
    line[line < 0.1] = 0  # compression noise on the ground
    side = len(line)
    rows, columns = (np.flatnonzero((line > 0.5).any(axis)) for axis in (1, 0))
    fine = _enlarged(line)
    outline, area = float(np.hypot(*np.gradient(np.pad(fine, 2))).sum()), float(fine.sum())
    stroke = (outline / 2 - max(0.0, outline**2 / 4 - 4 * area) ** 0.5) / 2 / len(fine)
    if stroke > MAX_STROKE:
        return None
    area = float(line.sum())
    y, x = np.mgrid[:side, :side] + 0.5
    mass = np.hypot((line * y).sum() / area - side / 2, (line * x).sum() / area - side / 2) / side
    box = np.hypot((rows[0] + rows[-1] + 1) / 2 - side / 2, (columns[0] + columns[-1] + 1) / 2 - side / 2) / side
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    return {
        "stroke": stroke,
        "extent": extent / side,
        "mass": float(mass),
        "box": float(box),
        "level": level,
        "ground": ground,
        "light": float(level > ground),
    }


def _enlarged(line: np.ndarray) -> np.ndarray:
    times = -(-FINE // len(line))
    picture = Image.fromarray(line.astype(np.float32)).resize((times * len(line),) * 2, Image.Resampling.BICUBIC)
    return np.asarray(picture).clip(0, 1)


QUESTIONS = {"ink": Question(ink)}
