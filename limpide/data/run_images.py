"""The images of a run, found again where they are: row k is line k of split.csv."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.errors import LimpideError
from limpide.core.recipe import Recipe
from limpide.core.run import Run
from limpide.data.dataset import FileImages
from limpide.data.decoding.decode import Undecodable
from limpide.data.layouts.hints import Hints
from limpide.data.layouts.scan import scan
from limpide.data.split import sample
from limpide.data.split_file import check_split, read_split
from limpide.system.files import sha256
from limpide.text.messages import N_, message

PARTS = ("train", "validation", "calibration", "test")


class ImageGone(LookupError):
    """None of the images of a run can be found."""


class RunImages:
    """files, labels, parts, folds: parallel, in the order of split.csv. Raises LookupError if the run has no split yet,
    RunError if the split has lost rows.
    """

    def __init__(self, run: Run) -> None:
        if not run.split_file.exists():
            raise LookupError(message(N_("this run has not split its images yet")))
        check_split(run)
        self.run = run
        rows = list(read_split(run.split_file))
        self.files = [row.get("file") or "" for row in rows]
        self.labels = [row.get("label") or "" for row in rows]
        self.parts = [row.get("part") or "" for row in rows]
        self.folds = [row.get("fold") or "" for row in rows]  # the fold that judges each; "" where none does
        self.contents = [row.get("content") or "" for row in rows]  # the first digits of the sha256 of each

    @cached_property
    def _dataset(self) -> Any:
        info = self.run.info()
        location = info.location
        if info.arrays:
            raise ImageGone(message(N_("this run was trained on an array: its images are not on disk")))
        # A relative path starts where the training was started: here, or beside the folder of runs.
        beside = self.run.path.resolve().parents[1] / location
        if info.opened:
            return SimpleNamespace(images=FileImages(Path(location), self.files))
        hints = replace(Hints.of(Recipe.from_json(info.wanted)), groups="none", good=info.good)
        try:
            dataset = scan(
                location if os.path.exists(location) or not beside.exists() else str(beside),
                fewest_classes=1,
                hints=hints,
            )
            return dataset.read_by(Recipe.from_json(info.recipe).span())
        except LimpideError as error:
            raise ImageGone(message(N_("the images are no longer where they were: {place}"), place=location)) from error

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self._dataset.images.names)}

    def image(self, row: int, at_least: int = 0) -> Image.Image:
        """RGB. Raises LookupError if the image is gone or has changed since the run began."""
        if not 0 <= row < len(self.files):
            raise LookupError(message(N_("the rows are numbered from 0 to {last}"), last=len(self.files) - 1))
        place = self._places.get(self.files[row])
        try:
            if place is not None:
                images = self._dataset.images
                if self.contents[row] and sha256(images.bytes(place))[: len(self.contents[row])] != self.contents[row]:
                    raise LookupError(
                        message(N_("this image has changed since the run began: {file}"), file=self.files[row])
                    )
                return images.image(place, at_least)  # type: ignore[no-any-return]
        except Undecodable:
            pass
        raise LookupError(message(N_("this image can no longer be read: {file}"), file=self.files[row]))

    def rows(self, part: str = "", label: str = "") -> np.ndarray:
        """Rows of this part and class; an empty name means all of them."""
        return np.array(
            [
                k
                for k in range(len(self.files))
                if (not part or self.parts[k] == part) and (not label or self.labels[k] == label)
            ],
            int,
        )

    def some(self, most: int, part: str = "") -> np.ndarray:
        """At most `most` rows of a part, the classes in their own proportions, the same rows every time, in order."""
        rows = self.rows(part)
        return rows[sample(np.array(self.labels)[rows], most)] if len(rows) else rows

    @property
    def learned(self) -> str:
        """The part that was learned from; "" (all images) for a network that was opened without training."""
        return "train" if "train" in self.parts else ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Class → part → images."""
        counters: dict[str, Counter[str]] = {}
        for label, part in zip(self.labels, self.parts, strict=True):
            counters.setdefault(label, Counter())[part] += 1
        return {label: dict(count) for label, count in counters.items()}

    @cached_property
    def row_of(self) -> dict[str, int]:
        """File → row."""
        return {name: k for k, name in enumerate(self.files)}


def run_stamp(path: str) -> tuple[str, int]:
    """A stamp of the split of a run, which differs between states of the run."""
    file = Path(path) / "split.csv"
    return path, file.stat().st_mtime_ns if file.exists() else 0
