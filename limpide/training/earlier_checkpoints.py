"""Convert checkpoints of earlier versions to today's names, so that a training they began can continue."""

from __future__ import annotations

from typing import Any

from torch import Tensor

# When AdamW was the only optimizer, its moments were called optimiser.GROUP.m.NUMBER and optimiser.GROUP.v.NUMBER, and
# its count of steps and its groups were among the numbers of the state.
BEFORE, NOW = "optimiser.", "optimizer."


def as_of_today(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, numbers) as `TrainState.restore` takes them; those of today are returned unchanged."""
    if "groups" not in numbers:
        return tensors, numbers
    numbers = dict(numbers)
    groups, t = numbers.pop("groups"), numbers.pop("t")
    numbers |= {
        "schedule": "one_cycle",
        "optimizer": {"t": t, "lr": numbers["lr"]},  # the rate of the last step was not kept: the highest replaces it
        "belongs_to": {"optimizer": {"name": "adamw", "groups": groups}, "averaged": None},
    }
    renamed = {NOW + k.removeprefix(BEFORE) if k.startswith(BEFORE) else k: v for k, v in tensors.items()}
    return renamed, numbers
