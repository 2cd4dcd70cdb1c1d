"""doctor: what went wrong in the training of a run, from what the run recorded."""

from __future__ import annotations

import dataclasses

from limpide.audit.diagnosis import diagnose_run
from limpide.audit.diagnosis.finding import diagnosis_finding
from limpide.core.events import ROLLBACK, Epoch, Note, Step
from limpide.core.finding import Finding
from limpide.core.run import Run
from limpide.text.messages import N_, message


def diagnose_recorded(run: Run) -> Finding:
    """The diagnosis of a run, while it trains or afterwards. Raises RunError for a run that cannot be read."""
    info, events = run.info(), list(run.events())
    losses = [event.loss for event in events if isinstance(event, Step)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    notes = [event for event in events if isinstance(event, Note)]
    examination = run.examination() if info.final else None
    if not losses and not any(note.topic == ROLLBACK for note in notes):
        return _without_steps(info.good != "", info.final is not None and info.final.kind == "frozen")
    finding = diagnosis_finding(diagnose_run(info, losses, epochs, notes, examination), info)
    if examination is None:
        says = N_(
            "Dead units, gradients, wrong labels and classes that are never named are looked for when the training is "
            "over."
        )
        if info.final:
            says = N_("No look inside was recorded: only the curves were judged, not the network and its answers.")
        finding = dataclasses.replace(finding, details=[*finding.details, message(says)])
    return finding


def _without_steps(is_good_parts: bool, is_frozen: bool) -> Finding:
    says = N_("No step of a training is recorded here.")
    if is_good_parts:
        says = N_("This model compares with good parts: it takes no training steps that could go wrong.")
    elif is_frozen:
        says = N_(
            "This model is a last layer fitted on frozen features: it took no training steps that could go wrong."
        )
    return Finding("diagnosis", "unknown", message(says))
