"""A Dataset: where the images are and what they are called. It knows nothing of networks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from limpide.data.decode import UNREADABLE, Undecodable, decode, header
from limpide.files import sha256

PARTS = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class FileImages:
    """Images in files under `root`; the names are relative to it."""

    root: Path
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int) -> bytes:
        """Raises Undecodable when the file cannot be opened."""
        try:
            with open(self.root / self.names[index], "rb") as stream:
                return stream.read()
        except OSError as error:
            raise Undecodable(UNREADABLE) from error

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return decode(self.bytes(index), at_least)

    def header(self, index: int) -> tuple[int, int, str]:
        return header(self.bytes(index))


@dataclass(frozen=True)
class ArrayImages:
    """Images already decoded: uint8 (n, height, width) grey or (n, height, width, 3) RGB."""

    array: np.ndarray
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int) -> bytes:
        return self.array[index].tobytes()

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return Image.fromarray(self.array[index]).convert("RGB")

    def header(self, index: int) -> tuple[int, int, str]:
        return self.array.shape[2], self.array.shape[1], "L" if self.array.ndim == 3 else "RGB"


@dataclass(frozen=True)
class Dataset:
    """`labels[i]` indexes `classes`; `given[i]` is the part the user put image i into ("" when it is ours to choose)."""

    name: str
    location: str  # the path or the name that was asked for, as a run remembers it
    images: FileImages | ArrayImages
    labels: np.ndarray  # int64 (n,)
    classes: tuple[str, ...]
    given: np.ndarray  # str (n,)

    def __len__(self) -> int:
        return len(self.images)

    def fingerprint(self) -> str:
        """Changes when a file is added, removed, renamed or relabelled, or (for files) touched."""
        lines = [f"{self.images.names[i]}\0{self.classes[self.labels[i]]}\0{self.given[i]}" for i in range(len(self))]
        if isinstance(self.images, FileImages):
            for i, name in enumerate(self.images.names):
                status = os.stat(self.images.root / name)
                lines[i] += f"\0{status.st_size}\0{status.st_mtime_ns}"
        return sha256("\n".join(lines).encode("utf-8", "surrogateescape"))
