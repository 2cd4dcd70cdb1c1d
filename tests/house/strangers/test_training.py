"""A stranger's optimizer, schedule, augmentation and loss: each is one class or function and one line of a table, and
the public workflow trains with it, writes it down and goes on from its checkpoint.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpide.core.errors import RunError
from limpide.core.events import Epoch, Event, Note, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.inspector import data
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.session import Session
from limpide.system.files import sha256_of_file
from limpide.text.messages import Message, message
from limpide.training import augment, losses, start
from limpide.training.augment import AUGMENTS
from limpide.training.batches import Batch
from limpide.training.checkpoint import load_checkpoint
from limpide.training.losses import LOSSES, LossFn
from limpide.training.optim import OPTIMIZERS
from limpide.training.optim.groups import ParameterGroup, describe_groups
from limpide.training.optim.schedules import SCHEDULES, Moment
from limpide.workflows.train import fit
from limpide.workflows.train.training import prepare, train
from tests.workflows.train.test_parts import noise

RECIPE = Recipe.of(model="cnn", epochs=4, batch=8, lr=0.05, image_size=16, device="cpu", precision="fp32", patience=9)

# -- what a stranger writes: one of each


class Momentum:
    """Polyak 1964: v = ½ v + g, p = p − lr · v."""

    def __init__(self, groups: list[ParameterGroup]) -> None:
        self.groups, self.lr = groups, 0.0
        self.speeds = [(p, group.scale, torch.zeros_like(p)) for group in groups for p in group.parameters]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        self.lr = lr
        for p, scale, speed in self.speeds:
            if p.grad is not None:
                speed.mul_(0.5).add_(p.grad)
                p.sub_(lr * scale * speed)

    def zero_grad(self) -> None:
        for p, _, _ in self.speeds:
            p.grad = None

    def state(self) -> dict[str, Tensor]:
        return {f"speed.{k}": speed for k, (_, _, speed) in enumerate(self.speeds)}

    def numbers(self) -> dict[str, Any]:
        return {"lr": self.lr}

    def identity(self) -> dict[str, Any]:
        return {"name": "stranger", "groups": describe_groups(self.groups)}

    def load(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        self.lr = numbers["lr"]
        for name, speed in self.state().items():
            speed.copy_(tensors[name])

    def last_update(self, parameter: nn.Parameter) -> Tensor | None:
        for p, scale, speed in self.speeds:
            if p is parameter and self.lr:
                return self.lr * scale * speed
        return None


def stairs(moment: Moment, numbers: Sequence[float]) -> float:
    """Half the rate from the second epoch on."""
    return 1.0 if moment.epoch < 1 else numbers[0]


@dataclasses.dataclass(frozen=True)
class Mixed:
    """Mixup (Zhang et al. 2018), with the batch turned round: targets become shares of all classes."""

    classes: int = 2
    least: float = 0.7  # share of an image that stays

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        share = self.least + (1 - self.least) * torch.rand((), generator=generator)
        exact = F.one_hot(targets, self.classes).float()
        return share * images + (1 - share) * images.flip(0), share * exact + (1 - share) * exact.flip(0)

    def describe(self) -> Message:
        return message("images are mixed, {least:percent} of each stays", least=self.least)


LOST: list[float] = []  # what the stranger's loss said


def squared_error(recipe: Recipe) -> LossFn:
    """Brier's score; class numbers and shares alike."""

    def loss_fn(model: nn.Module, batch: Batch) -> Tensor:
        logits = model(batch[0])
        targets = batch[1] if batch[1].is_floating_point() else F.one_hot(batch[1], logits.shape[1]).float()
        loss = (logits.softmax(1) - targets).square().sum(1).mean()
        LOST.append(loss.item())
        return loss

    return loss_fn


