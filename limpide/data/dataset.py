"""A Dataset: where the images are, and their names, labels and parts. It knows nothing of networks."""

from __future__ import annotations

import builtins
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, overload

import numpy as np
from PIL import Image

from limpide.data.decoding.decode import UNREADABLE, Undecodable, decode, header
from limpide.data.decoding.deep_values import START, Span
from limpide.data.layouts.ignored_files import Ignored
from limpide.system.files import sha256
from limpide.text.messages import N_, Message

# Parts as they are written in files; arrays hold the index of a part here, uint8, and 0 means left out or not given.
PARTS = ("", "train", "validation", "calibration", "test")
# in a sentence
PART_NAMES = {
    "train": N_("training"),
    "validation": N_("validation"),
    "calibration": N_("calibration"),
    "test": N_("test"),
}
NO_PART, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


class Names(Sequence[str]):
    """File names as one block of bytes: a million of them take a quarter of the memory that a list would."""

    def __init__(self, names: Iterable[str]) -> None:
        encoded = [name.encode("utf-8", "surrogateescape") for name in names]
        self._ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        self._block = b"".join(encoded)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} names. Got index {index}.")
        index %= len(self)
        start = int(self._ends[index - 1]) if index else 0
        return self._block[start : int(self._ends[index])].decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in map(int, self._ends):
            yield self._block[start:end].decode("utf-8", "surrogateescape")
            start = end


class Images(Protocol):
    """A source of images. Any object with these methods can be trained on."""

    @property
    def names(self) -> Sequence[str]: ...

    def __len__(self) -> int: ...

    def bytes(self, index: int) -> bytes:
        """The bytes that identify the image; for files, also the bytes that are decoded. Raises Undecodable if they
        cannot be read.
        """

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        """RGB. `at_least` as in `decode`."""

    def header(self, index: int) -> tuple[int, int, str]:
        """(width, height, Pillow's mode) without decoding the pixels."""


@dataclass(frozen=True)
class FileImages:
    """Images in files under `root`; the names are relative to it. value_range: as in `decode`, the same for all of
    them.
    """

    root: Path
    names: Sequence[str]
    value_range: Span | None = None

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int) -> bytes:
        try:
            with open(self.root / self.names[index], "rb") as stream:
                return stream.read()
        except OSError as error:
            raise Undecodable(UNREADABLE) from error

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return decode(self.bytes(index), at_least, self.value_range)

    def header(self, index: int) -> tuple[int, int, str]:
        return header(self.bytes(index))

    def reference(self, index: int) -> str:
        return self.names[index]

    def start(self, index: int) -> builtins.bytes:
        """The first bytes, which tell most formats apart. It is called for every file, so it does nothing twice."""
        try:
            handle = os.open(f"{self.root}/{self.names[index]}", os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise Undecodable(UNREADABLE) from error
        try:
            return os.read(handle, START)
        except OSError as error:
            raise Undecodable(UNREADABLE) from error
        finally:
            os.close(handle)

    def stamp(self, index: int) -> tuple[int, int, int]:
        """(size in bytes, time of the last change in ns, inode); zeros for a file that is gone."""
        try:
            status = os.stat(self.root / self.names[index])
        except OSError:
            return 0, 0, 0
        return status.st_size, status.st_mtime_ns, status.st_ino


@dataclass(frozen=True)
class ArrayImages:
    """Images already decoded: uint8 (n, height, width) grey or (n, height, width, 3) RGB. value_range: the range that
    reduced them to 8 bits.
    """

    array: np.ndarray
    names: Sequence[str]
    value_range: Span | None = None

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int) -> bytes:
        return np.ascontiguousarray(self.array[index]).tobytes()

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return Image.fromarray(self.array[index]).convert("RGB")

    def header(self, index: int) -> tuple[int, int, str]:
        return self.array.shape[2], self.array.shape[1], "L" if self.array.ndim == 3 else "RGB"


@dataclass(frozen=True)
class GeneratedImages:
    """Images that a function makes on request: index → RGB image, the same one every time."""

    make: Callable[[int], Image.Image]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int) -> bytes:
        return self.make(index).tobytes()

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return self.make(index)

    def header(self, index: int) -> tuple[int, int, str]:
        image = self.make(index)
        return image.width, image.height, image.mode


