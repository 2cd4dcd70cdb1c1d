"""The input of the checks of a folder, and the table in which they list files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limpide.core.finding import Table
from limpide.data.dataset import TEST, Dataset
from limpide.data.decoding.value_range import ValueRange
from limpide.data.read_images import Reading
from limpide.text.messages import N_, Message

MAX_ROWS = 200  # files listed by name


@dataclass(frozen=True)
class FolderContents:
    """The input of the checks. values: of images of more than 8 bits, and how they are read. near: int (m, 2), pairs of
    nearly identical images; None when they were not searched for.
    """

    dataset: Dataset
    reading: Reading
    near: np.ndarray | None
    values: ValueRange

    @property
    def usable(self) -> np.ndarray:
        return np.asarray(self.reading.seen["reason"] < 0)

    @property
    def parted(self) -> bool:
        """Whether the user gave a test part: then the split does not decide what stays together."""
        return bool((self.dataset.given == TEST).any())

    def name(self, i: int) -> str:
        return self.dataset.images.names[i]

    def label(self, i: int) -> str:
        return self.dataset.classes[int(self.dataset.labels[i])]

    def twins(self) -> list[np.ndarray]:
        """Indices of usable images with the same bytes, in groups of two or more."""
        rows = np.flatnonzero(self.usable)
        hashes = self.reading.seen["hash"][rows]
        order = np.argsort(hashes, kind="stable")
        same = hashes[order[1:]] == hashes[order[:-1]]
        # only images with a twin are split into groups
        inside = np.flatnonzero(np.concatenate((same, [False])) | np.concatenate(([False], same)))
        if not len(inside):
            return []
        together = order[inside]
        cuts = np.flatnonzero(hashes[together[1:]] != hashes[together[:-1]]) + 1
        return [np.sort(rows[group]) for group in np.split(together, cuts)]

    def near_pairs(self) -> np.ndarray:
        """Pairs that are nearly but not exactly the same."""
        if self.near is None or not len(self.near):
            return np.zeros((0, 2), np.int64)
        hashes = self.reading.seen["hash"]
        return np.asarray(self.near[hashes[self.near[:, 0]] != hashes[self.near[:, 1]]])


def file_table(rows: Sequence[tuple[str, str | Message]], meaning: str) -> Table | None:
    """A table of files and a remark on each, cut to MAX_ROWS; None where there are no files. meaning: msgid, the
    heading of the remarks.
    """
    return Table([(N_("file"), "text"), (meaning, "text")], [list(row) for row in rows[:MAX_ROWS]]) if rows else None
