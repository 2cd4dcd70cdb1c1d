"""Checkpoints: a TrainState in one safetensors file whose header carries the numbers and a digest of everything.

The two newest are kept. The digest reveals a truncated or corrupted checkpoint, and the one before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from limpide.system.files import write_bytes
from limpide.training.earlier_checkpoints import as_of_today
from limpide.training.state import TrainState

KEPT = 2
# Seconds between two checkpoints, or more, so that saving takes at most a thirtieth of the time.
EVERY = float(os.environ.get("LIMPIDE_CHECKPOINT_SECONDS", "10"))


@dataclass(frozen=True)
class Restored:
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]
    offset: int  # length of events.jsonl when it was saved
    damaged: tuple[str, ...]  # names of newer checkpoints that could not be used


def save_checkpoint(state: TrainState, folder: Path, offset: int) -> Path:
    """Write, fsync and rename; then delete all but the two newest. Raises OSError: a failed fsync is a failed save."""
    tensors = state.tensors()
    numbers = json.dumps(state.numbers() | {"offset": offset}, sort_keys=True)
    data = save(tensors, metadata={"numbers": numbers, "sha256": digest(tensors, numbers)})
    file = folder / f"step-{state.step:08d}-{state.position:06d}.safetensors"
    write_bytes(file, data)
    saved = sorted(folder.glob("step-*.safetensors"))
    place = saved.index(file)
    # later ones are damaged, or belong to a continuation that was abandoned
    for other in saved[: max(0, place + 1 - KEPT)] + saved[place + 1 :]:
        other.unlink(missing_ok=True)
    return file


class CheckpointWriter:
    """Saves checkpoints, in a small share of the time. offset: returns the length of events.jsonl."""

    def __init__(self, state: TrainState, folder: Path, offset: Callable[[], int]) -> None:
        self.state, self.folder, self.offset = state, folder, offset
        self._saved, self._pause = time.monotonic(), EVERY

    def save_if_due(self) -> None:
        now = time.monotonic()
        if now - self._saved > self._pause:
            self.save()
            self._pause, self._saved = max(EVERY, 30 * (time.monotonic() - now)), time.monotonic()

    def save(self) -> None:
        save_checkpoint(self.state, self.folder, self.offset())


def load_checkpoint(folder: Path) -> Restored | None:
    """The newest checkpoint whose digest matches, or None."""
    damaged: list[str] = []
    for name in saved_in(folder):
        checkpoint = _read(folder / name)
        if checkpoint is not None:
            tensors, numbers = as_of_today(*checkpoint)
            return Restored(tensors, numbers, numbers.pop("offset"), tuple(damaged))
        damaged.append(name)
    return None


def saved_in(folder: Path) -> list[str]:
    """The names of the checkpoints, newest first, whole or damaged."""
    return sorted((file.name for file in folder.glob("step-*.safetensors")), reverse=True)


def step_of(name: str) -> int:
    """The number of steps that were done when the checkpoint of this name was saved; 0 for a name of another kind."""
    digits = name.split("-")[1]
    return int(digits) if digits.isdigit() else 0


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    try:
        with safe_open(file, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a dict)
        if digest(tensors, metadata["numbers"]) != metadata["sha256"]:
            return None
        return tensors, json.loads(metadata["numbers"])
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError):
        return None  # what safetensors, JSON and torch raise for content that is not as it was written


def digest(tensors: Mapping[str, Tensor], numbers: str) -> str:
    """sha256 over the names, types, shapes and bytes of all tensors and over the numbers."""
    checksum = hashlib.sha256(numbers.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        checksum.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        checksum.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return checksum.hexdigest()
