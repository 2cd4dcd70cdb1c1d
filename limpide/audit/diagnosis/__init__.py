"""What went wrong in a training, and what to do next: one function for the training, the studio, the report and
`limpide doctor`.

Each fault has a rule of its own, in curves.py (the events), layers.py (a look inside the network) and answers.py (the
answers on validation images). `benchmarks/doctor.py` measures how often each is named, where it was put there and in
healthy trainings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from limpide.audit.diagnosis import curves
from limpide.audit.diagnosis.answers import judge_answers
from limpide.audit.diagnosis.layers import judge_layers
from limpide.audit.diagnosis.record import FAULTS, Diagnosis, Rate, TrainingRecord
from limpide.core.events import ROLLBACK, Epoch, Note
from limpide.core.examination import Examination
from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo

__all__ = ["FAULTS", "Diagnosis", "Rate", "TrainingRecord", "diagnose", "diagnose_run", "record_of_run"]

_PLACES = {fault: place for place, fault in enumerate(FAULTS)}
# Faults that bring others about, which then have no remedy of their own: balancing does not help a network that
# hardly learned.
CAUSES = {
    "divergence",
    "large rate",
    "small rate",
    "vanishing",
    "exploding",
    "dead units",
    "standstill",
    "underfitting",
}
EFFECTS = {"collapse", "too good", "noisy labels", "overfitting"}


def diagnose(record: TrainingRecord) -> list[Diagnosis]:
    """The remarks about a training, faults first, causes before what they cause; one at least once there is a
    step.
    """
    found = _judge_curves(record)
    if record.losses and not math.isfinite(record.losses[-1]):
        return found
    inside = [*judge_layers(record), *judge_answers(record)]
    named = {one.fault for one in found}
    whole = found + [one for one in inside if one.fault not in named]
    if CAUSES & {one.fault for one in whole}:
        whole = [replace(one, changes=()) if one.fault in EFFECTS else one for one in whole]
    return sorted(whole, key=_place)


def _place(one: Diagnosis) -> int:
    """Faults before how it went, and that last which nothing can be said about."""
    if not one.is_fault:
        return len(_PLACES)
    return len(_PLACES) + 1 if one.verdict == "unknown" else _PLACES[one.fault]


def _judge_curves(record: TrainingRecord) -> list[Diagnosis]:
    steps = curves.judge_steps(record)
    judgements = [] if steps is None else [steps]
    rollbacks = curves.judge_rollbacks(record)
    if rollbacks and (steps is None or steps.fault != "divergence"):
        judgements.append(rollbacks)
    if steps is not None and steps.fault == "divergence" and not math.isfinite(record.losses[-1]):
        return judgements
    if record.kept == "frozen" and record.epochs:
        return [curves.describe_kept_first_model(), *judgements]
    if len(record.epochs) >= 2 and not any(epoch.validated for epoch in record.epochs):
        return [*judgements, curves.describe_without_validation(record.epochs)]
    fit = curves.judge_gap(record) if steps is None else None
    if len(record.epochs) >= 2:
        whole = curves.judge_epochs(record)
        return [*judgements, whole] if fit is None or whole.fault else [fit, whole]
    judgements += [fit] if fit else []
    return judgements or curves.describe_beginning(record)


def record_of_run(
    info: RunInfo,
    losses: Sequence[float],
    epochs: Sequence[Epoch],
    notes: Iterable[Note] = (),
    examination: Examination | None = None,
) -> TrainingRecord:
    """What a run recorded of its training."""
    recipe, n = Recipe.from_json(info.recipe), max(1, len(info.classes))
    # the loss of treating all classes alike: equal probabilities, equal scores, outputs of 1/n
    guesses = {"cross-entropy": math.log(n), "hinge": (n - 1) / n, "squared": 1 - 1 / n}
    return TrainingRecord(
        losses,
        epochs,
        info.classes,
        kept=info.final.kind if info.final else None,
        guess=guesses.get(recipe.loss, math.inf) if n > 1 else math.inf,
        keeps_last=recipe.keep == "last",
        rate=Rate(recipe.optimizer, recipe.lr, info.usual_rate) if recipe.lr else None,
        is_pretrained=info.frozen is not None,
        examination=examination,
        rollbacks=[int(note.message.values["step"]) for note in notes if note.topic == ROLLBACK],
    )


def diagnose_run(
    info: RunInfo,
    losses: Sequence[float],
    epochs: Sequence[Epoch],
    notes: Iterable[Note] = (),
    examination: Examination | None = None,
) -> list[Diagnosis]:
    """`diagnose`, with what the run recorded."""
    return diagnose(record_of_run(info, losses, epochs, notes, examination))
