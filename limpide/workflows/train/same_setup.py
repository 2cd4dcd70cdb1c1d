"""Bit for bit only on the same set-up: what a training was continued on is compared with what it began on, and recorded
where it differs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from limpide.core.events import Note
from limpide.core.run import Run
from limpide.core.run_info import RunInfo
from limpide.system import machine
from limpide.text.messages import N_, message
from limpide.training.device import choose_device


def describe() -> dict[str, Any]:
    """Processor, system and versions; the graphics card; and the threads that were asked for ("": as many as cores)."""
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return {**machine.describe(), "card": card, "threads": os.environ.get("OMP_NUM_THREADS", "")}


def compare_setup(run: Run, info: RunInfo) -> Iterator[Note]:
    """Say what differs, where the run is continued, and record it. Raises UsageError if its device is not here."""
    if info.recipe.get("device"):
        choose_device(str(info.recipe["device"]))
    now = describe()
    changed = differences(info.machine, now)
    if not (info.epoch_id and changed):
        return
    if now not in info.machines:
        run.update(machines=[*info.machines, now])
    says = N_(
        "the machine or the software is not the one this run began with ({changed}): training continues, but not "
        "bit for bit"
    )
    yield Note("warning", message(says, changed=", ".join(changed)))


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """`name: before → now` of each entry that differs; those that `before` lacks, as an earlier version did not record
    them, are left out.
    """
    found = []
    for name, value in before.items():
        other = now.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            found += differences(value, other)
        elif value != other:
            found.append(f"{name}: {value or '–'} → {other or '–'}")
    return found
