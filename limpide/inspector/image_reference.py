"""Which image a question is about, and how it is changed before the network sees it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from limpide.inspector.parsers import natural, within
from limpide.system.files import sha256
from limpide.text.messages import N_, message

# How an image is changed, and how the amount is written in an address.
CHANGES: dict[str, Callable[[str], Any]] = {
    "noise": within(0, 128),
    "turn": within(-180, 180),
    "mirror": lambda text: bool(natural(text)),
}


@dataclass(frozen=True)
class ImageReference:
    """One of three: `probe`, the number of an image that the training set aside; `row`, the line of split.csv; `data`,
    the bytes of a file that the user gave (for a network in memory: its one image).
    """

    probe: int | None = None
    row: int | None = None
    data: bytes | None = None
    noise: float = 0.0  # standard deviation in grey levels, the same noise every time
    turn: float = 0.0  # degrees, counter-clockwise; pixels from outside come from the mirrored border
    mirror: bool = False

    def __post_init__(self) -> None:
        if [self.probe, self.row, self.data].count(None) != 2:
            raise ValueError("an image is a probe, a row or the bytes of a file")

    @classmethod
    def from_query(cls, query: Mapping[str, str], uploads: Mapping[str, bytes]) -> ImageReference:
        """Parse image=probe-3, row-17 or the name of an upload, together with the changes; by default the first probe.

        Raises ValueError or KeyError for an invalid name, LookupError for an upload that is no longer kept.
        """
        name = query.get("image", "probe-0")
        kind, _, number = name.partition("-")
        changes: dict[str, Any] = {
            change: parse(query[change]) for change, parse in CHANGES.items() if query.get(change)
        }
        if kind == "probe":
            return cls(probe=natural(number), **changes)
        if kind == "row":
            return cls(row=natural(number), **changes)
        if kind == "drop" and name not in uploads:
            raise LookupError(message(N_("this image is no longer kept: choose it again")))
        return cls(data=uploads[name], **changes)

    @property
    def is_changed(self) -> bool:
        return bool(self.noise or self.turn or self.mirror)

    @property
    def changes(self) -> tuple[float, float, bool]:
        return self.noise, self.turn, self.mirror

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Identifies this image among all images of a run."""
        return self.probe, self.row, None if self.data is None else sha256(self.data), *self.changes

    def changed(self, square: np.ndarray) -> np.ndarray:
        """uint8 (height, width, channels) → the same, mirrored, turned and with noise as this reference says."""
        if self.mirror:
            square = square[:, ::-1]
        if self.turn:
            square = _rotated(square, self.turn)
        if self.noise:
            noise = np.random.default_rng(0).normal(0, self.noise, square.shape)
            square = np.clip(np.round(square + noise), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(square)


def _rotated(square: np.ndarray, degrees: float) -> np.ndarray:
    height, width = square.shape[:2]
    border = max(height, width) // 2
    wide = np.pad(square, ((border,) * 2, (border,) * 2, (0, 0)), mode="reflect")
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(wide[..., c])).rotate(degrees, Image.Resampling.BILINEAR))
        for c in range(wide.shape[-1])
    ]
    return np.stack(planes, -1)[border : border + height, border : border + width]
