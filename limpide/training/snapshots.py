"""Records for watching a network learn: its weights along the way, and statistics of each parameter.

A resume needs none of them: they are written without waiting for the disk, and a lost file matters only to a viewer.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from limpide.core.run import Run
from limpide.training.state import TrainState

BUDGET = 64_000_000  # bytes of snapshots in a run, at most
BINS = 32  # of a parameter's histogram


def is_snapshot_due(step: int) -> bool:
    """Whether `step` is 0, 1, 2, 4, 8, …: much changes at first, and a training of one epoch has a history, too."""
    return step & (step - 1) == 0


def keep_snapshot(state: TrainState, run: Run, budget: float = BUDGET) -> None:
    """Keep the weights after this step. Raises OSError. Beyond the budget, delete the snapshot that leaves the smallest
    gap, but never the first or the last.
    """
    data = save({name: value.detach().cpu().contiguous() for name, value in state.model.state_dict().items()})
    if 2 * len(data) > budget:
        return
    file = run.snapshots / f"step-{state.step:08d}.safetensors"
    fresh = file.with_suffix(".tmp")
    fresh.write_bytes(data)
    fresh.replace(file)
    snapshots = run.kept()
    while len(snapshots) * len(data) > budget:
        steps = list(snapshots)
        spare = min(range(1, len(steps) - 1), key=lambda k: math.log2((steps[k + 1] + 1) / (steps[k - 1] + 1)))
        snapshots.pop(steps[spare]).unlink(missing_ok=True)


def drop_later_snapshots(step: int, run: Run) -> None:
    """Delete the snapshots after this step: a continued training makes them again."""
    for other, file in run.kept().items():
        if other > step:
            file.unlink(missing_ok=True)


@torch.no_grad()
def statistics(state: TrainState) -> dict[str, Any]:
    """Norm and histogram of every parameter that learns, after this step, and of its gradient in this step; and the
    size of its update, as far as the optimizer knows.

    gradient: its norm; gradients: its histogram, and how many are exactly 0 (units that learned nothing). Both are None
    before the first step and right after a resume. update: norm of the last change over the norm of the parameter; a
    thousandth is usual, a tenth is very large, a millionth is next to nothing.
    """
    parameters: dict[str, Any] = {}
    for name, parameter in state.model.named_parameters():
        if not parameter.requires_grad:
            continue
        norm, last, slope = float(parameter.norm()), state.optimizer.last_update(parameter), parameter.grad
        parameters[name] = {
            "norm": norm,
            "gradient": float(slope.norm()) if slope is not None else None,
            "gradients": {**_histogram(slope), "zeros": int((slope == 0).sum())} if slope is not None else None,
            "update": float(last.norm()) / norm if last is not None and norm else None,
            **_histogram(parameter),
        }
    return {"step": state.step, "parameters": parameters}


def _histogram(values: Tensor) -> dict[str, Any]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return {"low": None, "high": None, "counts": []}
    return {"low": low, "high": high, "counts": [int(n) for n in torch.histc(values.float().cpu(), BINS, low, high)]}
