"""What a watcher can look at while a network learns: its weights along the way, and what each parameter did.

Nothing here is needed to go on: it is written without waiting for the disk, and a file that is lost is missed by nobody
but him.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from limpide.core.run import Run
from limpide.training.state import TrainState

BUDGET = 64_000_000  # bytes that the weights along the way may take in a run
BINS = 32  # of a parameter's histogram


def is_snapshot_due(step: int) -> bool:
    """0, 1, 2, 4, 8, …: much changes at first, so a training of a single pass has a history, too."""
    return step & (step - 1) == 0


def keep_snapshot(state: TrainState, run: Run, budget: int = BUDGET) -> None:
    """Keeps the weights after this step. Beyond the budget, the one is forgotten that leaves the smallest gap; never
    the first or the last.
    """
    data = save({name: value.detach().cpu().contiguous() for name, value in state.model.state_dict().items()})
    if 2 * len(data) > budget:
        return
    file = run.snapshots / f"step-{state.step:08d}.safetensors"
    fresh = file.with_suffix(".tmp")
    fresh.write_bytes(data)
    fresh.replace(file)
    kept = run.kept()
    while len(kept) * len(data) > budget:
        steps = list(kept)
        spare = min(range(1, len(steps) - 1), key=lambda k: math.log2((steps[k + 1] + 1) / (steps[k - 1] + 1)))
        kept.pop(steps[spare]).unlink(missing_ok=True)


def drop_later_snapshots(step: int, run: Run) -> None:
    """A continued training makes what came after its checkpoint again."""
    for other, file in run.kept().items():
        if other > step:
            file.unlink(missing_ok=True)


@torch.no_grad()
def statistics(state: TrainState, lr: float) -> dict[str, Any]:
    """Of every parameter after this step: its norm, histogram, and from AdamW's two means how large its gradients and
    its update were.

    gradient: root of the mean of the gradients' squares over the last steps, times the root of their number, so
    comparable to a norm. update: norm of the last change over the norm of the parameter; a thousandth is usual, a tenth
    is a leap, a millionth is asleep.
    """
    names = {id(p): name for name, p in state.model.named_parameters()}
    optimizer = state.optimizer
    (beta1, beta2), t = optimizer.betas, max(1, optimizer.t)
    found: dict[str, Any] = {}
    for group in optimizer.groups:
        rate = lr * group.scale
        for p, m, v in zip(group.parameters, group.m, group.v, strict=True):
            slope = v / (1 - beta2**t)
            change = rate * (m / (1 - beta1**t) / (slope.sqrt() + optimizer.eps) + group.weight_decay * p)
            norm = float(p.norm())
            moved = float(change.norm()) / norm if norm and optimizer.t else None
            found[names[id(p)]] = {
                "norm": norm,
                "gradient": float(slope.sum().sqrt()) if optimizer.t else None,
                "update": moved,
                **_histogram(p),
            }
    return {"step": state.step, "parameters": found}


def _histogram(values: Tensor) -> dict[str, Any]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return {"low": None, "high": None, "counts": []}
    return {"low": low, "high": high, "counts": [int(n) for n in torch.histc(values.float().cpu(), BINS, low, high)]}
