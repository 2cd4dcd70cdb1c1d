"""The training loop, a generator: the caller iterates over it to watch, stop and save.

for event in fit(state, train, validation, recipe):
    ...                      # every `yield` leaves `state` complete and consistent
    if enough: break
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence

import torch
from torch import Tensor, nn

from limpide.core.errors import TrainingError
from limpide.core.events import Epoch, Note, Step
from limpide.core.recipe import Recipe
from limpide.training.augment.base import Augment
from limpide.training.batches import Batch, Batches, split_batch
from limpide.training.device import autocast
from limpide.training.losses import LossFn, judging_rule, loss_function
from limpide.training.optim.gradients import GradientChange, gradient_changes
from limpide.training.out_of_memory import halve_parts, in_halves, is_out_of_memory
from limpide.training.rollback import go_back, is_lost
from limpide.training.state import TrainState


def fit(
    state: TrainState,
    train: Batches,
    validation: Batches | None,
    recipe: Recipe,
    *,
    augment: Augment | None = None,
    loss_fn: LossFn | None = None,
    changes: Sequence[GradientChange] | None = None,
    sample: Batches | None = None,
) -> Iterator[Step | Epoch | Note]:
    """Train until `state.steps` steps are done; yield a Step after each update, an Epoch after each epoch, and a Note
    where an update was tried again: its loss was lost (rollback.py), or the memory did not suffice (out_of_memory.py).
    Raises TrainingError where this is of no use.

    loss_fn, changes (of the gradients): as the recipe says, unless they are given. sample: training images that are
    scored after each epoch, as those of validation are.
    """
    loss_fn = loss_fn or loss_function(recipe)
    changes = gradient_changes(recipe) if changes is None else changes
    epoch_began = time.perf_counter()
    while state.step < state.steps or state.position:
        state.begin_pass()
        for batch in train.shuffled(recipe.seed, state.epoch, start=state.position):
            if state.step >= state.steps:  # the plan may be shortened after any Step or Epoch
                break
            began = time.perf_counter()
            value = yield from _gradients_of(state, batch, train.accumulate, augment, loss_fn)
            lr = state.lr * state.schedule(state.epoch + state.position / len(train))
            for change in changes:
                change(state.model)
            state.optimizer.step(lr)
            state.count_update(value)
            yield Step(state.step, state.epoch, value, lr, time.perf_counter() - began)
        event = yield from _end_epoch(state, validation, sample, recipe, epoch_began)
        epoch_began = time.perf_counter()
        yield event


def _gradients_of(
    state: TrainState, batch: Batch, accumulate: int, augment: Augment | None, loss_fn: LossFn
) -> Generator[Note, None, float]:
    """Add up the gradients of a batch, part by part, and return its loss; try again, and say so, where that fails."""
    while True:
        images, targets = augment(*batch, state.generator) if augment is not None else batch
        parts = max(accumulate, state.parts)
        state.optimizer.zero_grad()  # only here, so that a watcher sees those of the last step
        loss = _backward(state.model, split_batch((images, targets), parts), loss_fn)
        if loss is None:
            yield halve_parts(state, len(images), parts)
        elif is_lost(loss, state):
            yield go_back(state, state.step + 1, loss)
        else:
            return loss


def _backward(model: nn.Module, parts: list[tuple[float, Batch]], loss_fn: LossFn) -> float | None:
    """The loss, or None where the memory does not suffice."""
    losses = []
    try:
        for share, part in parts:
            loss = share * loss_fn(model, part)
            loss.backward()
            losses.append(loss.detach())
        return float(sum(losses))
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            return None
        raise


def _end_epoch(
    state: TrainState, validation: Batches | None, sample: Batches | None, recipe: Recipe, began: float
) -> Generator[Note, None, Epoch]:
    """Score the weights, keep them if they are the best, and begin the next epoch."""
    train_loss, has_gone_back = state.loss_sum / state.position, False
    while True:
        with state.judged_weights():
            loss, accuracy = evaluate(state.model, validation, recipe) if validation is not None else (train_loss, 0.0)
            train_accuracy = evaluate(state.model, sample, recipe)[1] if sample is not None else None
            if math.isfinite(loss) and (validation is not None or _are_finite(state.model)):
                best = state.keep_if_best(accuracy, loss)
                break
        if has_gone_back:  # weights that were sound before: it is not the training
            raise TrainingError("L603", where=f"epoch {state.epoch + 1}")
        yield go_back(state, state.step, math.nan)  # the last step made the weights infinite
        has_gone_back = True
    seconds = time.perf_counter() - began
    event = Epoch(state.epoch, state.step, train_loss, loss, accuracy, best, seconds, train_accuracy)
    state.losses.append(loss)
    state.epoch, state.position, state.loss_sum = state.epoch + 1, 0, 0.0
    return event


def _are_finite(model: nn.Module) -> bool:
    """Whether all that training changes is finite. Other buffers, such as a mask of attention, may hold infinities."""
    normalized = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    changed = [*model.parameters(), *(buffer for module in normalized for buffer in module.buffers())]
    return all(bool(value.isfinite().all()) for value in changed)


@torch.inference_mode()
def logits_of(model: nn.Module, batches: Batches, precision: str = "fp32") -> Tensor:
    """Logits of all images in order, float32 (n, classes) on the processor."""
    model.eval()
    all_logits, done = torch.zeros(0, 1), 0
    for images, _ in batches.in_order():
        logits = _answers(model, images, precision)
        if not done:  # one block for all: thousands of small ones between large temporary ones would fragment memory
            all_logits = torch.empty(len(batches.rows), logits.shape[1])
        all_logits[done : done + len(logits)] = logits
        done += len(logits)
    return all_logits[:done]


@torch.inference_mode()
def evaluate(model: nn.Module, batches: Batches, recipe: Recipe) -> tuple[float, float]:
    """(mean loss of an image, accuracy as a share). The loss is that of the recipe, without label smoothing."""
    rule = judging_rule(recipe)
    model.eval()
    loss, right, n = 0.0, 0, 0
    for images, labels in batches.in_order():
        logits = _answers(model, images, recipe.precision)
        loss += rule(logits, labels, 0.0).item() * len(labels)
        right += int((logits.argmax(1) == labels).sum())
        n += len(labels)
    return (loss / n, right / n) if n else (0.0, 0.0)


def _answers(model: nn.Module, images: Tensor, precision: str) -> Tensor:
    with autocast(images.device, precision):
        return in_halves(model, images).float()


def has_stalled(state: TrainState, patience: int) -> bool:
    """Whether validation has not improved for `patience` epochs. A function of the state alone, so a resume agrees."""
    return state.epoch - 1 - state.best_epoch >= patience
