"""What a diagnosis reads and what it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limpide.core.events import Epoch
from limpide.core.examination import Examination
from limpide.core.finding import Verdict
from limpide.core.optimizer_names import optimizer_name
from limpide.text.messages import N_, Message, message

Changes = tuple[tuple[str, str], ...]

# The faults that can be named, in plain words (msgids); causes before what they cause.
FAULTS = {
    "divergence": N_("divergence"),
    "large rate": N_("learning rate too large"),
    "small rate": N_("learning rate too small"),
    "vanishing": N_("vanishing gradients"),
    "exploding": N_("exploding gradients"),
    "dead units": N_("dead units"),
    "frozen layer": N_("frozen layer"),
    "standstill": N_("nothing learned"),
    "collapse": N_("classes never named"),
    "too good": N_("too good to be true"),
    "noisy labels": N_("noisy labels"),
    "overfitting": N_("overfitting"),
    "underfitting": N_("underfitting"),
    "little validation": N_("too few validation images"),
}


@dataclass(frozen=True)
class Diagnosis:
    """One remark about a training: a fault with its evidence, or, without a fault, how it goes."""

    verdict: Verdict
    message: Message
    fault: str = ""  # in FAULTS; "": none
    epoch: int | None = None  # from 1: when it showed first
    changes: Changes = ()  # options of the next training, with their values
    todo: Message | None = None  # what to do where an option is not enough

    @property
    def is_fault(self) -> bool:
        """Whether it names a fault that the model which is kept has."""
        return bool(self.fault) and self.verdict != "ok"


@dataclass(frozen=True)
class Rate:
    """The highest learning rate of a training, and the one that limpide takes where none is asked for."""

    optimizer: str
    taken: float
    usual: float | None = None  # None: not known, in runs of earlier versions


@dataclass(frozen=True)
class TrainingRecord:
    """All that is known of a training, while it goes on or after it."""

    losses: Sequence[float]  # of each step; cross-entropy in nats an image
    epochs: Sequence[Epoch]
    classes: Sequence[str] = ()
    kept: str | None = None  # the kind of the network that was kept (run_info.Final); None: it still learns
    guess: float = math.inf  # the loss of treating all classes alike; inf: not known
    keeps_last: bool = False  # the weights of the last epoch are kept, not the best ones
    rate: Rate | None = None  # None: not known
    is_pretrained: bool = False
    examination: Examination | None = None
    rollbacks: Sequence[int] = ()  # steps, from 1, whose loss was lost: training went back (training/rollback.py)

    @property
    def kept_epoch(self) -> int | None:
        """The place of the epoch whose weights are kept: the last best one; -1 if there is none. None: it still
        learns.
        """
        if self.kept is None:
            return None
        if self.keeps_last:
            return len(self.epochs) - 1
        return max((k for k, epoch in enumerate(self.epochs) if epoch.best), default=len(self.epochs) - 1)

    @property
    def is_over(self) -> bool:
        return self.kept is not None

    def epoch_of(self, step: int) -> int:
        """The epoch, from 1, of a step, from 0."""
        return 1 + sum(epoch.step <= step for epoch in self.epochs)


def describe_rate(rate: Rate) -> Message:
    """The rate of this training and the usual one, in one sentence."""
    values = {"optimizer": optimizer_name(rate.optimizer), "taken": rate.taken}
    if rate.usual is None:
        return message(N_("It learned with {optimizer} and a learning rate of {taken:number}."), **values)
    says = N_(
        "It learned with {optimizer} and a learning rate of {taken:number}; limpide takes {usual:number} for this "
        "network where none is asked for."
    )
    return message(says, usual=rate.usual, **values)
