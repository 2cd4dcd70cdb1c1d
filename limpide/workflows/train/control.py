"""A training that is watched: the records that it writes for a watcher, and the commands that it accepts.

Watching changes nothing: without a line in control.jsonl the weights are the same to the last bit.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator

import numpy as np
import psutil

from limpide.core.events import Epoch, Note, Progress, Step
from limpide.core.run_info import Learning, Plan
from limpide.text.messages import N_, message
from limpide.training.snapshots import BUDGET, drop_later_snapshots, is_snapshot_due, keep_snapshot, statistics
from limpide.training.state import TrainState
from limpide.workflows.train import deadline
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.deadline import WATCHER, plans_of

PROBES = 32  # images whose predictions can be followed
MACHINE_SECONDS = 1.0  # s between two records of the machine
POLL_SECONDS = 0.2  # s between two polls while a training is paused


class TrainingControl:
    """Call `after` after each event; `job.paused` grows by the time that a watcher makes the training wait."""

    def __init__(self, job: TrainContext, state: TrainState) -> None:
        self.job, self.state, self.run = job, state, job.run
        self._process, self._looked = psutil.Process(), -math.inf
        self._read, self._snapshot_step = 0, -1
        self._lost, self._told = "", False  # why weights could not be kept, and whether that was said
        drop_later_snapshots(state.step, self.run)
        self.run.cut(self.run.stats_file, lambda line: line["step"] <= state.step)
        keep_probes(job, "validation" if len(job.rows("validation")) else "train")
        if state.step == 0 or (job.recipe.keep == "all" and not state.position):  # stopped before they were kept
            self._keep()
        if self.run.control_file.exists():  # commands to an earlier session were executed, or are void
            self._read = self.run.control_file.stat().st_size

    @property
    def stopped(self) -> bool:
        """Whether a watcher asked to finish with what is learned."""
        return any(plan.why == WATCHER and plan.at <= self.state.step for plan in plans_of(self.job.info))

    def after(self, event: Step | Epoch) -> Iterator[Note | Progress]:
        if isinstance(event, Epoch) or is_snapshot_due(event.n):
            self._keep()
        yield from self._tell_lost()
        self._machine()
        yield from self._obey()

    def _keep(self) -> None:
        if self._snapshot_step == self.state.step:  # the end of an epoch may also be a step that is due
            return
        self._snapshot_step = self.state.step
        keeps_all = self.job.recipe.keep == "all"
        try:
            with self.state.judged_weights() if keeps_all else contextlib.nullcontext():
                keep_snapshot(self.state, self.run, math.inf if keeps_all else BUDGET)
            self.run.add_line(self.run.stats_file, statistics(self.state))
        except OSError as error:  # a full disk must not stop the training here
            self._lost = error.strerror or str(error) if keeps_all else ""

    def _tell_lost(self) -> Iterator[Note]:
        """Weights of an epoch were asked for and could not be kept: say so, once."""
        if self._lost and not self._told:
            self._told = True
            says = N_("the weights after step {step:count} could not be kept: {why}")
            yield self.job.say("warning", message(says, step=self.state.step, why=self._lost))

    def _machine(self) -> None:
        now = time.monotonic()
        if now - self._looked < MACHINE_SECONDS:
            return
        energy, before = self.job.energy(), self._looked
        line = {
            "step": self.state.step,
            "cpu": self._process.cpu_percent() / 100,  # cores kept busy
            "memory": self._process.memory_info().rss,
            "joules": energy.joules,
            "how": energy.how,
        }
        self._looked = now
        if before > -math.inf:  # the first share of the processor covers no time
            with contextlib.suppress(OSError):
                self.run.add_line(self.run.system_file, line)

    def _obey(self) -> Iterator[Note | Progress]:
        """Execute the new lines of control.jsonl: pause, go, stop, rate, snapshot."""
        waiting, is_paused, before = False, False, deadline.now()
        try:
            while True:
                for order in self._orders():
                    waiting = {"pause": True, "go": False}.get(str(order.get("do")), waiting)
                    yield from self._do(order)
                if not waiting or self.stopped:
                    return
                if not is_paused:
                    is_paused = True
                    self._tell_paused(self.state.step)
                time.sleep(POLL_SECONDS)
                now = deadline.now()
                self.job.paused, before = self.job.paused + now - before, now
                # the caller may stop here, too
                yield Progress(message(N_("paused")), self.state.step, self.state.steps)
        finally:
            if is_paused:
                self._tell_paused(None)

    def _tell_paused(self, step: int | None) -> None:
        """Record the pause for watchers who come later, and for those who did not ask for it."""
        with contextlib.suppress(OSError):  # a full disk must not stop the training here
            self.run.update(paused=step)

    def _orders(self) -> list[dict[str, object]]:
        try:
            if self.run.control_file.stat().st_size <= self._read:
                return []
        except OSError:
            return []
        with open(self.run.control_file, "rb") as stream:
            stream.seek(self._read)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        orders = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # half a line, or not ours
                order = json.loads(line)
                orders += [order] if isinstance(order, dict) else []
        return orders

    def _do(self, order: dict[str, object]) -> Iterator[Note]:
        what, by = order.get("do"), order.get("by")
        if what == "pause":
            yield self.job.say(
                "control", message(N_("paused by a watcher after step {step:count}"), step=self.state.step)
            )
        elif what == "go":
            yield self.job.say("control", message(N_("continuing")))
        elif what == "snapshot":
            self._keep()
            yield self.job.say(
                "control", message(N_("weights kept after step {step:count}, as a watcher asked"), step=self.state.step)
            )
        elif what == "rate" and isinstance(by, (int, float)) and not isinstance(by, bool) and 0.01 <= by <= 100:
            self.state.lr *= by
            yield self.job.say(
                "control",
                message(
                    N_("learning rate multiplied by {by:number} by a watcher after step {step:count}"),
                    by=float(by),
                    step=self.state.step,
                ),
            )
        elif what == "stop":
            self.job.plan(Plan(self.state.step, self.state.step, WATCHER))
            yield self.job.say(
                "control",
                message(
                    N_("a watcher asked to finish with what is learned, after step {step:count}"), step=self.state.step
                ),
            )


def keep_probes(job: TrainContext, part: str) -> None:
    """Set aside images of this part whose predictions can be followed."""
    pixels, chosen = job.pixels(), np.random.default_rng(0).permutation(job.rows(part))[:PROBES]
    names = job.dataset.images.names
    job.run.update(learning=Learning(pixels.preprocessing.to_json(), len(chosen), part))
    with contextlib.suppress(OSError):
        np.savez(
            job.run.probes_file,
            squares=pixels.take(chosen),
            truth=job.dataset.labels[chosen],
            files=np.array([names[int(row)].encode("utf-8", "surrogateescape") for row in chosen]),
        )
