"""Divergence, rates, overfitting and underfitting, from the events of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from limpide.audit.diagnosis.record import Changes, Diagnosis, Rate, TrainingRecord, describe_rate
from limpide.core.events import Epoch
from limpide.text.messages import N_, Message, message

EARLY, LATE = 20, 100  # steps: the beginning, and when something should have been learned
MIN_STEPS = 10  # steps: the fewest on which a finished training is judged
NOTHING = 0.97  # of the first loss: above, nothing was learned
RISES = 1.25  # times the loss of guessing, in the mean of some steps: the rate is too large
FAR = 5.0  # times the usual rate: above, a rate is far from it
WAVERS = 1.03  # times the lowest training loss of an epoch before: above, it has risen
LARGE_START = 4.0  # times the loss of guessing: outputs are small with sound initial weights
LITTLE = 0.6  # of the loss of guessing: above, little was learned
SMALL = 0.2  # times the usual rate: below, a rate is small
WORSE = 1.05  # times the lowest validation loss: above, it has risen
RISE = 0.02  # of the loss of guessing: a rise that is smaller is next to nothing, however low the loss was
PATIENCE = 2  # epochs without a better one
GAP = 0.08  # share: training images named rightly beyond validation images, that only overfitting explains
UNFIT = 0.8  # share of the training images: a network that names fewer of them rightly underfits
OVERFITTING: Changes = (("augment", "strong"),)
OVERFITS = N_("It overfits from epoch {n:count} on: the validation loss rises while the training loss falls.")


def judge_steps(record: TrainingRecord) -> Diagnosis | None:
    """Whether the loss of the steps is not finite, rose, or hardly fell; None if none of it, or if there are too few
    steps to say.
    """
    losses = record.losses
    if any(not math.isfinite(loss) for loss in losses[-EARLY:]):
        says = message(N_("The loss is no longer a number: the learning rate is too high."))
        return Diagnosis("bad", says, "divergence", record.epoch_of(len(losses) - 1), lower_rate(record.rate))
    if len(losses) < (MIN_STEPS if record.is_over else LATE):
        return None
    width = min(EARLY, len(losses) // 5)
    # A rate that is far too high raises the loss within a few steps: then compare with guessing, not with the
    # beginning.
    began_large = losses[0] > LARGE_START * record.guess  # by its initial weights, not by its rate
    first, now = _mean(losses[:width]), _mean(losses[-width:])
    first = first if began_large else min(first, record.guess)
    is_poor = now > LITTLE * record.guess or not math.isfinite(record.guess)
    if now > 2 * first > 0 and is_poor:
        says = _describe_rise(record, than_guess=not began_large and record.guess <= _mean(losses[:width]))
        return Diagnosis("bad", says, "divergence", record.epoch_of(len(losses) - 1), lower_rate(record.rate))
    learned = any(epoch.validation_loss < NOTHING * record.guess for epoch in record.epochs)
    stands = now > NOTHING * first > 0 and not (math.isfinite(record.guess) and learned)
    highest, where = _highest(losses, width)
    if (
        not began_large
        and highest > RISES * (record.guess if math.isfinite(record.guess) else first)
        and (stands or _is_large(record.rate))
    ):
        return _name_large_rate(record, max(losses), where, stands)
    if stands:
        return _name_standstill(record, max(losses), first)
    if found := _name_wavering(record):
        return found
    if now > LITTLE * record.guess and _is_small(record.rate):
        return _name_small_rate(record, first, now)
    return None


def judge_rollbacks(record: TrainingRecord) -> Diagnosis | None:
    """Whether training went back to earlier weights, as a loss was no finite number or exploded."""
    if not record.rollbacks:
        return None
    says = N_("The loss ran away in step {step:count}: training went back once, and on at half the rate.")
    if len(record.rollbacks) > 1:
        says = N_(
            "The loss ran away {n:count} times, first in step {step:count}: training went back each time, and on at "
            "half the rate."
        )
    epoch, rate = record.epoch_of(record.rollbacks[0] - 1), record.rate
    changes = lower_rate(rate)
    if rate and rate.usual and rate.usual >= rate.taken:  # the usual rate ran away: take what training came to
        changes = (("lr", _format(rate.taken * 0.5 ** len(record.rollbacks))),)
    text = message(says, n=len(record.rollbacks), step=record.rollbacks[0])
    return Diagnosis("warn", text, "divergence", epoch, (*changes, ("clip", "1")), _rate(record))


def judge_epochs(record: TrainingRecord) -> Diagnosis:
    """Overfitting, or how the losses of two epochs or more went, on validation and on training."""
    epochs, kept_epoch = record.epochs, record.kept_epoch
    best = min(range(len(epochs)), key=lambda k: epochs[k].validation_loss)
    last = epochs[-1]
    if len(epochs) - 1 - best < PATIENCE:
        return Diagnosis("ok", _describe_progress(best, len(epochs), is_over=record.is_over))
    if _has_risen(record, epochs[best].validation_loss) and last.train_loss < epochs[best].train_loss:
        if kept_epoch is None:
            return Diagnosis("warn", message(OVERFITS, n=best + 2), "overfitting", best + 2, OVERFITTING)
        return _judge_overfitting(best, kept_epoch, record.keeps_last)
    if kept_epoch is None:
        says = message(N_("The validation loss has not fallen since epoch {n:count}."), n=best + 1)
        return Diagnosis("unknown", says)
    text = N_(
        "The weights after epoch {kept:count} are kept; the validation loss has not fallen since epoch {n:count}."
    )
    return Diagnosis("unknown", message(text, kept=kept_epoch + 1, n=best + 1))


def _has_risen(record: TrainingRecord, lowest: float) -> bool:
    """Whether the last validation loss is clearly above the lowest one."""
    least = RISE * record.guess if math.isfinite(record.guess) else 0.0
    return record.epochs[-1].validation_loss > max(WORSE * lowest, lowest + least)


def judge_gap(record: TrainingRecord) -> Diagnosis | None:
    """Overfitting or underfitting, from the accuracies on training and on validation of the weights that are kept (or
    of the last ones); None where there are none to compare.
    """
    if not record.epochs or not record.epochs[-1].validated:
        return None
    place = len(record.epochs) - 1 if record.kept_epoch is None else record.kept_epoch
    epoch = record.epochs[place]
    trained = epoch.train_accuracy
    if trained is None:
        return None
    values: dict[str, Any] = {"trained": trained, "validation": epoch.validation_accuracy, "n": place + 1}
    signs = record.examination.validation if record.examination else None
    if signs and trained - epoch.validation_accuracy > GAP + 2 * _standard_error(epoch, signs.n):
        says = N_(
            "It overfits: after epoch {n:count} it names {trained:percent} of the training images rightly, but "
            "{validation:percent} of the validation images."
        )
        return Diagnosis("warn", message(says, **values), "overfitting", place + 1, OVERFITTING)
    if record.is_over and trained < UNFIT:
        return _name_underfitting(record, place, values)
    return None


def _standard_error(epoch: Epoch, n: int) -> float:
    """Of the accuracy on n validation images."""
    share = (n * epoch.validation_accuracy + 1) / (n + 2)  # never 0 or 1
    return math.sqrt(share * (1 - share) / n)


def _name_underfitting(record: TrainingRecord, place: int, values: dict[str, Any]) -> Diagnosis:
    losses = [epoch.validation_loss for epoch in record.epochs]
    short = place >= len(losses) - PATIENCE  # the best epoch is among the last ones: it had not stopped learning
    says = N_(
        "It underfits: it names only {trained:percent} of the training images themselves rightly, and "
        "{validation:percent} of the validation images."
    )
    if short:
        epochs = str(max(2, 3 * len(losses)))
        return Diagnosis("warn", message(says, **values), "underfitting", place + 1, (("epochs", epochs),))
    todo = message(
        N_(
            "Longer training alone does not help: try a larger network (limpide models), or larger squares "
            "(--image-size)."
        )
    )
    return Diagnosis("warn", message(says, **values), "underfitting", place + 1, todo=todo)


def describe_kept_first_model() -> Diagnosis:
    says = N_("Fine-tuning did no better on validation than the first model, so the first model is kept.")
    return Diagnosis("ok", message(says))


def describe_without_validation(epochs: Sequence[Epoch]) -> Diagnosis:
    says = N_(
        "The training loss went from {first:number} in the first epoch to {last:number} in the last; no image "
        "was set aside to tell whether it overfits."
    )
    return Diagnosis("unknown", message(says, first=epochs[0].train_loss, last=epochs[-1].train_loss))


def describe_beginning(record: TrainingRecord) -> list[Diagnosis]:
    """Remarks before the second epoch; none before the first step."""
    epochs = record.epochs
    if record.losses and not record.is_over:
        says = (
            N_("One epoch done: no trend is visible yet.")
            if epochs
            else N_("Learning; the first validation comes at the end of the epoch.")
        )
        return [Diagnosis("ok", message(says))]
    if not epochs:
        return []
    if not epochs[-1].validated:
        says = N_("One epoch done; there are no validation images to measure its effect.")
        return [Diagnosis("unknown", message(says))]
    says = N_("One epoch done: validation accuracy {accuracy:percent}.")
    return [Diagnosis("ok", message(says, accuracy=epochs[-1].validation_accuracy))]


def _name_large_rate(record: TrainingRecord, highest: float, where: int, stands: bool) -> Diagnosis:
    epoch = record.epoch_of(where)
    if stands:
        says = N_("The loss rose to {highest:number} and nothing was learned: the learning rate is too high.")
    else:
        says = N_(
            "The learning rate is too high: the loss rose to {highest:number} in epoch {epoch:count} before it fell."
        )
    text = message(says, highest=highest, epoch=epoch)
    return Diagnosis("bad" if stands else "warn", text, "large rate", epoch, lower_rate(record.rate), _rate(record))


def _name_wavering(record: TrainingRecord) -> Diagnosis | None:
    """A training loss that rises from one epoch to a later one, well above zero, at several times the usual rate."""
    epochs, rate = record.epochs, record.rate
    if rate is None or rate.usual is None or rate.taken < FAR * rate.usual or not math.isfinite(record.guess):
        return None
    for k in range(1, len(epochs)):
        before, now = min(epoch.train_loss for epoch in epochs[:k]), epochs[k].train_loss
        if now > WAVERS * before and now > 0.2 * record.guess:
            says = N_(
                "The learning rate is too high: the training loss rose from {before:number} to {now:number} in epoch "
                "{epoch:count}."
            )
            text = message(says, before=before, now=now, epoch=k + 1)
            return Diagnosis("warn", text, "large rate", k + 1, lower_rate(rate), _rate(record))
    return None


def _name_small_rate(record: TrainingRecord, first: float, now: float) -> Diagnosis:
    says = N_(
        "The learning rate is too low: the loss went only from {first:number} to {now:number}, and was still falling."
    )
    changes = (("lr", _format(record.rate.usual)),) if record.rate and record.rate.usual else ()
    return Diagnosis("warn", message(says, first=first, now=now), "small rate", 1, changes, _rate(record))


def _name_standstill(record: TrainingRecord, highest: float, first: float) -> Diagnosis:
    if _is_small(record.rate):
        return _name_small_rate(record, first, _mean(record.losses[-EARLY:]))
    if highest > 2 * first:
        return _name_large_rate(record, highest, list(record.losses).index(highest), stands=True)
    says = N_("Nothing learned so far: the loss is where it began. Try another learning rate.")
    if record.is_over:
        says = N_(
            "Nothing was learned: the loss ended no better than guessing. Try another learning rate, and "
            "check that the labels are correct."
        )
    return Diagnosis("warn", message(says), "standstill", 1, todo=_rate(record))


def _rate(record: TrainingRecord) -> Message | None:
    return describe_rate(record.rate) if record.rate else None


def lower_rate(rate: Rate | None) -> Changes:
    """The option of a lower rate: the usual one, or a tenth where that was taken."""
    if rate is None:
        return ()
    usual = rate.usual if rate.usual and rate.usual < 0.5 * rate.taken else rate.taken / 10
    return (("lr", _format(usual)),)


def _format(rate: float | None) -> str:
    return f"{rate:.2g}" if rate else ""


def _is_small(rate: Rate | None) -> bool:
    return rate is not None and rate.usual is not None and rate.taken < SMALL * rate.usual


def _is_large(rate: Rate | None) -> bool:
    """Whether the rate is above the usual one."""
    return rate is not None and rate.usual is not None and rate.taken > 1.01 * rate.usual


def _highest(losses: Sequence[float], width: int) -> tuple[float, int]:
    """The highest mean of some steps in a row, and the place of the last of them."""
    width = max(3, width // 2)
    sums = [math.fsum(losses[k - width : k]) for k in range(width, len(losses) + 1)]
    place = max(range(len(sums)), key=sums.__getitem__)
    return sums[place] / width, place + width - 1


def _describe_rise(record: TrainingRecord, than_guess: bool) -> Message:
    """than_guess: whether the loss was compared with that of guessing, as it was no lower at the beginning."""
    kept = record.kept_epoch
    if kept is not None and kept < len(record.epochs) - 1:
        says = N_(
            "The weights after epoch {kept:count} are kept; later the loss rose to twice its initial value: the "
            "learning rate is too high."
        )
        if than_guess:
            says = N_(
                "The weights after epoch {kept:count} are kept; later the loss was twice that of guessing: the "
                "learning rate is too high."
            )
        return message(says, kept=kept + 1)
    if than_guess:
        return message(N_("The loss is twice that of guessing: the learning rate is too high."))
    return message(N_("The loss is twice its initial value: the learning rate is too high."))


def _describe_progress(best: int, epochs: int, is_over: bool) -> Message:
    if is_over:
        says = N_("Learned without overfitting: the validation loss was lowest in epoch {n:count} of {total:count}.")
        return message(says, n=best + 1, total=epochs)
    return message(N_("Still learning: the validation loss was lowest in epoch {n:count}."), n=best + 1)


def _judge_overfitting(best: int, kept_epoch: int, keeps_last: bool) -> Diagnosis:
    """best: the place of the epoch after which the validation loss rose. The weights of the most accurate epoch are
    kept, which may be a later one.
    """
    if kept_epoch <= best:
        says = N_(
            "The weights after epoch {kept:count} are kept, from before it overfits: from epoch {n:count} on, "
            "the validation loss rises while the training loss falls."
        )
        return Diagnosis("ok", message(says, kept=kept_epoch + 1, n=best + 2), "overfitting", best + 2)
    says = N_(
        "The weights after epoch {kept:count} are kept: they had the highest validation accuracy. However, it "
        "overfits from epoch {n:count} on: the validation loss rises while the training loss falls."
    )
    changes = OVERFITTING
    if keeps_last:
        says = N_(
            "The weights after the last epoch are kept, as asked (--keep last). However, it overfits from epoch "
            "{n:count} on: the validation loss rises while the training loss falls. --keep best takes the best ones."
        )
        changes = (("keep", "best"),)
    return Diagnosis("warn", message(says, kept=kept_epoch + 1, n=best + 2), "overfitting", best + 2, changes)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
