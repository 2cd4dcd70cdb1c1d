"""The lines that somebody may have drawn when an image of a digit was made: found in its pixels, to be drawn again on
the pad.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

BIG = 64  # pixels of the side in which lines are looked for
# Where ink is: above a level, after sharpening by what the surroundings hold. A blurred image needs one or another.
READINGS = ((0.5, 2.0, 0.3), (0.5, 5.0, 0.35), (0.5, 1.0, 0.4), (0.5, 3.0, 0.5), (0.5, 8.0, 0.3))

Lines = list[list[list[float]]]


def strokes(image: np.ndarray) -> Lines:
    """Lines [[x, y] …] in parts of the side of a uint8 (side, side) image, light on dark; of several readings the one
    that gives it back best.
    """
    grey = np.asarray(Image.fromarray(image).resize((BIG, BIG), Image.Resampling.BICUBIC)) / 255
    found = [_lines(grey + sharp * (grey - _mean(grey, share)) > level) for level, sharp, share in READINGS]
    return min(found, key=lambda lines: _distance(lines, image))


def _mean(grey: np.ndarray, share: float) -> np.ndarray:
    k = int(BIG * share) | 1
    sums = np.pad(np.pad(grey, k // 2, mode="edge").cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return (sums[k:, k:] - sums[:-k, k:] - sums[k:, :-k] + sums[:-k, :-k]) / k**2


def thinned(ink: np.ndarray) -> np.ndarray:
    """Zhang and Suen 1984: the border is peeled off until lines of one pixel remain."""
    ink = np.pad(ink, 1)
    while True:
        before = ink.sum()
        for second in (False, True):
            around = [
                np.roll(ink, by, (0, 1))
                for by in ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
            ]
            north, east, south, west = around[::2]
            neighbours = np.sum(around, 0)
            turns = np.sum([~around[k] & around[(k + 1) % 8] for k in range(8)], 0)
            corner = (
                ~(north & east & west) & ~(north & south & west)
                if second
                else ~(north & east & south) & ~(east & south & west)
            )
            ink = ink & ~((neighbours >= 2) & (neighbours <= 6) & (turns == 1) & corner)
        if ink.sum() == before:
            return ink[1:-1, 1:-1]


def _lines(ink: np.ndarray) -> Lines:
    """From end to end or crossing, without the steps of the pixels."""
    points = set(map(tuple, np.argwhere(thinned(ink))))

    def near(at: tuple[int, int]) -> list[tuple[int, int]]:
        y, x = at
        straight = [p for p in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)) if p in points]
        across = [
            (y + a, x + b) for a in (1, -1) for b in (1, -1) if (y + a, x) not in points and (y, x + b) not in points
        ]
        return straight + [p for p in across if p in points]

    walked: set[frozenset[tuple[int, int]]] = set()
    found = []
    for start in [*sorted(p for p in points if len(near(p)) != 2), *sorted(points)]:
        for step in near(start):
            line, after = [start], [step]
            while after and frozenset((line[-1], after[0])) not in walked:
                at = after[0]
                walked.add(frozenset((line[-1], at)))
                line.append(at)
                after = [p for p in near(at) if frozenset((at, p)) not in walked] if len(near(at)) == 2 else []
            if len(line) > 1:
                found.append(_smooth(np.array(line, float)))
    return [[[float(x + 0.5) / BIG, float(y + 0.5) / BIG] for y, x in line] for line in found]


def _smooth(line: np.ndarray) -> np.ndarray:
    for _ in range(6):
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line


def _distance(lines: Lines, image: np.ndarray) -> float:
    """Mean square of what is missing when the lines are drawn as wide as its ink asks for."""
    if not lines:
        return np.inf
    fine, ends = 10 * len(image), [np.array(line) for line in lines]
    long = sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in ends)
    width = max(1.0, fine * float(image.mean()) / 255 / max(long, 0.05))
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    for line in ends:
        for x, y in line * fine:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 255)
    again = np.asarray(canvas).reshape(len(image), 10, len(image), 10).mean((1, 3))
    return float(((again - image.astype(float)) ** 2).mean())
