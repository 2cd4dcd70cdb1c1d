"""The meaning of `--time`: when training ends early, and for which parts of judging there is still time. Seconds and
steps in, decisions out.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.run import Run
from limpide.core.run_info import Plan, RunInfo
from limpide.text.messages import N_

AT_LEAST, AT_MOST = 4, 64  # at least this many steps, and at most the newest of this many, determine the pace
# times the time, or the steps, that are left: beyond, the plan changes; less is noise
SLOWER, FASTER = 1.1, 1.3
FINE_TUNING = N_("fine-tuning")  # the audits that may be left out say so in judging/registry.py
NOTICED = 0.05  # share of all steps; a plan is not changed by fewer than these
# share of the time for which a network from scratch may always learn, however little is left: untrained, it would be
# worthless
FITTING = 0.2
TIME, WATCHER = "time", "watcher"  # why there are fewer steps than planned


def now() -> float:
    """Seconds on a clock that never goes back."""
    return time.monotonic()


@dataclass(frozen=True)
class Deadline:
    """asked: s of the whole command, None without --time · began: when the work began, on the clock of `now`."""

    asked: float | None
    began: float

    def passed(self) -> float:
        """Seconds since the work began."""
        return now() - self.began

    def left(self) -> float:
        """Seconds left; below 0 after the deadline, infinite without --time."""
        return math.inf if self.asked is None else self.asked - self.passed()

    def allows(self, seconds: float) -> bool:
        return seconds <= self.left()


def leave_out(run: Run, part: str) -> None:
    """Record that there is no time for this part (msgid); the report lists all such parts."""
    parts = run.info().left_out
    if part not in parts:
        run.update(left_out=[*parts, part])


def affordable(run: Run, deadline: Deadline, part: str, seconds: float) -> bool:
    """Whether there is time for a part that may be left out (msgid). If not, this is recorded before the part is left
    out.
    """
    if part in run.info().left_out:
        return False
    if not deadline.allows(seconds):
        leave_out(run, part)
        return False
    return True


def plans_of(info: RunInfo) -> list[Plan]:
    """The plans, in the order in which they were made."""
    before = [] if info.stop_at is None else [Plan(info.stop_at, info.stop_at, WATCHER)]  # earlier versions
    return [*before, *info.plans]


def planned_end(plans: Sequence[Plan], step: int, steps: int) -> tuple[int, str]:
    """(steps in all, as far as known after `step`; why they differ from those of the quote, or "")."""
    past_plans = [plan for plan in plans if plan.at <= step]
    return (past_plans[-1].steps, past_plans[-1].why) if past_plans else (steps, "")


class Pace:
    """The mean time of the newest steps, with everything between them except validation. guess: s per step, until the
    time is known.
    """

    def __init__(self, guess: float) -> None:
        self._guess, self._last = guess, math.nan
        self._took = deque[float](maxlen=AT_MOST)

    def step(self, paused: float = 0.0) -> None:
        """A step ended. paused: s so far in which a watcher made it wait."""
        moment = now() - paused
        if not math.isnan(self._last):  # the first step of a session is a warm-up
            self._took.append(moment - self._last)
        self._last = moment

    def rest(self) -> None:
        """Do not count the time before the next step."""
        self._last = math.nan

    @property
    def known(self) -> bool:
        """Whether enough steps were done to know the pace."""
        return len(self._took) >= AT_LEAST

    @property
    def sure(self) -> bool:
        """Whether the pace is known, or no step was done, so that the guess holds."""
        return self.known or not self._took

    @property
    def seconds(self) -> float:
        return sum(self._took) / len(self._took) if self.known else self._guess


@dataclass(frozen=True)
class Loop:
    """How the steps of a training form epochs, and how few are allowed."""

    steps_an_epoch: int  # steps
    look: float  # s that one evaluation on the validation part takes
    fewest: int = 1  # steps; 0 if there is a model already
    worth: int = 0  # steps; with fewer, the training is not started

    def seconds(self, steps: int, step_seconds: float) -> float:
        """The seconds that this many more steps take, with validation after each epoch."""
        return steps * step_seconds + math.ceil(steps / self.steps_an_epoch) * self.look

    def within(self, left: float, step_seconds: float) -> int:
        """The number of further steps that fit into the `left` seconds, including validation at the end."""
        whole, rest = divmod(max(0.0, left), max(1e-9, self.seconds(self.steps_an_epoch, step_seconds)))
        return int(whole) * self.steps_an_epoch + min(
            self.steps_an_epoch, int(max(0.0, rest - self.look) / max(1e-9, step_seconds))
        )


def steps_in(left: float, loop: Loop, pace: Pace, *, done: int, steps: int, most: int) -> int:
    """Steps in all if `left` seconds are left for them: `steps`, unless that many clearly take longer, or clearly more
    would fit, `most` at most.
    """
    rest = steps - done
    if rest <= 0 or (left > 0 and not pace.sure):
        return steps
    fitting = loop.within(left, pace.seconds)
    if left > 0 and loop.seconds(rest, pace.seconds) <= SLOWER * left and (steps == most or fitting < FASTER * rest):
        return steps
    if not done and fitting < loop.worth:
        return loop.fewest
    planned = min(most, max(loop.fewest, done + fitting))
    return steps if left > 0 and abs(planned - steps) < NOTICED * most else planned
