"""When should one have stopped? What early stopping would have kept of a training that is over, by its history alone.

Prechelt 1998, "Early Stopping – But When?". The rule is that of `limpide train --patience`; the recorded learning rates
stay as they were, so a schedule that waits for a plateau, or one that spans the epochs, was that of the whole training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.events import Epoch


@dataclass(frozen=True)
class EarlyStop:
    """epochs: trained before it stops · kept: the epoch whose weights are kept, from 1 · accuracy, loss: of that epoch,
    on validation · stopped: False if the training was over before.
    """

    patience: int
    epochs: int
    kept: int
    accuracy: float
    loss: float
    stopped: bool


def stop_early(epochs: Sequence[Epoch], patience: int) -> EarlyStop:
    """What a training with these validated epochs keeps if it stops after `patience` epochs without a better one.

    Better is more accurate on validation or, where that is equal, of a lower loss. Raises ValueError without an epoch
    and for a patience below 1.
    """
    if not epochs or patience < 1:
        raise ValueError("At least one epoch and a patience of at least 1 are needed.")
    best = 0
    for k, epoch in enumerate(epochs):
        if _score(epoch) > _score(epochs[best]):
            best = k
        if k - best >= patience:
            break
    kept = epochs[best]
    return EarlyStop(patience, k + 1, best + 1, kept.validation_accuracy, kept.validation_loss, k - best >= patience)


def _score(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss
