"""TrainState: everything that changes during training. A checkpoint holds it, and a resume needs nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from limpide.core.errors import RunError
from limpide.training.optim.averaged import Averaged
from limpide.training.optim.base import Optimizer
from limpide.training.optim.schedules import Moment, parse_schedule

COUNTED = (
    *("lr", "steps", "step", "epoch", "position", "loss_sum", "best_epoch"),
    *("first_loss", "rollbacks", "parts"),  # earlier versions did not have these
)
LEARNED = ("model.", "optimizer.", "averaged.")  # tensors that belong to one network and one optimizer


@dataclass
class TrainState:
    model: nn.Module
    optimizer: Optimizer
    lr: float  # highest learning rate of the schedule; halving it between two events is allowed
    steps: int  # to be done in all
    generator: torch.Generator  # of the augmentation
    step: int = 0  # done so far
    epoch: int = 0  # epochs finished
    position: int = 0  # updates of the current epoch already done
    loss_sum: float = 0.0  # over those updates
    best_score: tuple[float, float] | None = None  # (accuracy, −loss) on validation, higher is better
    best_epoch: int = -1
    best: dict[str, Tensor] = field(default_factory=dict)  # the weights after that epoch; before it, the initial ones
    last_score: tuple[float, float] | None = None  # the same after the last epoch
    losses: list[float] = field(default_factory=list)  # after each epoch: on validation, or else of training
    schedule_name: str = "one-cycle"  # in SCHEDULES, with its numbers
    averaged: Averaged | None = None  # weights that are judged in place of the last ones
    keeps_statistics: bool = False  # batch normalization keeps the means and variances that it started with
    first_loss: float = 0.0  # of the first step
    rollbacks: int = 0  # how often training went back to the best weights (training/rollback.py)
    parts: int = 1  # at least so many, of an update, pass through the network one by one (training/out_of_memory.py)

    def __post_init__(self) -> None:
        self.best = self.best or _copied(self.model.state_dict())
        self._unlearned = self.optimizer.numbers()

    def begin_pass(self) -> None:
        """Set the network to training mode, except batch normalization that keeps its statistics."""
        self.model.train()
        if self.keeps_statistics:
            for module in self.model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def schedule(self, epochs: float) -> float:
        """The learning rate of the next step as a share of the highest one. epochs: so far, with the share of the
        current one.
        """
        schedule, numbers = parse_schedule(self.schedule_name)
        return schedule(Moment(self.step, self.steps, epochs, self.losses), numbers)

    def count_update(self, loss: float) -> None:
        if not self.step:
            self.first_loss = loss
        self.step, self.position, self.loss_sum = self.step + 1, self.position + 1, self.loss_sum + loss
        if self.averaged is not None:
            self.averaged.update(self.model)

    def judged_weights(self) -> contextlib.AbstractContextManager[None]:
        """Context manager: inside it, the network has the weights that are judged and kept, its own or the averaged."""
        return self.averaged.placed_in(self.model) if self.averaged is not None else contextlib.nullcontext()

    def keep_if_best(self, accuracy: float, loss: float) -> bool:
        """Copy the weights if they are the best so far on validation; return whether they are."""
        self.last_score = score = (accuracy, -loss)
        if self.best_score is not None and score <= self.best_score:
            return False
        self.best_score, self.best_epoch = score, self.epoch
        self.best = _copied(self.model.state_dict())
        return True

    def go_back(self) -> None:
        """Best weights so far, half the learning rate, and an optimizer and a running mean that saw no step."""
        self.use_best()
        self.optimizer.zero_grad()
        nothing = {name: torch.zeros_like(tensor) for name, tensor in self.optimizer.state().items()}
        self.optimizer.load(nothing, self._unlearned)
        if self.averaged is not None:
            self.averaged = Averaged.of(self.model, self.averaged.decay)
        self.lr, self.rollbacks = self.lr / 2, self.rollbacks + 1

    def use_best(self) -> None:
        self.model.load_state_dict(self.best)

    def use_last(self) -> None:
        if self.averaged is not None:
            self.model.load_state_dict(self.averaged.weights)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, on the processor and contiguous."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"optimizer.{k}": v for k, v in self.optimizer.state().items()}
        if self.averaged is not None:
            tensors |= {f"averaged.{k}": v for k, v in self.averaged.weights.items()}
        tensors |= {"random.augment": self.generator.get_state(), "random.torch": torch.get_rng_state()}
        if next(self.model.parameters()).is_cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        return {k: v.detach().cpu().contiguous() for k, v in tensors.items()}

    def numbers(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COUNTED} | {
            "best_score": self.best_score,
            "last_score": self.last_score,
            "losses": list(self.losses),
            "schedule": self.schedule_name,
            "optimizer": self.optimizer.numbers(),
            "belongs_to": self._identity(),
        }

    def _identity(self) -> dict[str, Any]:
        """What identifies the tensors, besides their names and shapes."""
        return {
            "optimizer": self.optimizer.identity(),
            "averaged": self.averaged.decay if self.averaged is not None else None,
        }

    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Restore `tensors` and `numbers` in place: memory layout and device do not change.

        Raises RunError, and changes nothing, if they belong to another network, another optimizer or an unknown
        schedule.
        """
        if (
            _shapes(self.tensors()) != _shapes(tensors)
            or numbers.get("belongs_to") != self._identity()
            or not _is_known(str(numbers.get("schedule")))
        ):
            raise RunError("L516", where=f"step {numbers.get('step')}")
        self.model.load_state_dict(_below(tensors, "model."))
        device = next(self.model.parameters()).device
        weights = self.model.state_dict()
        for name, weight in _below(tensors, "best.").items():  # earlier versions did not keep the initial ones
            self.best[name] = torch.empty_like(weights[name]).copy_(weight.to(device))
        self.optimizer.load(_below(tensors, "optimizer."), numbers["optimizer"])
        if self.averaged is not None:
            for name, mean in self.averaged.weights.items():
                mean.copy_(tensors[f"averaged.{name}"])
        self.generator.set_state(tensors["random.augment"])
        torch.set_rng_state(tensors["random.torch"])
        if "random.cuda" in tensors and device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"])
        for name in COUNTED:
            setattr(self, name, numbers.get(name, getattr(self, name)))
        self.schedule_name = numbers["schedule"]
        self.losses = list(numbers.get("losses", ()))  # earlier versions did not keep these and the last score
        self.best_score, self.last_score = _score(numbers["best_score"]), _score(numbers.get("last_score"))


def _copied(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}


def _is_known(schedule: str) -> bool:
    try:
        return bool(parse_schedule(schedule))
    except (KeyError, ValueError):
        return False


def _score(numbers: Sequence[float] | None) -> tuple[float, float] | None:
    return None if numbers is None else (numbers[0], numbers[1])


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items() if name.startswith(LEARNED)}


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
