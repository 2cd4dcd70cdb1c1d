"""What the interval of a score keeps of its promise where folds judge few images (training/cross_fit.py).

    python -m benchmarks.folds --draws 400 --processes 2 --write

Features are made up: classes around centres of their own, as a frozen network gives them, images alone or in groups of
five that look alike. Of each draw the truth is known from 4,000 further images: how often the heads of the folds are
right, and the head that is shipped. Written to docs/explanation/folds.md.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from limpide.data.folds import NO_FOLD, assign_folds
from limpide.statistics.intervals import OF_FOLDS, interval_of_share
from limpide.statistics.paired import compare_paired
from limpide.training.cross_fit import CrossFit, Features, cross_fit
from limpide.training.linear_head import Head

WIDTH = 64  # of a feature vector
TRUTH = 4000  # images that the truth is known from
ALIKE = 0.6  # share of the noise that the images of a group have in common
TEST = 5  # a fifth of the images would be held out
EXPLAINED = f"""
Features are made up (benchmarks/folds.py), so that the truth is known. Each image is judged by a last layer that
learned from the other folds, choices included (training/cross_fit.py). These layers share most of what they learned
from, and err together: the variance of their score is taken to be {OF_FOLDS} times that of independent images, in
every interval and every comparison.

*Folds*: how often the 95 % interval holds how often the layers of the folds are right in truth. *Shipped*: the same
for the layer that is shipped, which learned from a quarter more images and is mostly a little better. *Too good*: how
often the whole interval lies above the truth of the shipped one (2.5 % are meant). *Luck*: where nothing can be
learned (distance 0), how often it is said to beat guessing (2.5 % are meant). *Accused*: how often one of two equal
networks is called better (5 % are meant). The last columns: half the width of the interval in points, and of that of a
fifth of the images, held out. Where *shipped* is low and *too good* is not high, the shipped layer is better than told.
"""
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "folds.md"


@dataclass(frozen=True)
class Cell:
    classes: int
    n: int
    size: int  # images in a group
    distance: float  # of the centres, in standard deviations of the noise in one direction; 0: nothing can be learned

    @property
    def name(self) -> str:
        together = "alone" if self.size == 1 else f"in groups of {self.size}"
        return f"{self.classes} classes, {self.n} images {together}, distance {self.distance}"


CELLS = [
    Cell(classes, n, size, distance)
    for classes, n, size, distance in itertools.product((2, 5), (20, 50, 100, 250), (1, 5), (0.0, 0.35, 0.8))
    if n // size >= 2 * classes
]


@dataclass(frozen=True)
class World:
    centers: np.ndarray  # (classes, WIDTH)
    cell: Cell

    def images(self, random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(features, labels, groups)"""
        labels, groups = np.sort(np.arange(n) % self.cell.classes), np.arange(n) // self.cell.size
        own, shared = random.normal(size=(n, WIDTH)), random.normal(size=(int(groups.max()) + 1, WIDTH))[groups]
        alike = ALIKE if self.cell.size > 1 else 0.0
        noise = (1 - alike) ** 0.5 * own + alike**0.5 * shared
        return (self.centers[labels] + noise).astype(np.float32), labels, groups


