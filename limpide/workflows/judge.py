"""judge: evaluate the sealed model on the test part → findings → report. One loop over the table of audits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from limpide.audit import run_facts
from limpide.baselines.baseline import BaselineInputs
from limpide.core.cost import Cost, Facts
from limpide.core.events import Event, Judged, Progress
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.core.run_info import require
from limpide.data.dataset import Dataset
from limpide.judging import answers
from limpide.judging.audit import Audit
from limpide.judging.good_parts import subject_of_good_parts
from limpide.judging.registry import after_training
from limpide.judging.run_subject import subject_of_run
from limpide.judging.subject import Network, Subject, Work
from limpide.report.html import page
from limpide.system import machine
from limpide.system.energy import Energy
from limpide.text.messages import N_, message
from limpide.workflows.train.deadline import Deadline, affordable

LIBRARIES = 70_000_000  # bytes of ONNX Runtime, scikit-learn and the code that writes the report, once loaded


def cost_of_score(facts: Facts) -> Cost:
    """The cost of what is never left out: the predictions, the audits that need little more, the report."""
    never = [audit.cost(facts) for audit in after_training() if not audit.may_be_left_out]
    return sum([answers.cost(facts), *never, page.cost()], Cost())


def judging_bytes(facts: Facts) -> float:
    """The most bytes that a step of judging holds. Each step frees its memory, so the bytes do not add up."""
    return LIBRARIES + max(
        step.bytes for step in (cost_of_score(facts), *(one.cost(facts) for one in after_training()))
    )


@dataclass(frozen=True)
class TimeLeft:
    """Tells for which audits there is still time, from their estimates and the deadline. The report is never left
    out.
    """

    run: Run
    deadline: Deadline

    def quoted(self, audit: Audit) -> float:
        """The estimate for this audit, s; 0 in runs of earlier versions, which did not record it."""
        return require(self.run.info().quote, "quote").audits.get(audit.name, 0.0)

    def after(self, name: str) -> float:
        """The estimate, s, for the audits after this one that may be left out."""
        order = [audit for audit in after_training() if audit.may_be_left_out]
        place = next(k for k, audit in enumerate(order) if audit.name == name)
        return sum(self.quoted(audit) for audit in order[place + 1 :])

    def allows(self, audit: Audit) -> bool:
        if not audit.may_be_left_out:
            return True
        if audit.least is not None and self.run.info().rivals:
            return True  # it was begun: its results so far are kept, and it checks the time for the others
        seconds = self.quoted(audit) if audit.least is None else audit.least + self.after(audit.name)
        return affordable(self.run, self.deadline, audit.part, seconds + page.cost().seconds)

    def allows_part(self, name: str, part: str, seconds: float) -> bool:
        """Whether there is time for a part (msgid) of this audit, of `seconds`, and for what follows the audit."""
        return affordable(self.run, self.deadline, part, seconds + self.after(name) + page.cost().seconds)


def judge(
    run: Run,
    dataset: Dataset,
    parts: np.ndarray,
    baseline_inputs: Callable[[], Work[BaselineInputs]],
    *,
    deadline: Deadline,
    energy: Callable[[], Energy],
    memory: machine.MemoryWatch,
    images: bool,
) -> Iterator[Event]:
    """Use the test part once; write the findings and the report, and finish the run.

    baseline_inputs: makes the inputs that simpler models learn from · energy: of the run so far, read once, for the
    report and for run.json.

    The score and the report are never left out. Finished audits are not repeated; those for which there is no time are
    left out, and this is reported.
    """
    left = TimeLeft(run, deadline)
    subject = (
        subject_of_good_parts(run, dataset, parts)
        if run.info().good
        else subject_of_run(run, dataset, parts, baseline_inputs, left.allows_part)
    )
    audits = [audit for audit in after_training() if audit.needs <= subject.offers and run.finding(audit.name) is None]
    for audit in (audit for audit in audits if not audit.may_be_left_out):
        yield from _findings(run, audit, subject)
    yield from subject.evidence()
    milliseconds = yield from subject.milliseconds()
    subject.close()
    network = subject.network()
    machine.release_memory()  # the memory of the runtime, and later of each audit, is of no further use
    for audit in filter(left.allows, (audit for audit in audits if audit.may_be_left_out)):
        yield from _findings(run, audit, subject)
        machine.release_memory()
    subject.forget()
    whole, used = deadline.passed(), energy()
    yield from _run_facts(run, network, milliseconds, whole, used, memory)
    yield from _report(run, images)
    # last, so that a finished run has its report and no leftovers
    run.enter("done", status="finished", seconds=whole, energy=vars(used))


def _findings(run: Run, audit: Audit, subject: Subject) -> Iterator[Event]:
    """Run one audit. Its finding is saved before it is reported."""
    for event in audit.run(subject):
        yield _add(run, event) if isinstance(event, Finding) else event


def _add(run: Run, finding: Finding) -> Judged:
    run.add_finding(finding)
    return Judged(finding)


def _run_facts(
    run: Run, network: Network, milliseconds: float, whole: float, used: Energy, memory: machine.MemoryWatch
) -> Iterator[Event]:
    """The findings on the cost of the run and on what was left out. whole: s of the command."""
    info = run.info()
    quote = require(info.quote, "quote")
    cost = run_facts.cost_finding(
        parameters=network.parameters,
        multiply_adds=network.multiply_adds,
        file_bytes=run.model_file.stat().st_size,
        training=info.training_seconds,
        whole=whole,
        quoted=quote.seconds,
        memory=memory.peak,
        quoted_memory=int(quote.memory),
        milliseconds=milliseconds,
        energy=used,
    )
    yield _add(run, cost)
    if info.left_out:
        yield _add(run, run_facts.left_out_finding(info.left_out, float(info.recipe.get("time") or 0.0)))


def _report(run: Run, images: bool) -> Iterator[Event]:
    """Write the page; delete what only a continued run would need."""
    yield Progress(message(N_("writing the report")))
    page.write_page(run, images=images)
    shutil.rmtree(run.cache, ignore_errors=True)
    for old in run.checkpoints.glob("step-*"):
        old.unlink(missing_ok=True)
