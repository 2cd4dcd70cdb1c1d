"""What intervals and verdicts promise, counted: a part of benchmarks/judging.py, whose whole table is
docs/explanation/judging.md.

500 draws a cell; a bound is moved by three standard errors, so that a right program fails less than once in several
hundred cells.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judging import (
    FINDINGS,
    Accused,
    accused_table,
    behind,
    calibrated,
    covered,
    evidence_of,
    found,
    right_of,
    rivals,
    simpler_models,
    sizes_of,
    summary,
    tables,
)
from limpide.audit.accuracy import accuracy
from limpide.audit.classes import classes, confusions, mistakes
from limpide.audit.evidence import Evidence
from limpide.statistics.intervals import exceeds, wilson_bounds

DRAWS = 500


def below(promised: float, draws: int) -> float:
    return promised - 3 * (promised * (1 - promised) / draws) ** 0.5


def test_images_alone_are_covered_in_94_percent_and_no_cell_in_less_than_90() -> None:
    cells = [covered(n, 1, "alone", 0.0, share, DRAWS) for n in (20, 80, 400) for share in (0.5, 0.7, 0.9, 0.95, 0.98)]
    assert np.mean([cell.coverage for cell in cells]) >= below(0.94, DRAWS * len(cells))
    assert all(cell.coverage >= below(0.90, DRAWS) for cell in cells)


def test_groups_are_covered_in_93_percent_and_no_cell_in_less_than_90() -> None:
    cells = [
        covered(n, size, drawn, alike, share, DRAWS)
        for n, size in ((20, 2), (80, 2), (80, 10), (80, "one big"), (400, 5), (400, 20), (400, "uneven"), (2000, 20))
        for drawn, alike in (("beta", 0.0), ("beta", 0.3), ("beta", 1.0), ("copy", 0.6))
        for share in (0.5, 0.9, 0.98)
    ]
    many = [cell for cell in cells if cell.groups >= 20]
    assert np.mean([cell.coverage for cell in many]) >= below(0.93, DRAWS * len(many))
    assert all(cell.coverage >= below(0.90, DRAWS) for cell in cells), min(cells, key=lambda cell: cell.coverage)
    assert np.mean([cell.coverage for cell in cells]) < 0.995, "an interval that holds everything says nothing"


@pytest.mark.parametrize(("size", "alike"), [(1, 0.0), (4, 1.0)])
def test_nothing_is_accused_more_often_than_is_allowed(size: int, alike: float) -> None:
    cells = [behind(400, k, size, alike, share, DRAWS) for k in (2, 10) for share in (0.7, 0.95)]
    cells += [rivals(80, size, alike, share, DRAWS) for share in (0.7, 0.95)]
    cells += [
        calibrated(100, k, spread, size, alike, DRAWS if size == 1 else 60) for k, spread in ((2, 1.0), (10, 0.1))
    ]
    cells += [found(name, 80, size, alike, 150) for name in FINDINGS]
    assert not [cell for cell in cells if cell.too_often]


def test_what_is_wrong_is_accused() -> None:
    """Of the same findings, so that the check before is not one of findings that never speak."""
    random = np.random.default_rng(0)
    assert accuracy(evidence_of(random, 400, 1, 0.0, 2, 0.45)).verdict == "bad"
    assert classes(evidence_of(random, 400, 1, 0.0, 5, 0.3)).verdict == "warn"
    assert confusions(evidence_of(random, 400, 1, 0.0, 5, 0.2)).verdict == "warn"
    assert mistakes(evidence_of(random, 400, 1, 0.0, 5, 0.5, sure=0.6)).verdict == "warn"
    assert (
        simpler_models(random, 400, 1, 0.0, 0.7).verdict == "bad"
        and simpler_models(random, 2000, 1, 0.0, 0.86).verdict != "bad"
    )


def test_counting_images_as_independent_would_be_seen() -> None:
    """The fault that all this is for: the check is not one that cannot fail."""
    sizes = sizes_of(400, 20)
    right = right_of(np.random.default_rng(0), DRAWS, sizes, 0.5, "beta", 1.0)
    _, low, high, _ = wilson_bounds(right.sum(1, keepdims=True).repeat(400, 1) / 400, np.ones(400, int))
    assert np.mean((low <= 0.5) & (high >= 0.5)) < 0.5
    assert Accused("", "", 80, 0.4, 0.05, DRAWS).too_often and not Accused("", "", 80, 0.06, 0.05, DRAWS).too_often


def test_the_findings_say_what_the_sums_say() -> None:
    """Evidence in, Finding out: the same interval, and a verdict that follows from it."""
    sizes, dice = sizes_of(80, 5), np.random.default_rng(1)
    groups, order = np.repeat(np.arange(16), 5), np.arange(80) % 5
    for right in right_of(dice, 40, sizes, 0.7, "beta", 0.5):
        truth = groups % 2
        said = np.where(np.repeat(right, 5) > order, truth, 1 - truth)
        case = Evidence(("a", "b"), ("x",) * 80, truth, np.eye(2)[said] * 0.8 + 0.1, 0, groups=groups)
        score = accuracy(case).number("accuracy")
        share, low, high, effective = wilson_bounds(right, sizes)
        assert (score.low, score.high) == pytest.approx((float(low), float(high)))
        assert (accuracy(case).verdict == "ok") == (float(low) > 0.5 and bool(exceeds(share, effective, 0.5)))
        table = classes(case).table
        assert table and table.rows[0][4] == pytest.approx(float(wilson_bounds(right[::2], sizes[::2])[1]))
        alone = accuracy(replace(case, groups=None)).number("accuracy")
        assert alone.low >= score.low and alone.high <= score.high  # type: ignore[operator]


def test_the_tables_hold_every_cell() -> None:
    cells = [covered(20, 2, drawn, 0.3, share, 50) for drawn in ("beta", "copy") for share in (0.5, 0.9)]
    cells += [covered(20, 1, "alone", 0.0, 0.5, 50), covered(80, 2, "beta", 0.0, 0.5, 50)]
    assert len(tables(cells)) == 2 + 4 and len(summary(cells)) == 2 + 3
    assert "(!)" in accused_table([Accused("v", "about", 80, 0.4, 0.05, DRAWS)])[-1]