def value_of(steps: Generator[Any, None, CrossFit]) -> CrossFit:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def draw(cell: Cell, seed: int) -> tuple[float, ...]:
    """(the interval holds the truth of the folds' heads, of the shipped one; the interval lies above the latter;
    better than guessing is said; one of two equal networks is called better; width; that of a fifth held out)
    """
    random = np.random.default_rng([seed, cell.classes, cell.n, cell.size, int(100 * cell.distance)])
    world = World(random.normal(size=(cell.classes, WIDTH)) * cell.distance / 2**0.5, cell)
    x, labels, groups = world.images(random, cell.n)
    far, truth, _ = world.images(random, TRUTH)
    folds = assign_folds(random.integers(0, 2**60, cell.n).astype(np.uint64), labels, groups)
    judged = folds != NO_FOLD
    of = groups[judged] if cell.size > 1 else None
    found = value_of(cross_fit([Features(x)], labels, folds, cell.classes))
    right = found.logits[judged].argmax(1) == labels[judged]
    interval = interval_of_share(right, of, variance=OF_FOLDS)

    def accuracy(head: Head) -> float:
        return float((head.logits(far).argmax(1) == truth).mean())

    heads = sum(float((folds[judged] == fold).mean()) * accuracy(head) for fold, head in found.heads.items())
    shipped = accuracy(found.head)
    other = value_of(cross_fit([Features(_seen_otherwise(x, random))], labels, folds, cell.classes))
    twin = value_of(cross_fit([Features(_seen_otherwise(x, random))], labels, folds, cell.classes))
    first, second = (one.logits[judged].argmax(1) == labels[judged] for one in (other, twin))
    paired = compare_paired(first, second, of, 0.02, OF_FOLDS)
    held = right[::TEST] if cell.size == 1 else right[groups[judged] % TEST == 0]
    held_of = None if of is None else of[of % TEST == 0]
    width = interval_of_share(held, held_of)
    return (
        interval.low <= heads <= interval.high,
        interval.low <= shipped <= interval.high,
        interval.low > shipped,
        interval.low > 1 / cell.classes and interval.above(1 / cell.classes),
        min(paired.better, paired.worse) <= 0.025,
        interval.high - interval.low,
        width.high - width.low,
    )


def _seen_otherwise(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """By another network, as good as the first: half of what it sees is noise of its own."""
    return (x + random.normal(size=x.shape)).astype(np.float32)


def cell_means(work: tuple[Cell, int]) -> tuple[Cell, np.ndarray]:
    cell, draws = work
    with threadpool_limits(1):
        return cell, np.mean([draw(cell, seed) for seed in range(draws)], 0)


def conclusion(found: list[tuple[Cell, np.ndarray]]) -> list[str]:
    """What a reader in a hurry should know, from the means alone."""
    means = np.array([one for _, one in found])
    narrower = 100 * (1 - np.exp(np.log(means[:, 5] / means[:, 6]).mean()))
    held, flattered = 100 * means[:, 0], 100 * means[:, 2]
    return [
        f"**In short.** The interval holds the truth of what was judged in {held.mean():.1f} % of all draws (95 are",
        f"meant), at worst in {held.min():.1f} % ({found[int(held.argmin())][0].name}). It flatters the shipped model,",
        f"that is, lies wholly above the truth, in {flattered.mean():.1f} % (2.5 are meant), at worst in",
        f"{flattered.max():.1f} % ({found[int(flattered.argmax())][0].name}).",
        f"It is {narrower:.0f} % narrower than the interval of a fifth of the images, held out.",
    ]


def page(found: list[tuple[Cell, np.ndarray]], draws: int, minutes: float) -> str:
    lines = [
        "# What the interval promises where folds judge few images",
        "",
        *conclusion(found),
        "",
        f"Written by `python -m benchmarks.folds --draws {draws} --write` in {minutes:.0f} minutes. With so many draws",
        f"a share near 95 % is known to ±{200 * (0.95 * 0.05 / draws) ** 0.5:.0f} points.",
        *EXPLAINED.strip().splitlines(),
        "",
        "| | folds | shipped | too good | luck | accused | ± points | ± points, a fifth held out |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cell, (folds, shipped, above, said, accused, width, held) in found:
        luck = f"{100 * said:.1f}%" if not cell.distance else ""
        lines.append(
            f"| {cell.name} | {100 * folds:.1f}% | {100 * shipped:.1f}% | {100 * above:.1f}% | {luck} | "
            f"{100 * accused:.1f}% | {50 * width:.1f} | {50 * held:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    began, found = time.monotonic(), []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for cell, means in pool.map(cell_means, [(cell, chosen.draws) for cell in CELLS]):
            print(cell.name, np.round(means, 3).tolist(), flush=True)
            found.append((cell, means))
    text = page(found, chosen.draws, (time.monotonic() - began) / 60)
    if chosen.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
