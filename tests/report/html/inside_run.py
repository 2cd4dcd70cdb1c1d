"""A run made up, with the numbers of the look inside as a training leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limpide.core.run import Run
from limpide.interpret.choose_unit import choose_unit
from limpide.interpret.first_last_layers import first_and_last
from limpide.interpret.trace import trace
from limpide.interpret.unit import as_finding
from tests.report import fake_run as fake


class Small(nn.Module):
    def __init__(self, first: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        self.first, self.head = first, nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.first(x).relu().flatten(1))  # type: ignore[no-any-return]


FIRST = {
    "plain": (nn.Conv2d(1, 4, 3), 1),
    "strides": (nn.Conv2d(3, 6, (3, 2), (2, 1), (1, 3), (1, 2), bias=False), 3),
    "groups": (nn.Conv2d(4, 8, 3, padding=2, groups=2), 4),
    "many": (nn.Conv2d(5, 4, 3, padding=1), 5),
    "squares": (nn.Conv2d(3, 4, 8, 4), 3),
    "normalized": (nn.Sequential(nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5, momentum=0.3), nn.SiLU()), 3),
    "linear": (nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 16, 6)), 3),
}


def alive(folder: Path, kind: str = "plain", classes: tuple[str, ...] = fake.DIGITS, seed: int = 0) -> Run:
    """A run made up, with the file that a training leaves."""
    torch.manual_seed(seed)
    first, channels = FIRST[kind]
    image = torch.randn(1, channels, 12, 16)
    network = Small(first, first(image).numel(), len(classes))
    seen = trace(network, image)
    run = fake.make_run(folder, classes)
    unit = choose_unit(network, seen)
    run.add_finding(as_finding(unit))
    written(
        run,
        first_and_last(seen, unit.channel) | {"mean": np.full(1, 127.5, np.float32), "std": np.full(1, 50, np.float32)},
    )
    return run


def written(run: Run, arrays: dict[str, np.ndarray]) -> None:
    values: dict[str, Any] = arrays  # np.savez has other keywords, too
    np.savez(run.predictions / "inside.npz", **values)


def stored(run: Run) -> dict[str, np.ndarray]:
    with np.load(run.predictions / "inside.npz") as found:
        return dict(found)
