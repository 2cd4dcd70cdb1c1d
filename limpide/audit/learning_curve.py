"""The progress of a training in plain words, from its events alone, for the user who watches it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limpide.core.events import Epoch
from limpide.core.finding import Verdict
from limpide.core.recipe import Recipe
from limpide.core.run_info import RunInfo
from limpide.text.messages import N_, Message, message

EARLY, LATE = 20, 100  # steps: the beginning, and when something should have been learned
MIN_STEPS = 10  # steps: the fewest on which a finished training is judged
NOTHING = 0.97  # of the first loss: above, nothing was learned
WORSE = 1.02  # times the lowest validation loss: above, it has risen
PATIENCE = 2  # epochs without a better one
OVERFITS = N_("It overfits from epoch {n:count} on: the validation loss rises while the training loss falls.")


def diagnose(
    losses: Sequence[float],
    epochs: Sequence[Epoch],
    kept: str | None = None,
    guess: float = math.inf,
    *,
    keeps_last: bool = False,
) -> list[tuple[Verdict, Message]]:
    """Return (kind, sentence), most important first. losses: of each step, nats an image. kept: the kind of the network
    that was kept (run_info.Final), which the first sentence then describes; None while it learns.

    guess: the loss of giving every class the same probability, ln(classes), where it is known. keeps_last: whether the
    weights of the last epoch are kept, not the best.
    """
    if any(not math.isfinite(loss) for loss in losses[-EARLY:]):
        return [("bad", message(N_("The loss is no longer a number: the learning rate is too high.")))]
    kept_epoch = None if kept is None else len(epochs) - 1 if keeps_last else _find_kept_epoch(epochs)
    steps = _judge_steps(losses, epochs, kept_epoch, guess)
    judgements = [] if steps is None else [steps]
    if kept == "frozen" and epochs:
        return [
            (
                "ok",
                message(
                    N_("Fine-tuning did no better on validation than the first model, so the first model is kept.")
                ),
            ),
            *judgements,
        ]
    if len(epochs) >= 2 and not any(epoch.validated for epoch in epochs):
        return [*judgements, ("unknown", _describe_unseen(epochs))]
    if len(epochs) >= 2:
        return [*judgements, _judge_epochs(epochs, kept_epoch, keeps_last)]
    return judgements or _describe_beginning(losses, epochs, is_over=kept is not None)


def diagnose_run(info: RunInfo, losses: Sequence[float], epochs: Sequence[Epoch]) -> list[tuple[Verdict, Message]]:
    """`diagnose`, with what the run recorded: its loss, its classes, the weights that it keeps."""
    recipe, n = Recipe.from_json(info.recipe), max(1, len(info.classes))
    # the loss of treating all classes alike: equal probabilities, equal scores, outputs of 1/n
    guesses = {"cross-entropy": math.log(n), "hinge": (n - 1) / n, "squared": 1 - 1 / n}
    guess = guesses.get(recipe.loss, math.inf) if n > 1 else math.inf
    kept = info.final.kind if info.final else None
    return diagnose(losses, epochs, kept, guess, keeps_last=recipe.keep == "last")


def _find_kept_epoch(epochs: Sequence[Epoch]) -> int:
    """The place of the epoch whose weights are kept: the last best one; -1 if there is none."""
    return max((k for k, epoch in enumerate(epochs) if epoch.best), default=len(epochs) - 1)


def _judge_steps(
    losses: Sequence[float], epochs: Sequence[Epoch], kept_epoch: int | None, guess: float
) -> tuple[Verdict, Message] | None:
    """Whether the loss of the steps rose, or never fell; None if neither, or if there are too few steps to say."""
    is_over = kept_epoch is not None
    if len(losses) < (MIN_STEPS if is_over else LATE):
        return None
    width = min(EARLY, len(losses) // 5)
    # A rate that is far too high raises the loss within a few steps: then compare with guessing, not with the
    # beginning.
    first, now = min(_mean(losses[:width]), guess), _mean(losses[-width:])
    if now > 2 * first > 0:
        return "bad", _describe_rise(epochs, kept_epoch)
    beats_guess = math.isfinite(guess) and any(epoch.validation_loss < NOTHING * guess for epoch in epochs)
    return _judge_standstill(max(losses), first, is_over) if now > NOTHING * first > 0 and not beats_guess else None


def _describe_rise(epochs: Sequence[Epoch], kept_epoch: int | None) -> Message:
    if kept_epoch is not None and kept_epoch < len(epochs) - 1:
        says = N_(
            "The weights after epoch {kept:count} are kept; later the loss rose to twice its initial value: the "
            "learning rate is too high."
        )
        return message(says, kept=kept_epoch + 1)
    return message(N_("The loss is twice its initial value: the learning rate is too high."))


def _judge_epochs(epochs: Sequence[Epoch], kept_epoch: int | None, keeps_last: bool) -> tuple[Verdict, Message]:
    """The verdict and sentence on the losses of two epochs or more, on validation and on training."""
    best = min(range(len(epochs)), key=lambda k: epochs[k].validation_loss)
    last = epochs[-1]
    if len(epochs) - 1 - best < PATIENCE:
        return "ok", _describe_progress(best, len(epochs), is_over=kept_epoch is not None)
    if last.validation_loss > WORSE * epochs[best].validation_loss and last.train_loss < epochs[best].train_loss:
        return (
            ("warn", message(OVERFITS, n=best + 2))
            if kept_epoch is None
            else _judge_overfitting(best, kept_epoch, keeps_last)
        )
    if kept_epoch is None:
        return "unknown", message(N_("The validation loss has not fallen since epoch {n:count}."), n=best + 1)
    says = N_(
        "The weights after epoch {kept:count} are kept; the validation loss has not fallen since epoch {n:count}."
    )
    return "unknown", message(says, kept=kept_epoch + 1, n=best + 1)


def _describe_progress(best: int, epochs: int, is_over: bool) -> Message:
    if is_over:
        says = N_("Learned without overfitting: the validation loss was lowest in epoch {n:count} of {total:count}.")
        return message(says, n=best + 1, total=epochs)
    return message(N_("Still learning: the validation loss was lowest in epoch {n:count}."), n=best + 1)


def _describe_unseen(epochs: Sequence[Epoch]) -> Message:
    says = N_(
        "The training loss went from {first:number} in the first epoch to {last:number} in the last; no image "
        "was set aside to tell whether it overfits."
    )
    return message(says, first=epochs[0].train_loss, last=epochs[-1].train_loss)


def _describe_beginning(
    losses: Sequence[float], epochs: Sequence[Epoch], is_over: bool
) -> list[tuple[Verdict, Message]]:
    """Remarks before the second epoch; none before the first step."""
    if losses and not is_over:
        says = (
            N_("One epoch done: no trend is visible yet.")
            if epochs
            else N_("Learning; the first validation comes at the end of the epoch.")
        )
        return [("ok", message(says))]
    if not epochs:
        return []
    if not epochs[-1].validated:
        says = N_("One epoch done; there are no validation images to measure its effect.")
        return [("unknown", message(says))]
    says = N_("One epoch done: validation accuracy {accuracy:percent}.")
    return [("ok", message(says, accuracy=epochs[-1].validation_accuracy))]


def _judge_overfitting(best: int, kept_epoch: int, keeps_last: bool) -> tuple[Verdict, Message]:
    """best: the place of the epoch after which the validation loss rose. The weights of the most accurate epoch are
    kept, which may be a later one.
    """
    if kept_epoch <= best:
        says = N_(
            "The weights after epoch {kept:count} are kept, from before it overfits: from epoch {n:count} on, "
            "the validation loss rises while the training loss falls."
        )
        return "ok", message(says, kept=kept_epoch + 1, n=best + 2)
    says = N_(
        "The weights after epoch {kept:count} are kept: they had the highest validation accuracy. However, it "
        "overfits from epoch {n:count} on: the validation loss rises while the training loss falls."
    )
    if keeps_last:
        says = N_(
            "The weights after the last epoch are kept, as asked (--keep last). However, it overfits from epoch "
            "{n:count} on: the validation loss rises while the training loss falls. --keep best takes the best ones."
        )
    return "warn", message(says, kept=kept_epoch + 1, n=best + 2)


def _judge_standstill(highest: float, first: float, is_over: bool) -> tuple[Verdict, Message]:
    if highest > 2 * first:
        says = N_("The loss rose to {highest:number} and nothing was learned: the learning rate is too high.")
        return "bad", message(says, highest=highest)
    if is_over:
        return "warn", message(
            N_(
                "Nothing was learned: the loss ended no better than guessing. Try another learning rate, and "
                "check that the labels are correct."
            )
        )
    return "warn", message(N_("Nothing learned so far: the loss is where it began. Try another learning rate."))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