@pytest.fixture(params=["optimizer", "schedule", "augment", "loss", "all"])
def stranger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One line of a table, and the place that decides asks for it: no option knows a stranger."""
    one = str(request.param)
    if one in ("optimizer", "all"):
        monkeypatch.setitem(OPTIMIZERS, "stranger", Momentum)
        monkeypatch.setattr(start, "choose_optimizer", lambda recipe: "stranger")
    if one in ("schedule", "all"):
        monkeypatch.setitem(SCHEDULES, "stairs", stairs)
        monkeypatch.setattr(start, "choose_schedule", lambda recipe: "stairs:0.5")
    if one in ("augment", "all"):
        monkeypatch.setitem(AUGMENTS, "mixed", Mixed)
        for place in (augment, fit):
            monkeypatch.setattr(place, "decide_augmentation", lambda recipe, epochs, grey, classes: Mixed(classes))
    if one in ("loss", "all"):
        monkeypatch.setitem(LOSSES, "squared_error", squared_error)
        monkeypatch.setattr(losses, "choose_loss", lambda recipe: "squared_error")
    return one


# -- what the house makes of them


def work(folder: Path, runs: str) -> tuple[Run, Iterator[Event]]:
    run, dataset, _ = prepare(str(folder), RECIPE, folder.parent / runs)
    return run, train(run, dataset, judge=False)


def learned(run: Run) -> list[Step | Epoch]:
    return [dataclasses.replace(e, seconds=0.0) for e in run.events() if isinstance(e, (Step, Epoch))]


def test_a_stranger_trains_through_the_workflow_and_goes_on(stranger: str, tmp_path: Path) -> None:
    folder = noise(tmp_path / "data", a=30, b=30)
    whole, events = work(folder, "whole")
    notes = [str(event.message) for event in events if isinstance(event, Note)]
    info, steps = whole.info(), [e for e in learned(whole) if isinstance(e, Step)]
    assert (whole.snapshots / "best.safetensors").exists() and len(steps) == info.steps == 4 * (len(steps) // 4)

    if stranger in ("optimizer", "schedule", "all"):
        rule = "stranger" if stranger != "schedule" else "AdamW"
        assert any(note.startswith(f"optimizer: {rule}, with a learning rate of at most 0.05") for note in notes)
    if stranger in ("schedule", "all"):
        assert {s.lr for s in steps} == {0.05, 0.025} and {s.epoch for s in steps if s.lr == 0.05} == {0}
    if stranger in ("augment", "all"):
        assert info.augmentation == {"name": "mixed", "classes": 2, "least": 0.7}
        assert "images are mixed, 70.0\N{NO-BREAK SPACE}% of each stays" in notes
        assert data.augmented(Session(), str(whole.path), "best", ImageReference(probe=0))[0]["images"] == data.CHANGED
    if stranger in ("loss", "all"):
        assert len(LOST) >= len(steps) and {s.loss for s in steps} <= set(LOST)
    last = list(whole.lines(whole.stats_file))[-1]["parameters"]
    assert all(one["update"] is not None for one in last.values())

    part, events = work(folder, "part")
    for event in events:
        if isinstance(event, Step) and event.n == len(steps) // 2 + 1:
            break
    events.close()  # type: ignore[attr-defined]
    restored = load_checkpoint(part.checkpoints)
    assert restored is not None and restored.numbers["step"] == len(steps) // 2 + 1
    again, events = work(folder, "part")
    assert again.path == part.path and "resume" in [e.topic for e in events if isinstance(e, Note)]
    assert learned(again) == learned(whole)
    assert len({sha256_of_file(run.snapshots / "best.safetensors") for run in (whole, again)}) == 1


def test_a_checkpoint_of_a_stranger_is_refused_by_another_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = noise(tmp_path / "data", a=30, b=30)
    with monkeypatch.context() as patch:
        patch.setitem(OPTIMIZERS, "stranger", Momentum)
        patch.setattr(start, "choose_optimizer", lambda recipe: "stranger")
        _, events = work(folder, "runs")
        next(event for event in events if isinstance(event, Step))
        events.close()  # type: ignore[attr-defined]
    with pytest.raises(RunError, match="L516"):
        list(work(folder, "runs")[1])
