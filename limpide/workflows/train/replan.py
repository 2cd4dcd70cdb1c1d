"""Keep fitting within its share of the time: fewer steps are planned if the machine is slower than when they were
timed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from limpide.core.events import Epoch, Note, Step
from limpide.core.run_info import Plan, require
from limpide.models import pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.state import TrainState
from limpide.workflows.train import deadline
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.deadline import FINE_TUNING, FITTING, TIME, Loop, Pace, planned_end, plans_of, steps_in

PAUSE = 0.03  # share of the time that was asked for, between two changes of the plan
UNTOLD = 10.0  # s; a smaller delay is not reported
LATE = 1.5  # times the estimate, from which on a new one is reported
WORTH = 3  # a third of an epoch makes a pretrained network worse


class Replanner:
    """Call `kept` before the first event and `after` after each event. steps_an_epoch: steps of one epoch."""

    def __init__(self, job: TrainContext, state: TrainState, steps_an_epoch: int) -> None:
        quote, self._most = require(job.info.quote, "quote"), require(job.info.steps, "steps")
        self.job, self.state, self._changed, self._began = job, state, -math.inf, deadline.now()
        self._loop = Loop(
            steps_an_epoch, quote.look, *((0, -(-steps_an_epoch // WORTH)) if pretrained(job.recipe) else (1, 0))
        )
        self._pace, self._after = Pace(quote.step), quote.after
        self._ended = math.nan  # when the last step ended
        fitting = quote.fitting / max(1, job.recipe.folds or 0)  # of this training alone
        self._promised = deadline.now() + fitting * (1 - state.step / max(1, state.steps))

    def kept(self) -> Iterator[Note]:
        """Apply earlier decisions before the first step of a session; there may be no time for any step."""
        self._decide()
        yield from self._apply()

    def after(self, event: Step | Epoch) -> Iterator[Note]:
        now = deadline.now() - self.job.paused
        if isinstance(event, Epoch):
            if not math.isnan(self._ended):
                self._loop = dataclasses.replace(self._loop, look=now - self._ended)
            self._pace.rest()
        else:
            self._pace.step(self.job.paused)
            self._ended = now
        self._decide()
        yield from self._apply()
        yield from self._renewed()

    def _decide(self) -> None:
        """Record another number of steps if the time requires it. Nothing new is decided while earlier plans are
        repeated, or if folds judge, as the shipped model must learn as theirs did.
        """
        job, state, plans = self.job, self.state, plans_of(self.job.info)
        time_limit = job.deadline.asked
        if time_limit is None or job.recipe.folds or (plans and state.step <= plans[-1].at):
            return
        now = deadline.now()
        left = job.deadline.left() - self._after
        if self._loop.fewest:  # from scratch
            left = max(left, FITTING * time_limit - job.info.fit_seconds - (now - self._began - job.paused))
        if left > 0 and now - self._changed < PAUSE * time_limit:
            return
        steps = steps_in(left, self._loop, self._pace, done=state.step, steps=state.steps, most=self._most)
        if steps != state.steps:
            self._changed = now
            job.plan(Plan(state.step, steps, TIME))

    def _apply(self) -> Iterator[Note]:
        """Apply the recorded plan for this step, once."""
        steps, why = planned_end(plans_of(self.job.info), self.state.step, self._most)
        if steps == self.state.steps:
            return
        before, self.state.steps = self.state.steps, steps
        if why == TIME:
            if not steps:
                self.job.leave_out(FINE_TUNING)
            yield self.job.say("decision", _says(self.state.step, before, steps))

    def _renewed(self) -> Iterator[Note]:
        """A new estimate if the last one no longer holds. It depends on clocks alone, so it is shown and not kept."""
        if not self._pace.known:
            return
        left = self._loop.seconds(self.state.steps - self.state.step, self._pace.seconds)
        late = deadline.now() - self.job.paused + left - self._promised
        if late > max(UNTOLD, (LATE - 1) * left):
            self._promised += late
            yield Note(
                "quote",
                message(
                    N_("slower than when it was timed: about {seconds:duration} more until the network is trained"),
                    seconds=left,
                ),
            )


def _says(step: int, before: int, steps: int) -> Message:
    if not step and not steps:
        return message(N_("no fine-tuning: there is no time left for it, so the first model is kept"))
    if step == steps:
        return message(
            N_("the time is up after step {step:count} of {before:count}: the network is judged as it stands"),
            step=step,
            before=before,
        )
    return message(
        N_("{steps:count} steps instead of {before:count}, as many as the time allows at this pace"),
        steps=steps,
        before=before,
    )