@dataclass(frozen=True)
class Dataset:
    """`labels[i]` indexes `classes`; `given[i]` is the part the user put image i into (NO_PART where limpide chooses
    it).
    """

    name: str
    location: str  # the path or the name as the user gave it, as a run records it
    images: Images
    labels: np.ndarray  # int32 (n,), converted from the type that was passed
    classes: tuple[str, ...]
    given: np.ndarray  # uint8 (n,), indices into PARTS
    # int64 (n,): images with the same number stay in one part; negative = in no group
    groups: np.ndarray | None = None
    left_out: Sequence[tuple[str, str]] = ()  # (file, reason as msgid) of listed files that cannot be used
    notes: Sequence[Message] = field(default=(), compare=False)  # what the user should know of how the data were read
    ignored: Sequence[Ignored] = field(default=(), compare=False)  # ignored files and folders, with the reason
    grouped_by: str = field(default="", compare=False)  # the columns that name the groups, separated by commas
    of_good_parts: bool = False  # only the first class is learned from; every other class is a defect
    learned: int | None = None  # the first N of `classes` are in the training part; None = all of them

    def __post_init__(self) -> None:
        # a million of them may stay in memory throughout
        object.__setattr__(self, "labels", np.asarray(self.labels, np.int32))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def gives_parts(self) -> bool:
        """Whether the data themselves say which images are for test or for validation."""
        return bool(np.isin(self.given, (TEST, VALIDATION)).any())

    @property
    def learned_classes(self) -> tuple[str, ...]:
        """The classes that a model of these data knows: the columns of its outputs."""
        return self.classes[: self.learned]

    def learned_first(self, parts: np.ndarray) -> Dataset:
        """The same images, with the classes of the training part before those that only other parts have. parts: uint8
        (n,), indices into PARTS.
        """
        images = np.stack(
            [np.bincount(self.labels[parts == part], minlength=len(self.classes)) for part in (TRAIN, TEST)]
        )
        # stable; after the trained classes those of the test part, then those that neither part has
        order = np.lexsort((images[1] == 0, images[0] == 0))
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order))
        return replace(
            self,
            labels=place[self.labels],
            classes=tuple(self.classes[k] for k in order),
            learned=int((images[0] > 0).sum()),
        )

    def good_first(self, good: str) -> Dataset:
        """The same images, with this class first: only it is learned from. Raises ValueError for an unknown name."""
        place = self.classes.index(good)
        order = [place, *(k for k in range(len(self.classes)) if k != place)]
        classes = tuple(self.classes[k] for k in order)
        return replace(self, labels=np.argsort(order)[self.labels], classes=classes, learned=1, of_good_parts=True)

    def read_by(self, value_range: Span | None) -> Dataset:
        """The same images; those of more than 8 bits are read with this range. Arrays were reduced to 8 bits when they
        were passed.
        """
        images: Any = self.images
        if not hasattr(images, "stamp") or images.value_range == value_range:
            return self
        dataset = replace(self, images=replace(images, value_range=value_range))
        dataset.__dict__.update({name: self.__dict__[name] for name in ("fingerprint",) if name in self.__dict__})
        return dataset

    @cached_property
    def fingerprint(self) -> str:
        """A hash that changes when a file is added, removed, renamed or relabelled, or (for files) touched. It is
        computed once, at first use.
        """
        digest = hashlib.sha256()
        for line in self._lines():
            digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
        return digest.hexdigest()

    def _lines(self) -> Iterator[str]:
        stamp = getattr(self.images, "stamp", None)
        groups = self.groups if self.groups is not None else np.full(len(self), -1)
        for i, (name, label, part, group) in enumerate(
            zip(self.images.names, self.labels, self.given, groups, strict=True)
        ):
            line = f"{name}\0{self.classes[label]}\0{PARTS[part]}"
            if group >= 0:
                line += f"\0{group}"
            if stamp:
                line += "\0" + "\0".join(map(str, stamp(i)))
            yield line
        if isinstance(self.images, ArrayImages):
            yield sha256(np.ascontiguousarray(self.images.array).data)


def parts_given_by_user(names: Iterable[str]) -> np.ndarray:
    """uint8 from part names as in PARTS. If only two parts are given, the held-out one is the untouched test, whatever
    its name.
    """
    parts = np.fromiter((PARTS.index(name) for name in names), np.uint8)
    if not (parts == TEST).any():
        parts[parts == VALIDATION] = TEST
    return parts
