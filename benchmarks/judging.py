"""Do intervals and verdicts keep what they promise? Arrays in, verdicts out, no network: what is true is known, so it
can be counted.

    python -m benchmarks.judging [--draws 20000] [--verdicts 20000] [--processes 1] [--write]

Images alone, and in groups that are right or wrong together with a correlation from 0 to 1, drawn in two ways: `beta`,
each group has a difficulty of its own (beta-binomial), and `copy`, a group is right or wrong as a whole with the
probability of the correlation, else its images are independent. --write puts the tables into
docs/explanation/judging.md. Fixed
seeds; an hour of one core or more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limpide.audit.accuracy import WORTH, accuracy
from limpide.audit.classes import MANY, OFTEN, SURE, classes, confusions, mistakes
from limpide.audit.evidence import Evidence
from limpide.audit.groups import groups as groups_audit
from limpide.baselines.baseline import ComparedModel
from limpide.baselines.verdict import MARGIN, JudgedImages, LimitsMet, baselines_finding
from limpide.core.finding import Finding
from limpide.statistics.calibration_error import TAIL, noise_of_bins
from limpide.statistics.calibration_error import agreement_within_groups as alike_of
from limpide.statistics.intervals import CHANCE_LEVEL, exceeds, falls_behind, falls_short, number_groups, wilson_bounds
from limpide.statistics.metrics import bin_confidences
from limpide.statistics.paired import compare_paired
from limpide.text.messages import message

DRAWS = 20_000
PAGE = Path(__file__).with_name("judging_page.md")  # what --write fills in
NULL_DRAWS = 199  # of a perfect predictor, for each draw: another set each time, so that their own chance averages out
Cell = tuple[Callable[..., Any], *tuple[Any, ...]]  # what counts a cell, and of which

AT_ONCE = 8_000_000  # numbers held at once
SHARES = (0.5, 0.7, 0.9, 0.95, 0.98)
ALONE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
SIZES: dict[int, tuple[int | str, ...]] = {
    20: (2, 5, "one big"),
    80: (2, 5, 10, "uneven", "one big"),
    400: (2, 5, 20, "uneven", "one big"),
    2000: (5, 20, "uneven"),
}
DRAWN = (("beta", 0.0), ("beta", 0.1), ("beta", 0.3), ("beta", 0.6), ("beta", 1.0), ("copy", 0.3), ("copy", 0.6))


@dataclass(frozen=True)
class Covered:
    """One cell: how often the 95 % interval held the truth."""

    n: int
    size: int | str  # of the groups
    groups: int
    drawn: str
    alike: float
    share: float
    coverage: float
    # how often the test said that the truth is exceeded: so often is a model no better than a baseline called better
    above: float
    below: float  # and how often that it falls short
    width: float


@dataclass(frozen=True)
class Accused:
    """One cell: how often a verdict was given that is not true."""

    verdict: str
    about: str
    n: int
    rate: float
    allowed: float
    draws: int

    @property
    def too_often(self) -> bool:
        """By more than three standard errors."""
        return self.rate > self.allowed + 3 * (self.allowed * (1 - self.allowed) / self.draws) ** 0.5


def sizes_of(n: int, size: int | str) -> np.ndarray:
    """int (G,), the images of each group. "uneven": from 1 to some forty, a mean of 8 · "one big": a quarter of all,
    the others alone.
    """
    if isinstance(size, int):
        return np.full(n // size, size)
    if size == "one big":
        return np.array([n // 4, *[1] * (n - n // 4)])
    random, found = np.random.default_rng(5), list[int]()
    while sum(found) < n:
        found.append(int(min(random.geometric(1 / 8), n - sum(found))))
    return np.array(found)


def right_of(
    random: np.random.Generator, draws: int, sizes: np.ndarray, share: float, drawn: str, alike: float
) -> np.ndarray:
    """How many images of each group are right, (draws, G)."""
    shape = (draws, len(sizes))
    if alike == 0:
        return random.binomial(sizes, share, shape)
    if alike == 1:
        return np.where(random.random(shape) < share, sizes, 0)
    if drawn == "beta":
        a = (1 - alike) / alike
        return random.binomial(sizes, random.beta(share * a, (1 - share) * a, shape))
    whole = np.where(random.random(shape) < share, sizes, 0)
    return np.where(random.random(shape) < alike, whole, random.binomial(sizes, share, shape))


def chunks(draws: int, each: int) -> Iterator[int]:
    step = max(1, AT_ONCE // each)
    for start in range(0, draws, step):
        yield min(step, draws - start)


def covered(n: int, size: int | str, drawn: str, alike: float, share: float, draws: int) -> Covered:
    sizes, random, found = sizes_of(n, size), np.random.default_rng(0), []
    for part in chunks(draws, len(sizes)):
        score, low, high, effective = wilson_bounds(right_of(random, part, sizes, share, drawn, alike), sizes)
        held = (low <= share + 1e-12) & (high >= share - 1e-12)
        found.append(
            np.stack([held, exceeds(score, effective, share), falls_short(score, effective, share), high - low])
        )
    return Covered(
        n, size, len(sizes), drawn, alike, share, *(float(row.mean()) for row in np.concatenate(found, axis=1))
    )


def coverage(draws: int) -> Iterator[Cell]:
    for n in SIZES:
        yield from ((covered, n, 1, "alone", 0.0, share, draws) for share in ALONE)
        for size in SIZES[n]:
            yield from ((covered, n, size, drawn, alike, share, draws) for drawn, alike in DRAWN for share in SHARES)


def behind(n: int, classes: int, size: int, alike: float, share: float, draws: int) -> Accused:
    """All classes are equally good: how often is one of them said to fall behind?"""
    sizes, random, found = np.full(n // classes // size, size), np.random.default_rng(1), []
    for part in chunks(draws, 4 * classes * len(sizes)):
        right = [right_of(random, part, sizes, share, "beta", alike) for _ in range(classes)]
        falls = [falls_behind((one, sizes), _others(right, sizes, k), classes)[0] for k, one in enumerate(right)]
        found.append(np.logical_or.reduce(falls))
    about = f"{classes} classes, groups of {size}, correlation {alike:g}, {share:.0%} right"
    return Accused("classes fall behind", about, n, float(np.concatenate(found).mean()), 0.05, draws)


def _others(right: list[np.ndarray], sizes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    rest = right[:k] + right[k + 1 :]
    return np.concatenate(rest, axis=1), np.tile(sizes, len(rest))


def calibrated(n: int, classes: int, spread: float, size: int, alike: float, draws: int) -> Accused:
    """Each answer is right with just the probability that is stated: how often is the model accused?

    In groups one number decides for all images with the probability `alike`. Alone, a hundred truths are drawn for each
    set of stated probabilities, for which the errors by chance are the same.
    """
    random, groups, found = np.random.default_rng(2), np.arange(n) // size, []
    each = 100 if size == 1 else 1
    for draw in range(draws // each):
        stated = random.dirichlet([spread] * classes, n).max(1)
        _, place = bin_confidences(stated, stated > 0)
        shared = random.random((each, n // size + 1)) < alike
        common, own = random.random((each, n // size + 1)), random.random((each, n))
        right = np.where(shared[:, groups], common[:, groups], own) < stated
        together = alike_of(stated, right[0], *number_groups(groups, n)) if size > 1 else 0.0
        chance = np.abs(noise_of_bins(stated, place, groups, together, NULL_DRAWS, seed=draw)).sum(1)
        error = np.abs(np.stack([np.bincount(place, weights=one - stated, minlength=10) for one in right])).sum(1)
        found.append((1 + (chance[None] >= error[:, None] - 1e-9).sum(1)) / (1 + len(chance)) <= TAIL)
    about = f"{classes} classes, Dirichlet {spread:g}, groups of {size}, correlation {alike:g}"
    return Accused("calibration", about, n, float(np.concatenate(found).mean()), 0.05, draws // each * each)


def rivals(n: int, size: int, alike: float, share: float, draws: int) -> Accused:
    """Two models that are equally good, on the same images: how often is one of them called better?"""
    sizes, random, found = np.full(n // size, size), np.random.default_rng(3), 0
    groups = None if size == 1 else np.repeat(np.arange(n // size), size)
    order = np.arange(n) % size
    for _ in range(draws):
        first, second = (np.repeat(right, size) > order for right in right_of(random, 2, sizes, share, "beta", alike))
        result = compare_paired(first, second, groups, 0.02)
        found += min(result.better, result.worse) <= CHANCE_LEVEL
    about = f"groups of {size}, correlation {alike:g}, {share:.0%} right"
    return Accused("one of two is better", about, n, found / draws, 0.05, draws)


def alike_within(random: np.random.Generator, n: int, size: int, alike: float) -> np.ndarray:
    """Uniform numbers, (n,): with the probability `alike` one for a whole group."""
    own, common, shared = random.random(n), random.random(n // size + 1), random.random(n // size + 1) < alike
    group = np.arange(n) // size
    return np.where(shared[group], common[group], own)


def evidence_of(
    random: np.random.Generator, n: int, size: int, alike: float, many: int, right: float, sure: float = 0.0
) -> Evidence:
    """A model that is right with this probability in each of `many` classes, else says each other class as often;
    `sure` is the share of its answers that are confident, right or wrong. Images of a group are of one class.
    """
    truth, fate = (np.arange(n) // size) % many, alike_within(random, n, size, alike)
    other = np.minimum((fate - right) / (1 - right) * (many - 1), many - 1.5).astype(int) + 1
    said = np.where(fate < right, truth, (truth + other) % many)
    confident = alike_within(random, n, size, alike) < sure
    probabilities = np.full((n, many), 0.4 / (many - 1) / many)
    probabilities[np.arange(n), said] = np.where(confident, SURE + 0.01, 0.6)
    return Evidence(
        tuple(map(str, range(many))),
        ("",) * n,
        truth,
        probabilities,
        0,
        groups=None if size == 1 else np.arange(n) // size,
    )


def _accuracy(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return accuracy(evidence_of(random, n, size, alike, 2, 0.5 + WORTH / 2))


def _classes(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return classes(evidence_of(random, n, size, alike, 5, 0.5))


def _confusions(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return confusions(evidence_of(random, n, size, alike, 5, 1 - 4 * OFTEN))


def _mistakes(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return mistakes(evidence_of(random, n, size, alike, 5, 0.7, MANY))


def _groups(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return groups_audit(
        evidence_of(random, n, size, alike, 2, 0.8),
        (np.arange(n) // size // 2 % 4).astype(str).tolist(),
        message("folder"),
    )


def _equal(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return simpler_models(random, n, size, alike, 0.85)


def _behind(random: np.random.Generator, n: int, size: int, alike: float) -> Finding:
    return simpler_models(random, n, size, alike, 0.85 + MARGIN)


def simpler_models(random: np.random.Generator, n: int, size: int, alike: float, share: float) -> Finding:
    """Four simpler models that are right on 85 %, and a network that is right on this share."""

    def model(key: str, share: float) -> ComparedModel:
        right = alike_within(random, n, size, alike) < share
        return ComparedModel(right, np.arange(n), n, 1.0, key=key, name=key)

    rivals = [model(key, 0.85) for key in ("logistic", "forest", "nearest", "frozen")]
    return baselines_finding(
        model("network", share), rivals, LimitsMet(n), JudgedImages(None if size == 1 else np.arange(n) // size)
    )


# The finding, what is true, and the verdicts that would then be false.
FINDINGS: dict[str, tuple[Callable[..., Finding], str, tuple[str, ...]]] = {
    "accuracy": (
        _accuracy,
        f"2 classes, right on {0.5 + WORTH / 2:.0%}: spares a tenth of the mistakes of one class",
        ("bad",),
    ),
    "classes": (_classes, "5 classes, each found half of the time", ("warn", "bad")),
    "confusion": (_confusions, f"5 classes, each called each other in {OFTEN:.0%}", ("warn", "bad")),
    "mistakes": (_mistakes, f"{MANY:.0%} of the mistakes are confident", ("warn", "bad")),
    "groups": (_groups, "4 folders, equally difficult", ("warn", "bad")),
    "simpler: does better": (_equal, "the network and 4 simpler models are equally good", ("bad",)),
    "simpler: may do": (_behind, f"4 simpler models are behind by {MARGIN:.0%}", ("warn",)),
}


def found(name: str, n: int, size: int, alike: float, draws: int) -> Accused:
    """Evidence in, Finding out: how often is its verdict one that is not true?"""
    draw, about, false = FINDINGS[name]
    random = np.random.default_rng(4)
    count = sum(draw(random, n, size, alike).verdict in false for _ in range(draws))
    return Accused(name, f"{about}; groups of {size}, correlation {alike:g}", n, count / draws, 0.05, draws)


def accusations(draws: int) -> Iterator[Cell]:
    """The slowest first."""
    alone_or_not = ((1, 0.0), (5, 0.5), (5, 1.0), (20, 1.0))
    for n in (2000, 200, 60):
        for size, alike in alone_or_not[1:]:
            yield from ((calibrated, n, many, spread, size, alike, draws) for many, spread in ((2, 1.0), (10, 0.1)))
    for n in (80, 400):
        for size, alike in alone_or_not:
            yield from ((found, name, n, size, alike, draws) for name in FINDINGS)
            yield from ((rivals, n, size, alike, share, draws) for share in (0.7, 0.95))
    for n in (60, 200, 2000):
        yield from ((calibrated, n, many, spread, 1, 0.0, draws) for many, spread in ((2, 1.0), (10, 0.3), (10, 0.1)))
    for n in (80, 400, 2000):
        for many in (2, 10):
            for size, alike in ((1, 0.0), (4, 0.3), (4, 1.0), (20, 1.0)):
                if n // many // size >= 2:
                    yield from ((behind, n, many, size, alike, share, draws) for share in (0.7, 0.9, 0.98))


def counted_cell(cell: Cell) -> Any:
    work, *of = cell
    return work(*of)


def summary(cells: list[Covered]) -> list[str]:
    """Mean coverage, the lowest, and how much is given away."""
    kinds = [
        ("images alone", [cell for cell in cells if cell.groups == cell.n]),
        ("in 20 groups or more", [cell for cell in cells if 20 <= cell.groups < cell.n]),
        ("in fewer groups", [cell for cell in cells if cell.groups < 20 and cell.groups < cell.n]),
    ]
    rows = [
        (
            "| test images | cells | mean coverage | lowest | said to exceed the truth, at most | to fall short of "
            "it, at most | mean width |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for name, some in kinds:
        mean, width = np.mean([cell.coverage for cell in some]), np.mean([cell.width for cell in some])
        low = min(cell.coverage for cell in some)
        above, below = max(cell.above for cell in some), max(cell.below for cell in some)
        rows.append(f"| {name} | {len(some)} | {mean:.1%} | {low:.1%} | {above:.1%} | {below:.1%} | {width:.3f} |")
    return rows


def tables(cells: list[Covered]) -> list[str]:
    rows = [
        "| n | groups of | drawn | correlation | " + " | ".join(f"{share:.0%} right" for share in ALONE) + " |",
        "|---|---|---|---|" + "---|" * len(ALONE),
    ]
    for key in dict.fromkeys((cell.n, cell.size, cell.groups, cell.drawn, cell.alike) for cell in cells):
        n, size, groups, drawn, alike = key
        own = {cell.share: cell for cell in cells if (cell.n, cell.size, cell.groups, cell.drawn, cell.alike) == key}
        held = [f"{own[share].coverage:.1%} ± {own[share].width / 2:.2f}" if share in own else "" for share in ALONE]
        rows.append(
            f"| {n:,} | {size if groups < n else 'alone'} | {drawn if groups < n else ''} | {alike:g} | "
            + " | ".join(held)
            + " |"
        )
    return rows


def accused_table(cells: list[Accused]) -> list[str]:
    rows = ["| verdict | where nothing is wrong | n | given in | allowed | draws |", "|---|---|---|---|---|---|"]
    return rows + [
        f"| {cell.verdict} | {cell.about} | {cell.n:,} | {cell.rate:.2%}{' (!)' if cell.too_often else ''} | "
        f"{cell.allowed:.1%} | {cell.draws:,} |"
        for cell in cells
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--verdicts", type=int, default=DRAWS, help="draws a cell of the second table")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        later = [pool.submit(counted_cell, cell) for cell in accusations(options.verdicts)]
        cells = list(pool.map(counted_cell, coverage(options.draws), chunksize=8))
        print("\n".join(summary(cells)), f"\n{time.monotonic() - began:.0f} s", flush=True)
        accused = [one.result() for one in later]
    for cell in accused:
        print(f"{cell.rate:7.2%} {'(!)' if cell.too_often else '   '} {cell.verdict}: {cell.about}, n = {cell.n}")
    if options.write:
        page = PAGE.read_text(encoding="utf-8").format(
            draws=options.draws,
            verdicts=options.verdicts,
            processes=options.processes,
            minutes=(time.monotonic() - began) / 60,
            summary="\n".join(summary(cells)),
            accused="\n".join(accused_table(accused)),
            cells="\n".join(tables(cells)),
        )
        (Path(__file__).parent.parent / "docs" / "explanation" / "judging.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
