"""What --time decides, on a clock that the test turns: steps that fit, plans that are kept, parts that are left out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.workflows.train import deadline
from limpide.workflows.train.deadline import (
    TIME,
    WATCHER,
    Deadline,
    Loop,
    Pace,
    Plan,
    affordable,
    planned_end,
    plans_of,
    steps_in,
)

PART = "search for a small area that decides"
LOOP = Loop(steps_an_epoch=10, look=2.0)
TUNED = Loop(steps_an_epoch=10, look=2.0, fewest=0, worth=4)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(deadline, "now", found)
    return found


def pace(clock: Clock, *seconds: float, guess: float = 1.0) -> Pace:
    """After a first step and others that took so long."""
    found = Pace(guess)
    found.step()
    for each in seconds:
        clock.seconds += each
        found.step()
    return found


def test_what_is_left(clock: Clock) -> None:
    assert Deadline(None, 0.0).left() == math.inf and Deadline(None, 0.0).allows(1e9)
    limit = Deadline(30.0, 990.0)
    assert limit.passed() == 10 and limit.left() == 20 and limit.allows(20) and not limit.allows(20.1)
    clock.seconds += 25
    assert limit.left() == -5 and not limit.allows(0)


def test_the_pace_is_the_mean_of_steps_without_what_is_between_passes(clock: Clock) -> None:
    assert Pace(3.0).seconds == 3.0 and Pace(3.0).sure
    one = pace(clock, 1.0, 1.0, 1.0)
    assert not one.sure and one.seconds == 1.0
    one = pace(clock, 1.0, 3.0, 1.0, 3.0, guess=9.0)
    assert one.sure and one.seconds == 2.0
    one.rest()
    clock.seconds += 100  # a look at the validation part
    one.step()
    assert one.seconds == 2.0
    clock.seconds += 7
    one.step(paused=5.0)  # a watcher made it wait for five of them
    assert one.seconds == 2.0


@pytest.mark.parametrize(
    ("left", "steps"), [(0, 0), (2.9, 0), (3.0, 1), (11.9, 9), (12.0, 10), (14.9, 10), (15.0, 11), (120, 100)]
)
def test_so_many_steps_fit_with_a_look_at_their_end(left: float, steps: int) -> None:
    assert LOOP.within(left, 1.0) == steps
    assert LOOP.seconds(steps, 1.0) <= left


def test_a_plan_holds_while_it_is_kept(clock: Clock) -> None:
    fast = pace(clock, 1.0, 1.0, 1.0, 1.0)
    assert steps_in(120, LOOP, fast, done=5, steps=105, most=105) == 105
    assert steps_in(120 / 1.09, LOOP, fast, done=5, steps=105, most=105) == 105, "a little late is noise"
    assert steps_in(60, LOOP, pace(clock, 5.0, 5.0), done=5, steps=105, most=105) == 105, "two steps prove nothing"


def test_a_slow_machine_gets_fewer_steps_and_more_again(clock: Clock) -> None:
    slow, fast = pace(clock, 5.0, 5.0, 5.0, 5.0), pace(clock, 1.0, 1.0, 1.0, 1.0)
    assert steps_in(120, LOOP, slow, done=5, steps=105, most=105) == 5 + 20 + 2, (
        "two passes of 52 s and 16 s for two steps and a look"
    )
    assert steps_in(120, LOOP, fast, done=5, steps=27, most=105) == 105
    assert steps_in(30, LOOP, fast, done=5, steps=27, most=105) == 27, "hardly more would fit"


def test_when_the_time_is_up_it_ends_there_but_not_without_a_step(clock: Clock) -> None:
    for left in (0.0, -50.0):
        assert steps_in(left, LOOP, pace(clock, 1.0), done=5, steps=105, most=105) == 5
        assert steps_in(left, LOOP, Pace(1.0), done=0, steps=105, most=105) == 1
        assert steps_in(left, TUNED, Pace(1.0), done=0, steps=105, most=105) == 0
    assert steps_in(5.0, TUNED, Pace(1.0), done=0, steps=105, most=105) == 0, "three steps are not worth it"
    assert steps_in(6.0, TUNED, Pace(1.0), done=0, steps=105, most=105) == 4
    assert steps_in(-1.0, TUNED, Pace(1.0), done=0, steps=0, most=0) == 0, "as was quoted"
    assert steps_in(-1.0, LOOP, Pace(1.0), done=105, steps=105, most=105) == 105


def test_plans_say_what_holds_after_each_step() -> None:
    plans = plans_of(RunInfo(plans=(Plan(4, 50, TIME), Plan(20, 30, TIME), Plan(25, 25, WATCHER))))
    assert [planned_end(plans, step, 100) for step in (0, 3, 4, 19, 20, 25, 26)] == [
        (100, ""),
        (100, ""),
        (50, TIME),
        (50, TIME),
        (30, TIME),
        (25, WATCHER),
        (25, WATCHER),
    ]
    assert plans_of(RunInfo(stop_at=7)) == [Plan(7, 7, WATCHER)] and plans_of(RunInfo()) == [], (
        "runs of earlier versions"
    )


def test_what_is_left_out_stays_left_out(tmp_path: Path, clock: Clock) -> None:
    run = Run.create(tmp_path, "x", {})
    limit = Deadline(10.0, clock.seconds)
    assert affordable(run, limit, PART, 9.0) and not run.info().left_out
    assert not affordable(run, limit, PART, 11.0) and run.info().left_out == (PART,)
    assert not affordable(run, Deadline(None, 0.0), PART, 0.0), "a resume replays it"
    assert run.info().left_out == (PART,)
