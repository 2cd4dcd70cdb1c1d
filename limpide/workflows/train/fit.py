"""fit: run the training loop, watched, and keep the best weights on validation."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Generator, Iterator, Sequence

import numpy as np

from limpide.audit import run_facts
from limpide.audit.diagnosis import diagnose_run
from limpide.audit.diagnosis.finding import diagnosis_finding
from limpide.core.cost import Cost
from limpide.core.errors import TrainingError
from limpide.core.events import Epoch, Event, Note, Progress, Step
from limpide.core.run_info import Final, require
from limpide.judging.fold_heads import judges_of_folds
from limpide.models import pretrained
from limpide.text.messages import N_, Message, message
from limpide.training.augment import augmentation_of, augmentation_to_json, decide_augmentation, describe_augmentation
from limpide.training.augment.base import Augment, Augmentation
from limpide.training.batches import Batches
from limpide.training.checkpoint import CheckpointWriter, Restored, load_checkpoint, saved_in, step_of
from limpide.training.class_balance import balance, priors
from limpide.training.loop import evaluate, fit, has_stalled
from limpide.training.rollback import GAVE_UP
from limpide.training.start import describe_extras, describe_rule, set_from_images, start_state
from limpide.training.state import TrainState
from limpide.training.threads import limit_threads
from limpide.training.weights import load_weights, save_weights
from limpide.workflows.train import deadline
from limpide.workflows.train.context import TrainContext
from limpide.workflows.train.control import TrainingControl
from limpide.workflows.train.deadline import planned_end, plans_of
from limpide.workflows.train.examine import examine
from limpide.workflows.train.fold_tuning import take_back_tuning
from limpide.workflows.train.history import HistoryWriter
from limpide.workflows.train.lost_batch import keep_what_is_left
from limpide.workflows.train.mirroring import with_mirroring
from limpide.workflows.train.replan import Replanner

MIN_SAMPLE, MAX_SAMPLE = 50, 500  # training images that are scored after each epoch


def cost(steps: int, epochs: float, step: float, look: float) -> Cost:
    """step, look: s, of one step, and of validation after each epoch. The memory is measured, not estimated here."""
    return Cost(steps * step + math.ceil(epochs) * look)


def fit_network(job: TrainContext) -> Iterator[Event]:
    if job.done("fit"):
        return
    with limit_threads(job.info.threads):
        yield from _fitted(job)


def _fitted(job: TrainContext) -> Iterator[Event]:
    yield Progress(message(N_("preparing the training")))
    # The last layer starts afresh: one that was fitted on frozen features is not a better start (docs/LOG.md)
    is_frozen = job.recipe.folds and not job.info.steps
    model = job.frozen_network() if is_frozen else job.network(job.pixels().preprocessing)
    set_from_images(model, job.batches("train"), job.recipe)
    state = start_state(model, job.recipe, require(job.info.steps, "steps"))
    restored = load_checkpoint(job.run.checkpoints)
    if restored:
        state.restore(restored.tensors, restored.numbers)
        yield from _say_resume(state, restored)
        augment = augmentation_of(job.info, job.seen.grey)
    else:
        yield from _say_lost(saved_in(job.run.checkpoints))
        epochs, classes = require(job.info.epochs, "epochs"), len(job.dataset.learned_classes)
        augment = decide_augmentation(job.recipe, epochs, job.seen.grey, classes)
        if state.steps:
            yield from _announce(job, state, augment)
    began = deadline.now()
    yield from _until_lost(job, state, augment)
    seconds = job.info.fit_seconds + deadline.now() - began - job.paused
    yield Progress(message(N_("choosing the best weights")))
    final, n = yield from _choose_weights(job, state)
    final = yield from with_mirroring(job, state.model, final)
    is_balanced = job.recipe.folds and final.kind == "frozen"  # as the last layer was in the folds
    if job.recipe.balance == "yes" and not is_balanced:
        labels = job.dataset.labels[job.rows("train")]
        balance(state.model, priors(labels, len(job.dataset.learned_classes)))
    save_weights(state.model, job.run.snapshots / "best.safetensors")
    job.run.keep_examination(examine(job, state, final))
    yield from _diagnosed(job, final)
    steps, epochs = require(job.info.steps, "steps"), require(job.info.epochs, "epochs")
    cut = planned_end(plans_of(job.info), state.step, steps)[1] if state.step == state.steps < steps else ""
    accuracy = float(final.validation or 0.0)
    best = state.epoch - 1 if job.recipe.keep == "last" else state.best_epoch
    finding = run_facts.training_finding(best, state.epoch, epochs, accuracy, n, final.kind, cut, job.recipe.folds or 0)
    job.run.add_finding(finding)
    job.enter("seal", final=final, fit_seconds=seconds, recipe=job.recipe.to_json())


def _say_resume(state: TrainState, restored: Restored) -> Iterator[Event]:
    yield Note(
        "resume",
        message(N_("continuing after step {step:count} of {steps:count}"), step=state.step, steps=state.steps),
    )
    if restored.damaged:
        says = N_("a damaged checkpoint was ignored ({names}): steps {first:count} to {last:count} are done again")
        last = max(map(step_of, restored.damaged))
        if last <= state.step:
            says = N_("a damaged checkpoint was ignored ({names}); no step was lost")
        names = ", ".join(restored.damaged)
        yield Note("warning", message(says, names=names, first=state.step + 1, last=last))


def _say_lost(damaged: Sequence[str]) -> Iterator[Event]:
    """No checkpoint can be used."""
    if damaged:
        says = N_("every checkpoint is damaged ({names}): training begins anew, steps 1 to {last:count} are done again")
        yield Note("warning", message(says, names=", ".join(damaged), last=max(map(step_of, damaged))))


def _choose_weights(job: TrainContext, state: TrainState) -> Generator[Event, None, tuple[Final, int]]:
    """Load the weights that validation prefers: the best of the training, or the first model's. Return what they are,
    and the number of images they were scored on.
    """
    frozen = job.info.frozen
    if job.recipe.folds:
        return (yield from _choose_as_folds(job, state))
    if job.recipe.keep == "last" and state.last_score is not None:
        state.use_last()
        kind = "fine-tuned" if frozen else "trained"
        return Final(kind, job.pixels().preprocessing.to_json(), state.last_score[0]), len(job.rows("validation"))
    if not frozen or _better(job, state, (frozen.accuracy, -frozen.loss)):
        state.use_best()
        kind, accuracy = ("fine-tuned" if frozen else "trained"), state.best_score[0] if state.best_score else 0.0
        return Final(kind, job.pixels().preprocessing.to_json(), accuracy), len(job.rows("validation"))
    load_weights(state.model, job.run.snapshots / "first.safetensors")
    if state.epoch:
        yield job.say(
            "decision",
            message(
                N_(
                    "fine-tuning did no better than the first model on validation ({accuracy:percent}): the "
                    "first model is kept"
                ),
                accuracy=frozen.accuracy,
            ),
        )
    return _first_model(job, frozen.accuracy), frozen.n_validation


def _choose_as_folds(job: TrainContext, state: TrainState) -> Generator[Event, None, tuple[Final, int]]:
    """Take the weights after the last step, as in the folds; or the first model, if fine-tuning was not chosen or ended
    before its last step: the shipped network must have learned as long as the judged ones.
    """
    is_tuned = bool(job.info.steps) and state.step == job.info.steps
    if job.info.steps and not is_tuned:
        yield from take_back_tuning(job)
    heads = judges_of_folds(job.run)
    accuracy = float((heads.logits.argmax(1) == job.dataset.labels[heads.rows]).mean())
    if is_tuned:
        state.use_last()
        return Final("fine-tuned", job.pixels().preprocessing.to_json(), accuracy), len(heads.rows)
    state.model = job.frozen_network()
    load_weights(state.model, job.run.snapshots / "first.safetensors")
    return _first_model(job, accuracy), len(heads.rows)


def _first_model(job: TrainContext, accuracy: float) -> Final:
    view = job.view()
    network = view.network if view.network != job.recipe.model else ""
    return Final("frozen", job.frozen_pixels().preprocessing.to_json(), accuracy, network)


def _better(job: TrainContext, state: TrainState, first: tuple[float, float]) -> bool:
    """Whether the fine-tuned network does at least as well as the first model, on the images that the latter was scored
    on.
    """
    if state.best_score is None:
        return False
    rows, score = job.frozen_rows("validation"), state.best_score
    if len(rows) < len(job.rows("validation")):
        state.use_best()
        loss, accuracy = evaluate(state.model, job.batches_of(rows, job.validation().batch), job.recipe)
        score = accuracy, -loss
    # The first model has a loss in nats: another loss cannot be compared with it.
    return score >= first if job.recipe.loss == "cross-entropy" else score[0] >= first[0]


def _announce(job: TrainContext, state: TrainState, augment: Augmentation | None) -> Iterator[Event]:
    """Report and record the augmentation, and report the optimizer: choices that a comparison of two trainings depends
    on.
    """
    job.run.update(augmentation=augmentation_to_json(augment))
    job.info = job.run.info()
    yield job.say("decision", _describe(job, augment))
    for says in (describe_rule(state), *describe_extras(job.recipe)):
        yield job.say("decision", says)


def _describe(job: TrainContext, augment: Augmentation | None) -> Message:
    return describe_augmentation(augment, require(job.info.epochs, "epochs"), is_asked=job.recipe.augment != "auto")


def _diagnosed(job: TrainContext, final: Final) -> Iterator[Event]:
    """Record how the training went, in plain words, as in the studio; report the first problem as a warning."""
    job.run.sync()
    events = list(job.run.events())
    losses, epochs = (
        [event.loss for event in events if isinstance(event, Step)],
        [event for event in events if isinstance(event, Epoch)],
    )
    info = dataclasses.replace(job.info, final=final)
    notes = [event for event in events if isinstance(event, Note)]
    diagnoses = diagnose_run(info, losses, epochs, notes, job.run.examination())
    if not diagnoses:
        return
    job.run.add_finding(diagnosis_finding(diagnoses, info))
    if diagnoses[0].verdict in ("bad", "warn"):
        yield job.say("warning", diagnoses[0].message)


def _until_lost(job: TrainContext, state: TrainState, augment: Augment | None) -> Iterator[Event]:
    """Run the loop; where the loss is lost for good, a pretrained network still has its first model."""
    batches = job.batches("train")
    try:
        yield from _steps(job, state, augment, batches)
    except TrainingError as error:
        told = keep_what_is_left(job, state, batches, error)
        if told.code != GAVE_UP or not job.info.frozen:
            raise told from error
        why, todo = told.message().to_json(), message(told.todo, **told.values).to_json()
        says = N_("fine-tuning ends at {step}: {why}; {todo}")
        yield job.say("warning", message(says, step=told.where, why=why, todo=todo))


def _steps(job: TrainContext, state: TrainState, augment: Augment | None, batches: Batches) -> Iterator[Event]:
    """Run the loop, save when due, and stop when validation stalls, when a watcher asks for it or the time is up."""
    validation, began, checkpoints = job.validation(), deadline.now(), _checkpoints_of(job, state)
    watched = TrainingControl(job, state)
    share = Replanner(job, state, len(batches))
    yield from share.kept()
    sample, history = training_sample(job), HistoryWriter(job.run)
    loop = fit(state, batches, validation if len(validation.rows) else None, job.recipe, augment=augment, sample=sample)
    with contextlib.closing(loop):  # type: ignore[type-var]
        while job.recipe.folds or not has_stalled(state, int(job.recipe.patience or 1)):
            event = next(loop, None)
            if event is None:
                return
            job.run.append(event)
            if isinstance(event, Note):
                checkpoints.save()  # a resume goes on with the same rate and the same parts
            else:
                history.add(event)
                checkpoints.save_if_due()
            try:
                yield event
                if isinstance(event, Note):  # the update is still to be done: no plan may change
                    continue
                yield from watched.after(event)
                yield from share.after(event)
                ends = isinstance(event, Step) and (event.n % len(batches) == 0 or event.n >= state.steps)
                if ends and len(validation.rows):
                    yield Progress(message(N_("evaluating on the validation images")))
            except GeneratorExit:
                checkpoints.save()
                job.stop(deadline.now() - began - job.paused)
                raise


def training_sample(job: TrainContext) -> Batches | None:
    """Training images that are scored after each epoch, the same ones each time; None where no validation image is
    there to compare with. Of a pretrained network, a tenth of the images: to score them takes time, too.
    """
    rows = job.rows("train")
    if not len(job.rows("validation")) or not len(rows):
        return None
    n = min(MAX_SAMPLE, max(MIN_SAMPLE, len(rows) // 10)) if pretrained(job.recipe) else MAX_SAMPLE
    chosen = np.random.default_rng(0).permutation(rows)[:n]
    return job.batches_of(np.sort(chosen), job.judging_batch)


def _checkpoints_of(job: TrainContext, state: TrainState) -> CheckpointWriter:
    return CheckpointWriter(state, job.run.checkpoints, job.run.sync)
