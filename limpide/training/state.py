"""TrainState: all that changes while training. What a checkpoint holds, and all that a resume needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from limpide.core.errors import RunError
from limpide.text.messages import N_
from limpide.training.optim.adamw import AdamW


@dataclass
class TrainState:
    model: nn.Module
    optimizer: AdamW
    lr: float  # highest learning rate of the cycle; halving it between two events is allowed
    steps: int  # to be done in all
    generator: torch.Generator  # of the augmentation
    step: int = 0  # done so far
    epoch: int = 0  # passes finished
    position: int = 0  # batches of the current pass already seen
    loss_sum: float = 0.0  # over those batches
    best_score: tuple[float, float] | None = None  # (accuracy, −loss) on validation, higher is better
    best_epoch: int = -1
    best: dict[str, Tensor] = field(default_factory=dict)  # its weights

    def keep_if_best(self, accuracy: float, loss: float) -> bool:
        """Copies the weights when they are the best so far on validation; true when they were."""
        score = (accuracy, -loss)
        if self.best_score is not None and score <= self.best_score:
            return False
        self.best_score, self.best_epoch = score, self.epoch
        self.best = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        return True

    def use_best(self) -> None:
        if self.best:
            self.model.load_state_dict(self.best)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor under a name, on the processor and contiguous."""
        found = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        found |= {f"best.{k}": v for k, v in self.best.items()}
        for g, group in enumerate(self.optimizer.groups):
            found |= {f"optimiser.{g}.m.{k}": v for k, v in enumerate(group.m)}
            found |= {f"optimiser.{g}.v.{k}": v for k, v in enumerate(group.v)}
        found |= {"random.augment": self.generator.get_state(), "random.torch": torch.get_rng_state()}
        if next(self.model.parameters()).is_cuda:
            found["random.cuda"] = torch.cuda.get_rng_state()
        return {k: v.detach().cpu().contiguous() for k, v in found.items()}

    def numbers(self) -> dict[str, Any]:
        names = ("lr", "steps", "step", "epoch", "position", "loss_sum", "best_score", "best_epoch")
        return {name: getattr(self, name) for name in names} | {"t": self.optimizer.t, "groups": self._groups()}

    def _groups(self) -> list[list[float]]:
        """[rate scale, decay, number of parameters] of each group of the optimiser: what the moments belong to."""
        return [[group.scale, group.weight_decay, len(group.parameters)] for group in self.optimizer.groups]

    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """The opposite of `tensors` and `numbers`, in place: memory layout and device stay what they are.

        Raises RunError, and changes nothing, when they are of another network or another optimiser.
        """
        mine = {
            name: tensor.shape for name, tensor in self.tensors().items() if name.startswith(("model.", "optimiser."))
        }
        theirs = {name: tensor.shape for name, tensor in tensors.items() if name.startswith(("model.", "optimiser."))}
        if mine != theirs or numbers.get("groups") != self._groups():
            raise RunError(
                "L516",
                N_("the checkpoint is of another network, or of another version of limpide"),
                where=f"step {numbers.get('step')}",
                todo=N_("start another run with --new"),
            )
        self.model.load_state_dict(_below(tensors, "model."))
        device = next(self.model.parameters()).device
        own = self.model.state_dict()
        self.best = {k: torch.empty_like(own[k]).copy_(v.to(device)) for k, v in _below(tensors, "best.").items()}
        for g, group in enumerate(self.optimizer.groups):
            for name, moments in (("m", group.m), ("v", group.v)):
                for k, moment in enumerate(moments):
                    moment.copy_(tensors[f"optimiser.{g}.{name}.{k}"])
        self.generator.set_state(tensors["random.augment"])
        torch.set_rng_state(tensors["random.torch"])
        if "random.cuda" in tensors and device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"])
        self.optimizer.t = numbers["t"]
        for name in ("lr", "steps", "step", "epoch", "position", "loss_sum", "best_epoch"):
            setattr(self, name, numbers[name])
        self.best_score = (
            None if numbers["best_score"] is None else (numbers["best_score"][0], numbers["best_score"][1])
        )


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
