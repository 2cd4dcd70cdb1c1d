"""How the images that a run learned from are drawn: so that a drawing on the page can be made like them."""

from __future__ import annotations

import numpy as np

from limpide.studio.looking.looker import Answer, Looker

MOST_GROUND = 0.1  # of the range of grey levels: how far the border may stray from its middle and still be plain
MOST_STROKE = 0.4  # of the side: what is thicker is no line
FEWEST = 4  # images that must be drawn so


def ink(looker: Looker, path: str, snapshot: str) -> Answer:
    """{drawn: false} where the watched images are no lines on a plain ground. Else, as medians over them, in parts of the side:

    light: whether the lines are lighter than the ground · stroke: their width · extent: the longer side of the box around them ·
    centre: "mass" or "box", whichever lies nearer to the middle of the square · level, ground: grey levels of line and ground, 0 … 255.
    """
    squares = looker.probes(path)["squares"]
    found = [one for one in map(_measured, squares) if one]
    if len(found) < max(FEWEST, len(squares) // 2):
        return {"drawn": False}, b""
    middle = {name: float(np.median([one[name] for one in found])) for name in ("stroke", "extent", "mass", "box", "level", "ground", "light")}
    centre = "mass" if middle.pop("mass") <= middle.pop("box") else "box"
    return {"drawn": True, "images": len(found), "centre": centre, **middle, "light": middle["light"] > 0.5}, b""


def _measured(square: np.ndarray) -> dict[str, float] | None:
    """square: uint8 (side, side, channels). None for what is no line on a plain ground.

    A line of length l and width w covers A = l w and has the outline P = 2 (l + w), which is the sum of the lengths of all slopes (the total
    variation): so w is the smaller root of w² − P w / 2 + A.
    """
    grey = square.mean(-1)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    level = max((float(grey.min()), float(grey.max())), key=lambda v: abs(v - ground))
    if abs(level - ground) < 64 or float(np.median(np.abs(border - ground))) > MOST_GROUND * 255:
        return None
    line = np.clip((grey - ground) / (level - ground), 0, 1)
    line[line < 0.1] = 0  # what a compressed file leaves on its ground
    side = len(line)
    rows, columns = (np.flatnonzero((line > 0.5).any(axis)) for axis in (1, 0))
    outline, area = float(np.hypot(*np.gradient(np.pad(line, 2))).sum()), float(line.sum())
    stroke = (outline / 2 - max(0.0, outline**2 / 4 - 4 * area) ** 0.5) / 2 / side
    if stroke > MOST_STROKE:
        return None
    y, x = np.mgrid[:side, :side] + 0.5
    mass = np.hypot((line * y).sum() / area - side / 2, (line * x).sum() / area - side / 2) / side
    box = np.hypot((rows[0] + rows[-1] + 1) / 2 - side / 2, (columns[0] + columns[-1] + 1) / 2 - side / 2) / side
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    return {"stroke": stroke, "extent": extent / side, "mass": float(mass), "box": float(box), "level": level, "ground": ground, "light": float(level > ground)}
