"""What does the loop itself cost: events, records, checkpoints and all that can watch a training?

    python -m benchmarks.loop_cost [--epochs 4]

`limpide train mnist` (the workflow that the command drives) and a bare PyTorch loop take turns in one process, 25 steps
each: the same network, batch size, order of images, schedule, precision, threads and allocator. The bare loop has the
images normalized beforehand and takes limpide's written-out AdamW, or torch.optim.AdamW. Printed are the median ratios
of neighboring turns and their range without the outer tenths. Validation after an epoch is not counted; a checkpoint is
saved about as often in the counted time as in a training alone, or more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from limpide.core.events import Epoch, Event, Step
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import Dataset
from limpide.models.cnn import SmallCNN
from limpide.system import machine
from limpide.training.device import autocast
from limpide.training.optim.adamw import AdamW
from limpide.training.optim.groups import parameter_groups
from limpide.training.optim.schedules import one_cycle
from limpide.workflows.train.training import prepare, train

TURN = 25  # steps
DECAY, SMOOTHING, RATE = 0.02, 0.1, 0.01


def torch_adamw(model: torch.nn.Module) -> torch.optim.Optimizer:
    groups = [
        {"params": group.parameters, "weight_decay": group.weight_decay} for group in parameter_groups(model, DECAY, ())
    ]
    return torch.optim.AdamW(groups, lr=RATE)


def bare(
    images: torch.Tensor, labels: torch.Tensor, batch: int, epochs: int, precision: str, ours: bool
) -> Iterator[None]:
    """A plain loop that hands over after each step. ours: with limpide's AdamW, else torch's."""
    model = SmallCNN(classes=10)
    model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    written, wrapped = AdamW(parameter_groups(model, DECAY, ())), torch_adamw(model)
    n, count = len(images), -(-len(images) // batch)
    for epoch in range(epochs):
        order = np.arange(n, dtype=np.int32)
        np.random.default_rng((0, epoch)).shuffle(order)
        for k in range(count):
            picked = torch.from_numpy(order[n * k // count : n * (k + 1) // count])
            rate = RATE * one_cycle(epoch * count + k, epochs * count)
            with autocast(torch.device("cpu"), precision):
                logits = model(images[picked].contiguous(memory_format=torch.channels_last))
            F.cross_entropy(logits.float(), labels[picked], label_smoothing=SMOOTHING).backward()
            if ours:
                written.step(rate)
                written.zero_grad()
            else:
                for group in wrapped.param_groups:
                    group["lr"] = rate
                wrapped.step()
                wrapped.zero_grad()
            yield


def learned(run: Run, dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """The training part of a run on MNIST, normalized."""
    parts = [line.split(",") for line in (run.path / "split.csv").read_text().splitlines()[1:]]
    rows = np.array([int(name.split("/")[1]) for name, _, part, *_ in parts if part == "train"])
    array: np.ndarray = dataset.images.array[rows]  # type: ignore[attr-defined]
    return torch.from_numpy((array.astype(np.float32) - 127.5) / 63.75)[:, None], torch.from_numpy(
        dataset.labels[rows]
    ).long()


def turn(loop: Iterator[Event]) -> float | None:
    """Seconds of the next steps of limpide; None where an epoch ended between them, and validation with it."""
    began, steps, is_plain = time.perf_counter(), 0, True
    while steps < TURN:
        event = next(loop)
        steps += isinstance(event, Step)
        is_plain = is_plain and not isinstance(event, Epoch)
    return time.perf_counter() - began if is_plain else None


def bare_turn(loop: Iterator[None]) -> float:
    began = time.perf_counter()
    for _ in range(TURN):
        next(loop)
    return time.perf_counter() - began


def measure(epochs: int) -> list[list[float]]:
    """Seconds of neighboring turns: limpide, the bare loop with its AdamW, the bare loop with torch's."""
    machine.keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        run, dataset, _ = prepare("mnist", Recipe(epochs=epochs, augment="none"), Path(folder), new=True)
        loop = train(run, dataset, judge=False)
        while not isinstance(next(loop), Step):  # the first step: all is decided by then
            pass
        info, (images, labels) = run.info(), learned(run, dataset)
        batch, precision = int(info.recipe["batch"]), str(info.recipe["precision"])
        plain = [bare(images, labels, batch, epochs, precision, ours) for ours in (True, False)]
        found = []
        for _ in range((info.steps or 0) // TURN - 1):
            spent = turn(loop)
            others = [bare_turn(one) for one in plain]
            if spent is not None:
                found.append([spent, *others])
        loop.close()  # type: ignore[attr-defined]
    return found[1:]  # in the first, kernels are loaded


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=4)
    seconds = np.array(measure(parser.parse_args().epochs))
    print(f"{len(seconds)} turns of {TURN} steps; ms a step, medians: {np.median(seconds, axis=0) / TURN * 1000}")
    for name, column in (("limpide's AdamW", 1), ("torch.optim.AdamW", 2)):
        ratios = seconds[:, 0] / seconds[:, column]
        low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        print(f"limpide against a bare loop with {name}: {middle:.3f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
