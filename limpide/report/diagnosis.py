"""How a training goes, in plain words, from its events alone: for whoever watches it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limpide.events import Epoch
from limpide.language import N_, Message, message

EARLY, LATE = 20, 100  # steps: at the beginning, and after which something should have been learned
NOTHING = 0.97  # of the first loss: above, nothing was learned
WORSE = 1.02  # times the least validation loss: above, it has risen
PATIENCE = 2  # passes without a better one


def diagnosis(losses: Sequence[float], epochs: Sequence[Epoch], over: bool = False) -> list[tuple[str, Message]]:
    """(kind, sentence), most important first. losses: of each step, nats an image. over: nothing more is learned."""
    found: list[tuple[str, Message]] = []
    if any(not math.isfinite(loss) for loss in losses[-EARLY:]):
        return [("bad", message(N_("The loss is not a number any more: the learning rate is too high.")))]
    if len(losses) >= LATE and (first := _mean(losses[:EARLY])) > 0:
        now = _mean(losses[-EARLY:])
        if now > 2 * first:
            found.append(("bad", message(N_("The loss is twice what it was at the beginning: the learning rate is too high."))))
        elif now > NOTHING * first:
            found.append(("warn", message(N_("Nothing learned so far: the loss is where it began. Try another learning rate."))))
    if len(epochs) >= 2:
        best = min(range(len(epochs)), key=lambda k: epochs[k].validation_loss)
        last = epochs[-1]
        since = len(epochs) - 1 - best
        if since >= PATIENCE and last.validation_loss > WORSE * epochs[best].validation_loss and last.train_loss < epochs[best].train_loss:
            found.append(
                (
                    "warn",
                    message(N_("Overfits since pass {n:count}: the loss on validation rises while the loss on training falls."), n=best + 2),
                )
            )
        elif since >= PATIENCE:
            found.append(("unknown", message(N_("The loss on validation has not fallen since pass {n:count}."), n=best + 1)))
        elif over:
            found.append(
                (
                    "ok",
                    message(
                        N_("Learned without overfitting: the loss on validation was lowest in pass {n:count} of {total:count}."), n=best + 1, total=len(epochs)
                    ),
                )
            )
        else:
            found.append(("ok", message(N_("Still learning: the loss on validation was lowest in pass {n:count}."), n=best + 1)))
    elif losses and not found and not over:
        says = N_("One pass done: no trend can be told yet.") if epochs else N_("Learning; the first look at validation comes at the end of the pass.")
        found.append(("ok", message(says)))
    elif epochs and not found:
        found.append(("ok", message(N_("Learned in a single pass: {accuracy:percent} of validation right."), accuracy=epochs[-1].validation_accuracy)))
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
