"""folds: if there is time, the network is fine-tuned without each fold, and classifies the images of that fold. The
folds then choose: fine-tuned, or frozen with a new last layer.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from torch import nn

from limpide.core.errors import RunError, TrainingError
from limpide.core.events import Event, Note, Progress
from limpide.core.recipe import Recipe
from limpide.core.run_info import require
from limpide.judging.fold_heads import FoldHeads
from limpide.judging.tuned_folds import TUNED_FILE, TunedFolds, network_file
from limpide.system import machine
from limpide.text.messages import N_, Message, message
from limpide.training.augment import decide_augmentation
from limpide.training.batches import Batches
from limpide.training.checkpoint import CheckpointWriter, load_checkpoint
from limpide.training.class_balance import balance, balanced_weights, priors
from limpide.training.device import place_on_device
from limpide.training.loop import fit, logits_of
from limpide.training.rollback import GAVE_UP
from limpide.training.start import start_state
from limpide.training.state import TrainState
from limpide.training.temperature import fit_temperature
from limpide.training.threads import limit_threads
from limpide.training.tuned_choice import choose_tuned, is_no_better
from limpide.training.weights import load_weights, save_weights
from limpide.workflows.train import deadline
from limpide.workflows.train.context import TrainContext


def tune_in_folds(job: TrainContext) -> Iterator[Event]:
    if job.done("folds"):
        return
    if not (job.recipe.folds and job.info.steps):
        job.enter("fit")
        return
    heads = FoldHeads.load(job.run)
    logits, began = np.empty_like(heads.logits), deadline.now()
    with limit_threads(job.info.threads):
        for k, fold in enumerate(heads.names.tolist()):
            if k and not _has_time(job, (deadline.now() - began) / k, len(heads.names) - k):
                yield from _give_up(job, message(NO_TIME))
                return
            own = heads.fold == fold
            try:
                logits[own] = yield from _ask_without(job, fold, bool(heads.mirrored[k]), heads.rows[own])
            except TrainingError as error:
                if error.code != GAVE_UP:
                    raise
                yield from _give_up(job, message(LOST, fold=fold, step=error.where))
                return
            machine.release_memory()
            first = heads.logits[own], logits[own], job.dataset.labels[heads.rows[own]]
            if not k and job.info.wanted.get("epochs") is None and is_no_better(*first, job.recipe.balance == "yes"):
                yield from _give_up(job, _compared(NO_BETTER, *first))
                return
    yield from _settle(job, heads, logits)


NO_TIME = N_("no fine-tuning: there is no time left for it, so the first model is kept")
LOST = N_(
    "no fine-tuning: without fold {fold}, the loss was not a finite number or exploded, although the learning rate was "
    "halved three times ({step}); the first model is kept"
)
NO_BETTER = N_(
    "the network stays as it was published: in the first fold, fine-tuning is no better (correct: "
    "{tuned:percent} of {n:count} images, {frozen:percent} with a new last layer alone); --folds 5 --epochs 8 "
    "asks for all folds"
)


def _has_time(job: TrainContext, seconds: float, folds: int) -> bool:
    """Whether `folds` more folds of `seconds` each, the training on all images and what follows fit into the time that
    was asked for.
    """
    if job.deadline.allows((folds + 1) * seconds + require(job.info.quote, "quote").after):
        return True
    job.leave_out(deadline.FINE_TUNING)
    return False


def _give_up(job: TrainContext, says: Message) -> Iterator[Event]:
    yield job.say("decision", says)
    job.enter("fit", steps=0)
    _forget(job, FoldHeads.load(job.run).names)


def _forget(job: TrainContext, folds: np.ndarray) -> None:
    """Delete networks that judge nothing, 14 MB each."""
    for fold in folds.tolist():
        network_file(job.run, fold).unlink(missing_ok=True)


def take_back_tuning(job: TrainContext) -> Iterator[Event]:
    """Undo the fine-tuning if the last training, on all images, ended early: every fold is judged, and the model is
    shipped, as if nothing had been fine-tuned.
    """
    heads = FoldHeads.load(job.run)
    (job.run.snapshots / TUNED_FILE).unlink(missing_ok=True)
    _forget(job, heads.names)
    truth = job.dataset.labels[heads.rows]
    weights = balanced_weights(truth) if job.recipe.balance == "yes" else None
    job.run.update(temperature=fit_temperature(heads.logits, truth, of="folds", weights=weights))
    job.info = job.run.info()
    yield job.say("decision", message(N_("fine-tuning ended before its last step: the first model is kept")))


def _settle(job: TrainContext, heads: FoldHeads, logits: np.ndarray) -> Iterator[Event]:
    """logits: float32 (n, classes), of the judged images, by the network that was fine-tuned without them."""
    truth = job.dataset.labels[heads.rows]
    found = choose_tuned(heads.logits, logits, truth, heads.fold, heads.names, job.recipe.balance == "yes")
    TunedFolds(logits, found.temperatures, found.chosen).save(job.run)
    yield job.say("decision", _says(heads.logits, logits, truth, found.is_better))
    if found.is_better:
        job.enter("fit", temperature=found.temperature)
    else:
        job.enter("fit", steps=0)
        _forget(job, heads.names[~found.chosen])


def _says(frozen: np.ndarray, tuned: np.ndarray, truth: np.ndarray, is_better: bool) -> Message:
    says = (
        N_(
            "the network is fine-tuned: in the folds, its probabilities fit the labels better (correct: "
            "{tuned:percent} of {n:count} images, {frozen:percent} with a new last layer alone)"
        )
        if is_better
        else N_(
            "the network stays as it was published: in the folds, fine-tuning does not make its probabilities "
            "fit the labels better (correct: {tuned:percent} of {n:count} images, {frozen:percent} with a new "
            "last layer alone)"
        )
    )
    return _compared(says, frozen, tuned, truth)


def _compared(says: str, frozen: np.ndarray, tuned: np.ndarray, truth: np.ndarray) -> Message:
    right_frozen, right_tuned = (float((logits.argmax(1) == truth).mean()) for logits in (frozen, tuned))
    return message(says, n=len(truth), frozen=right_frozen, tuned=right_tuned)


def _ask_without(job: TrainContext, fold: int, flip: bool, rows: np.ndarray) -> Generator[Event, None, np.ndarray]:
    """float32 (len(rows), classes): logits of these images, those of the fold without which the network is fine-tuned.
    The network is kept.
    """
    file, model = network_file(job.run, fold), place_on_device(job.network(job.pixels().preprocessing), job.device)
    try:
        load_weights(model, file)
    except RunError:  # not there, or damaged
        model = yield from _tuned_without(job, fold, job.recipe.but(flip="yes" if flip else "no"))
        save_weights(model, file)
    shutil.rmtree(_checkpoints(job, fold), ignore_errors=True)
    return np.asarray(logits_of(model, job.batches_of(rows, job.judging_batch)).numpy())


def _tuned_without(job: TrainContext, fold: int, recipe: Recipe) -> Generator[Event, None, nn.Module]:
    rows = job.rows("train")
    rows = rows[job.folds[rows] != fold]
    batches = job.batches_of(rows)
    steps = round(require(job.info.epochs, "epochs") * len(batches))
    state = start_state(job.network(job.pixels().preprocessing), recipe, steps)
    yield from _steps(job, state, batches, recipe, fold)
    state.use_last()
    if recipe.balance == "yes":
        balance(state.model, priors(job.dataset.labels[rows], len(job.dataset.learned_classes)))
    return state.model


def _steps(job: TrainContext, state: TrainState, batches: Batches, recipe: Recipe, fold: int) -> Iterator[Event]:
    folder, began = _checkpoints(job, fold), deadline.now()
    folder.mkdir(exist_ok=True)
    classes = len(job.dataset.learned_classes)
    augment = decide_augmentation(recipe, require(job.info.epochs, "epochs"), job.seen.grey, classes)
    restored = load_checkpoint(folder)
    if restored:
        state.restore(restored.tensors, restored.numbers)
    checkpoints = CheckpointWriter(state, folder, lambda: 0)
    says = message(N_("fine-tuning without fold {fold}"), fold=fold)
    with contextlib.closing(fit(state, batches, None, recipe, augment=augment)) as loop:  # type: ignore[type-var]
        for event in loop:
            if isinstance(event, Note):
                checkpoints.save()  # a resume goes on with the same rate and the same parts
            else:
                checkpoints.save_if_due()
            try:
                if isinstance(event, Note):  # shown and not recorded: a resume may find this fold done
                    yield event
                yield Progress(says, state.step, state.steps)
            except GeneratorExit:
                checkpoints.save()
                job.stop(deadline.now() - began)
                raise
    job.run.update(fit_seconds=job.info.fit_seconds + deadline.now() - began)
    job.info = job.run.info()


def _checkpoints(job: TrainContext, fold: int) -> Path:
    return job.run.checkpoints / f"fold-{fold}"
