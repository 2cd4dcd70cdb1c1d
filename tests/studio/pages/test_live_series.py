"""The curves of the page Live: how they grow, how their mean is taken, and what the energy is by step."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from limpide.core.events import Step, to_line
from limpide.core.run import Run
from limpide.inspector.json_encoding import finite
from limpide.studio.series import RunHistory


def test_energy_is_spent_step_by_step(page: Any) -> None:
    def spent(steps: list[int], looks: list[list[Any]]) -> list[float]:
        found = page.evaluate(
            "([steps, looks]) => import('/static/pages/live/series.js').then((live) => live.spent(steps, looks))",
            [steps, looks],
        )
        return [round(wh * 3600, 6) for wh in found]

    assert spent([1, 2, 3, 4, 5, 6], [[2, 4, 5], [], [], [20, 60, 90]]) == [0, 20, 40, 60, 90, 120]
    assert spent([1, 2, 4], [[2], [], [], [30]]) == [15, 30, 60], "one look at the meter"
    assert spent([3, 4], [[2, 3, 3], [], [], [20, 30, 50]]) == [50, 50], "a pause takes no step"
    assert spent([1, 2], []) == [0, 0]


def test_a_curve_grows_message_by_message_as_if_it_came_at_once(page: Any) -> None:
    found = page.evaluate("""() => import('/static/pages/live/series.js').then(({ grown, smooth }) => {
        const losses = Array.from({ length: 6000 }, (_, k) => (k % 100 === 99 ? null : 1 / (k + 1)));
        let series = { n: [], loss: [], lr: [], seconds: [], smooth: [], recent: [], epochs: [], notes: [], system: [], total: 0, about: { status: "running" } }, most = 0;
        for (let k = 0; k < 6000; k += 100) {
          const some = losses.slice(k, k + 100);
          series = grown(series, { steps: [some.map((_, i) => k + i + 1), some, some.map(() => 0.1), some.map(() => 0.01)], total: 100, notes: [{ text: `${k}` }] });
          most = Math.max(most, series.n.length);
        }
        const whole = smooth(losses);
        return { ...series, most, start: whole.slice(0, 3), falls: smooth(losses.map((_, k) => 60 - k)).slice(0, 36).every((mean, k) => mean - (60 - k) <= 4.5), away: Math.max(...series.n.map((n, k) => Math.abs((series.smooth[k] ?? 0) - (whole[n - 1] ?? 0)))), right: series.n.every((n, k) => series.loss[k] === losses[n - 1]) };
      })""")
    assert (
        found["total"] == 6000
        and found["most"] <= 4000
        and found["n"] == sorted(set(found["n"]))
        and found["n"][-100:] == list(range(5901, 6001))
    )
    assert found["start"] == pytest.approx([1, 3 / 4, 11 / 18]) and found["falls"], (
        "it begins at the first loss, and lies no further behind than half its window"
    )
    assert (
        found["away"] < 1e-12
        and found["right"]
        and len(found["notes"]) == 60
        and found["about"] == {"status": "running"}
    )


def test_the_mean_of_the_loss_is_of_all_steps_however_many_are_drawn(page: Any, tmp_path: Path) -> None:
    """The same number before and after a page is loaded anew."""
    run = Run.create(tmp_path, "long", {"classes": ["a", "b"]})
    losses = [math.nan if k == 700 else 1 / (k + 1) + k % 7 for k in range(5000)]
    run.events_file.write_text(
        "".join(json.dumps(to_line(Step(k + 1, 0, loss, 0.1, 0.01))) + "\n" for k, loss in enumerate(losses))
    )
    told = finite(RunHistory(run).read().told())
    n, _, _, _, means = told["steps"]
    assert len(n) <= 2000 and told["recent"] == losses[-9:]
    theirs = page.evaluate(
        "losses => import('/static/pages/live/series.js').then(({ smooth }) => smooth(losses))", finite(losses)
    )
    assert means == pytest.approx([theirs[k - 1] for k in n], abs=1e-12)


def test_the_mean_that_is_drawn_lags_behind_no_fall(page: Any) -> None:
    found = page.evaluate("""() => import('/static/pages/live/series.js').then(({ centred, smooth }) => {
        const n = Array.from({ length: 100 }, (_, k) => k + 1), losses = n.map((k) => 200 - 2 * k), few = n.filter((k) => k % 20 === 0);
        return { all: centred(n, smooth(losses)), few: centred(few, few.map((k) => smooth(losses)[k - 1])) };
      })""")
    assert (
        found["all"][9:96] == pytest.approx([200 - 2 * k for k in range(10, 97)], abs=1.01)
        and found["all"][96:] == [None] * 4
    )
    assert (
        len(found["all"]) == 100
        and found["few"][:4] == pytest.approx([200 - 2 * (k - 4.5) for k in (20, 40, 60, 80)])
        and found["few"][4] is None
    )


def test_no_two_ticks_read_alike_and_what_is_counted_has_whole_ones(page: Any) -> None:
    ranges = [
        (1.09791, 1.09834),
        (0, 1e-7),
        (1.2e-5, 3.1e-5),
        (12_500, 12_506),
        (-0.3, 0.25),
        (1e6, 3e6),
        (0.999, 1.0),
        (2, 2),
    ]
    found = page.evaluate(
        (
            "ranges => import('/static/axes.js').then((axes) => ranges.map(([low, high]) => "
            "axes.labels(axes.ticks(low, high))))"
        ),
        ranges,
    )
    assert all(
        len(set(texts)) == len(texts) >= (1 if low == high else 3)
        for texts, (low, high) in zip(found, ranges, strict=True)
    ), found
    assert (
        found[0][0] == "1.0980"
        and found[4] == ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2"]
        and found[2][0].endswith(" · 10⁻⁵")
    )
    whole = page.evaluate(
        "() => import('/static/axes.js').then(({ ticks }) => [[1, 2], [0, 1], [1, 1], [3, 40]].map(([low, high]) "
        "=> ticks(low, high, 6, true)))"
    )
    assert whole == [[1, 2], [0, 1], [1], [10, 20, 30, 40]]
