"""How a training goes, in plain words, from its events alone: for whoever watches it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limpide.core.events import Epoch
from limpide.core.finding import Verdict
from limpide.text.messages import N_, Message, message

EARLY, LATE = 20, 100  # steps: at the beginning, and after which something should have been learned
MIN_STEPS = 10  # steps: a training that is over is judged from here on
NOTHING = 0.97  # of the first loss: above, nothing was learned
WORSE = 1.02  # times the least validation loss: above, it has risen
PATIENCE = 2  # passes without a better one
OVERFITS = N_("It overfits from epoch {n:count} on: the loss on validation rises while the loss on training falls.")


def diagnose(
    losses: Sequence[float], epochs: Sequence[Epoch], kept: str | None = None, guess: float = math.inf
) -> list[tuple[Verdict, Message]]:
    """(kind, sentence), most important first. losses: of each step, nats an image. kept: the kind of the network that
    was kept (run_info.Final), of which the first sentence speaks then; None while it learns.

    guess: the loss of who gives every class the same probability, ln(classes), where the number of classes is known.
    """
    over, found = kept is not None, list[tuple[Verdict, Message]]()
    kept_pass = max((k for k, epoch in enumerate(epochs) if epoch.best), default=len(epochs) - 1)
    earlier = over and kept_pass < len(epochs) - 1
    if any(not math.isfinite(loss) for loss in losses[-EARLY:]):
        return [("bad", message(N_("The loss is not a number any more: the learning rate is too high.")))]
    if len(losses) >= (MIN_STEPS if over else LATE):
        width = min(EARLY, len(losses) // 5)
        # A rate that is far too high raises the loss within few steps: then the beginning is no measure, but guessing
        # is.
        first, now = min(_mean(losses[:width]), guess), _mean(losses[-width:])
        known = any(epoch.validation_loss < NOTHING * guess for epoch in epochs) if math.isfinite(guess) else False
        if now > 2 * first > 0 and earlier:
            says = N_(
                "The weights after epoch {kept:count} are kept; later the loss rose to twice what it was at the "
                "beginning: the learning rate is too high."
            )
            found.append(("bad", message(says, kept=kept_pass + 1)))
        elif now > 2 * first > 0:
            found.append(
                ("bad", message(N_("The loss is twice what it was at the beginning: the learning rate is too high.")))
            )
        elif now > NOTHING * first > 0 and not known:
            found.append(_nothing(max(losses), first, over))
    if kept == "frozen" and epochs:
        return [
            ("ok", message(N_("Fine-tuning did no better on validation than the first model, which is kept."))),
            *found,
        ]
    if len(epochs) >= 2:
        best = min(range(len(epochs)), key=lambda k: epochs[k].validation_loss)
        last = epochs[-1]
        since = len(epochs) - 1 - best
        if (
            since >= PATIENCE
            and last.validation_loss > WORSE * epochs[best].validation_loss
            and last.train_loss < epochs[best].train_loss
        ):
            found.append(_overfitted(best, kept_pass) if over else ("warn", message(OVERFITS, n=best + 2)))
        elif since >= PATIENCE and over:
            says = N_(
                "The weights after epoch {kept:count} are kept; the loss on validation has not fallen since "
                "epoch {n:count}."
            )
            found.append(("unknown", message(says, kept=kept_pass + 1, n=best + 1)))
        elif since >= PATIENCE:
            found.append(
                ("unknown", message(N_("The loss on validation has not fallen since epoch {n:count}."), n=best + 1))
            )
        elif over:
            found.append(
                (
                    "ok",
                    message(
                        N_(
                            "Learned without overfitting: the loss on validation was lowest in epoch {n:count} "
                            "of {total:count}."
                        ),
                        n=best + 1,
                        total=len(epochs),
                    ),
                )
            )
        else:
            found.append(
                ("ok", message(N_("Still learning: the loss on validation was lowest in epoch {n:count}."), n=best + 1))
            )
    elif losses and not found and not over:
        says = (
            N_("One epoch done: no trend can be told yet.")
            if epochs
            else N_("Learning; the first look at validation comes at the end of the epoch.")
        )
        found.append(("ok", message(says)))
    elif epochs and not found and not epochs[-1].validated:
        found.append(
            ("unknown", message(N_("One epoch was made, and there are no validation images to say what it brought.")))
        )
    elif epochs and not found:
        found.append(
            (
                "ok",
                message(
                    N_("One epoch was made: {accuracy:percent} of validation right."),
                    accuracy=epochs[-1].validation_accuracy,
                ),
            )
        )
    return found


def _overfitted(best: int, kept: int) -> tuple[Verdict, Message]:
    """best: place of the pass after which the loss on validation rose. The weights of the most accurate pass are kept,
    which may be a later one.
    """
    if kept <= best:
        says = N_(
            "The weights after epoch {kept:count} are kept, from before it overfits: from epoch {n:count} on the "
            "loss on validation rises while the loss on training falls."
        )
        return "ok", message(says, kept=kept + 1, n=best + 2)
    says = N_(
        "The weights after epoch {kept:count} are kept, which had the highest validation accuracy although it "
        "overfits from epoch {n:count} on: the loss on validation rises while the loss on training falls."
    )
    return "warn", message(says, kept=kept + 1, n=best + 2)


def _nothing(highest: float, first: float, over: bool) -> tuple[Verdict, Message]:
    if highest > 2 * first:
        says = N_("The loss shot up to {highest:number} and nothing was learned: the learning rate is too high.")
        return "bad", message(says, highest=highest)
    if over:
        return "warn", message(
            N_(
                "Nothing was learned: the loss ended no better than guessing. Try another learning rate, and "
                "look whether the labels are right."
            )
        )
    return "warn", message(N_("Nothing learned so far: the loss is where it began. Try another learning rate."))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
