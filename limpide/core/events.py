"""The events of a running training. One event = one line of `events.jsonl` = one item for a watcher.

Observing is reading events, stopping is `break`: there are no callbacks anywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limpide.core import typed_json
from limpide.core.finding import Finding
from limpide.text.messages import N_, Message

# Fields that hold a clock reading: "identical after resume" applies to all others.
CLOCK_FIELDS = ("seconds", "time")


@dataclass(frozen=True)
class Step:
    """One gradient step. `values` may hold any JSON values: the perceptron shows its X, W, y, t there."""

    n: int  # steps done since the start of training, this one included
    epoch: int  # the epoch of this step, from 0
    loss: float  # mean loss of the batch
    lr: float  # learning rate of the last parameter group in this step
    seconds: float = 0.0  # duration of the step; 0 if it was not measured
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part, then one evaluation of the validation part."""

    n: int  # from 0
    step: int  # steps done so far
    train_loss: float  # mean of the step losses, with augmentation and smoothing as trained
    validation_loss: float  # mean of the loss that is minimised, without smoothing; cross-entropy in nats per image
    validation_accuracy: float  # share
    best: bool  # the best so far: its weights were kept
    seconds: float
    # Share of some fixed training images, without augmentation and dropout; None where none was scored.
    train_accuracy: float | None = None

    @property
    def validated(self) -> bool:
        """False if there are no validation images: the training loss takes the place of the validation loss, and the
        accuracy is 0.
        """
        return self.validation_loss != self.train_loss or self.validation_accuracy > 0


ROLLBACK = "rollback"  # topic of the notes of training/rollback.py; `step` among their values


@dataclass(frozen=True)
class Note:
    """Something decided or noticed, in words; `topic` groups them (data, split, decision, quote, saved, warning)."""

    topic: str
    message: Message


@dataclass(frozen=True)
class Progress:
    """The progress of a long piece of work; not recorded. Work that cannot state its progress has a total of 0, and is
    announced before it begins.
    """

    phase: Message
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Judged:
    """A finding was made and stored."""

    finding: Finding


Event = Step | Epoch | Note | Progress | Judged


def to_line(event: Step | Epoch | Note) -> dict[str, Any]:
    """The event as a JSON object; its kind comes first."""
    if isinstance(event, Note):
        return {"kind": "note", "topic": event.topic, "message": event.message.to_json()}
    values = dataclasses.asdict(event)
    if isinstance(event, Step) and not event.values:
        values.pop("values")
    return {"kind": type(event).__name__.lower(), **values}


def from_line(line: Mapping[str, Any]) -> Step | Epoch | Note:
    """Raises one of DAMAGE for a line that is not an event of limpide."""
    values = {k: v for k, v in line.items() if k not in ("kind", "epoch_id")}
    if line["kind"] == "note":
        return typed_json.as_record(Note, values)
    made = Step(**values) if line["kind"] == "step" else Epoch(**values)
    # typed_json.as_record takes three times as long, and does not accept NaN
    if not all(isinstance(getattr(made, name), kinds) for name, kinds in _KINDS[type(made)]):
        raise typed_json.invalid_field(line["kind"], N_("an event with a number in each number field"))
    return made


_NUMBER = (int, float)
_KINDS: dict[type, list[tuple[str, Any]]] = {
    Step: [("n", int), ("epoch", int), ("loss", _NUMBER), ("lr", _NUMBER), ("seconds", _NUMBER), ("values", Mapping)],
    Epoch: [
        ("n", int),
        ("step", int),
        *((name, _NUMBER) for name in ("train_loss", "validation_loss", "validation_accuracy", "seconds")),
        ("best", bool),
        ("train_accuracy", (*_NUMBER, type(None))),
    ],
}
# errors that `from_line` and the JSON parser raise for a damaged line
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
