"""A loss that is lost: back to the last good weights with half the learning rate, at most three times.

The loss of a batch is tested before its step changes the weights. Weights that a gradient made infinite show in the
loss of the next batch, or in validation.
"""

from __future__ import annotations

import math

from limpide.core.errors import TrainingError
from limpide.core.events import ROLLBACK, Note
from limpide.text.messages import N_, Message, message
from limpide.training.state import TrainState

# Times the loss of the first step (or 1, where that is less). Measured with a rate of 10 (docs/LOG.md): a linear model
# that still learns reaches 185, and small CNNs whose units merely die 240; those that run away have no bound.
EXPLODED = 1000
MAX_ROLLBACKS = 3
GAVE_UP = "L601"  # the error after them


def is_lost(loss: float, state: TrainState) -> bool:
    """Whether no step may follow from this loss: it is not finite, or it exploded. A function of the state alone, so
    that a resume agrees.
    """
    return not math.isfinite(loss) or (state.step > 0 and loss > _limit(state))


def go_back(state: TrainState, step: int, loss: float) -> Note:
    """Go back to the last good weights with half the learning rate, and say so. step: whose loss was lost. Raises
    TrainingError after MAX_ROLLBACKS times.
    """
    if state.rollbacks == MAX_ROLLBACKS:
        raise TrainingError(GAVE_UP, where=f"step {step}")
    state.go_back()
    says = N_(
        "step {step:count}: {what}; training goes on from {weights} with half the learning rate (at most {lr:number})"
    )
    return Note(ROLLBACK, message(says, step=step, what=_what(state, loss), weights=_weights(state), lr=state.lr))


def _limit(state: TrainState) -> float:
    return EXPLODED * max(1.0, state.first_loss)


def _what(state: TrainState, loss: float) -> dict[str, object]:
    if not math.isfinite(loss):
        return message(N_("the loss is not a finite number")).to_json()
    says = N_("the loss is {loss:number}, more than {limit:number}")
    return message(says, loss=loss, limit=_limit(state)).to_json()


def _weights(state: TrainState) -> dict[str, object]:
    says: Message = message(N_("the initial weights"))
    if state.best_epoch >= 0:
        says = message(N_("the best weights so far, those after epoch {epoch:count},"), epoch=state.best_epoch + 1)
    return says.to_json()
