"""The value range of a data set: measured over its images of more than 8 bits, and decided once.

Only the first bytes of each file are read to find those images; a data set of 8 bits pays no more. The images found are
decoded once, in worker processes, and the measurements are kept beside the decoded pixels until a file changes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from limpide.core.events import Progress
from limpide.data.dataset import TEST, ArrayImages, Dataset
from limpide.data.decoding.decode import Undecodable, holds_more_than_8_bits, stored_values
from limpide.data.decoding.decoder_pool import decode_in_processes
from limpide.data.decoding.decoder_process import spec
from limpide.data.decoding.deep_values import EXTREMES, FULL_SCALES, MIN_USED, Span, may_be_deep, scale_to_8_bits
from limpide.system import files
from limpide.system.machine import cores
from limpide.text.messages import N_, Message, message

FORMAT = 1  # version of the stored file; other versions are not read
CHUNK = 1024  # files whose first bytes a thread reads at once
KEPT = "values.npy"
FEW_LEVELS = 16  # grey levels, of 256, that hold nine of ten values of a faint image, at most
MANY_FAINT = 0.25  # share of the images of more than 8 bits
MARKS_GAP = 4  # marks of missing measurements make the range at least this many times wider
MAX_MARKS = 0.5  # share of the values


@dataclass(frozen=True)
class ValueRange:
    """How the images of more than 8 bits are read. extremes: EXTREMES, one per image of these that could be read."""

    span: Span | None  # None: there are none, or each is read by the limits of its type
    extremes: np.ndarray
    images: int  # of the whole data set
    asked: bool = False

    def faint(self) -> np.ndarray:
        """Rows of the images of which only few grey levels are left."""
        if self.span is None:
            return np.zeros(0, int)
        levels = (self.extremes["bright"] - self.extremes["dim"]) * 255 / (self.span[1] - self.span[0])
        return np.asarray(self.extremes["row"][(levels < FEW_LEVELS) & (self.extremes["high"] > self.extremes["low"])])

    def says(self) -> list[Message]:
        """The decision in a sentence, and further remarks on it; nothing for a data set of 8 bits."""
        if not len(self.extremes):
            return self._says_of_arrays()
        if self.span is None:
            return [
                message(
                    N_("{n:count} image of more than 8 bits is read with the full range of its type, as asked"),
                    N_("{n:count} images of more than 8 bits are read with the full range of their type, as asked"),
                    n=len(self.extremes),
                    low=float(self.extremes["low"].min()),
                    high=float(self.extremes["high"].max()),
                )
            ]
        return [self._says_of_span(self.span), *self._says_of_others(self.span)]

    def _says_of_arrays(self) -> list[Message]:
        if not self.span or self.asked:
            return []
        says = N_(
            "the arrays are read with the value range {from:number} to {to:number} (value_range= sets another range)"
        )
        return [message(says, None, **{"from": self.span[0], "to": self.span[1]})]

    def _says_of_span(self, span: Span) -> Message:
        low, high = float(self.extremes["low"].min()), float(self.extremes["high"].max())
        values: dict[str, Any] = {"n": len(self.extremes), "low": low, "high": high, "from": span[0], "to": span[1]}
        if self.asked:
            says = N_(
                "values of more than 8 bits go from {low:number} to {high:number} in {n:count} images and are "
                "read with the value range {from:number} to {to:number}, as asked"
            )
        elif span[0] == 0 and span[1] in FULL_SCALES:
            says = N_(
                "values of more than 8 bits go up to {high:number} in {n:count} images and are read as "
                "{bits}-bit values, 0 to {to:number} (--value-range sets another range)"
            )
            values["bits"] = round(math.log2(span[1] + 1))
        else:
            says = N_(
                "values of more than 8 bits go from {low:number} to {high:number} in {n:count} images and are "
                "read with the value range {from:number} to {to:number} (--value-range sets another range)"
            )
        return message(says, **values)

    def _says_of_others(self, span: Span) -> list[Message]:
        """Sentences on values outside the range, and on the images of 8 bits."""
        messages = []
        low, high = float(self.extremes["low"].min()), float(self.extremes["high"].max())
        if not self.asked and (low < span[0] or high > span[1]):
            says = N_(
                "values outside this range mark what was not measured, or occur in the test part alone: "
                "they are clipped"
            )
            messages.append(message(says))
        if len(self.extremes) < self.images:
            messages.append(
                message(
                    N_("the other image, of 8 bits, keeps its values from 0 to 255"),
                    N_("the other {n:count} images, of 8 bits, keep their values from 0 to 255"),
                    n=self.images - len(self.extremes),
                )
            )
        return messages


def decide_range(
    dataset: Dataset, asked: str | Span = "auto", *, rehash: bool = False
) -> Generator[Progress, None, ValueRange]:
    """Measures the images if necessary, and decides. asked: "auto", "none" or (low, high), as in `Recipe.value_range`.

    The images of a given test part are not used: to the model they are future images.
    """
    extremes = yield from _measure_images(dataset, rehash)
    if isinstance(dataset.images, ArrayImages) and dataset.images.value_range:  # they are reduced to 8 bits already
        return ValueRange(dataset.images.value_range, extremes, len(dataset))
    if isinstance(asked, tuple):
        return ValueRange(asked, extremes, len(dataset), asked=True)
    outside_test = extremes[dataset.given[extremes["row"]] != TEST]
    return ValueRange(
        range_of(outside_test) if asked == "auto" and len(outside_test) else None,
        extremes,
        len(dataset),
        asked=asked != "auto",
    )


def range_of(extremes: np.ndarray) -> Span:
    """The range for images like these (EXTREMES).

    Whole numbers: the smallest full scale of 8, 10, 12, 14 or 16 bits that holds them. Floats: 0 … 1 or 0 … 255. If
    values are negative, are larger, or use less than an eighth of their scale: from the smallest to the largest value.
    A value at the very end of its type, far from all others, marks a missing measurement and does not count.
    """
    whole, floating = bool(extremes["whole"].all()), bool(extremes["floating"].any())
    outer = _choose_scale(float(extremes["low"].min()), float(extremes["high"].max()), whole, floating)
    low, high = float(extremes["inner_low"].min()), float(extremes["inner_high"].max())
    if not low < high or extremes["marks"].mean() > MAX_MARKS:
        return outer
    inner = _choose_scale(low, high, whole, floating)
    return inner if outer[1] - outer[0] >= MARKS_GAP * (inner[1] - inner[0]) else outer


def _choose_scale(low: float, high: float, whole: bool, floating: bool) -> Span:
    scales = (*((1.0,) if floating else ()), *(FULL_SCALES if whole else (255.0,)))
    full = next((scale for scale in scales if high <= scale), None)
    if low >= 0 and full is not None and MIN_USED * (high - low) >= full:
        return 0.0, float(full)
    return low, high if high > low else low + 1


def lies_beyond(images: Any, row: int, span: Span | None) -> bool:
    """Whether this image holds values that are clipped when it is read with this range. An image of more than 8 bits is
    decoded again for this.
    """
    if span is None or not hasattr(images, "start"):
        return False
    with contextlib.suppress(Undecodable):
        data = images.bytes(row)
        values = stored_values(data) if may_be_deep(data) else None
        return values is not None and scale_to_8_bits(values.colors, span)[1]
    return False


# -- measuring


def _measure_images(dataset: Dataset, rehash: bool) -> Generator[Progress, None, np.ndarray]:
    """EXTREMES of the images of more than 8 bits that can be read, in the order of the data set."""
    where = spec(dataset.images)
    if where is None:
        return np.zeros(0, EXTREMES)
    rows = _find_deep(dataset)
    if not rows:
        return np.zeros(0, EXTREMES)
    folder = files.cache_folder() / "pixels" / files.sha256(f"values {FORMAT}\0{dataset.fingerprint}".encode())[:24]
    with contextlib.suppress(OSError, ValueError, EOFError):
        cached = np.load(folder / KEPT)
        if cached.dtype == EXTREMES and not rehash:
            return cached  # type: ignore[no-any-return]
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / KEPT
        extremes = np.lib.format.open_memmap(file, mode="w+", dtype=EXTREMES, shape=(len(rows),))
        extremes["row"] = rows
        reference = dataset.images.reference  # type: ignore[attr-defined]
        setup = {"images": where, "extremes": str(file)}
        work: Iterable[tuple[int, Any, list[int]]] = ((k, reference(row), []) for k, row in enumerate(rows))
        for done, _ in enumerate(decode_in_processes(min(cores(), len(rows)), setup, work), 1):
            yield Progress(message(N_("measuring values of more than 8 bits")), done, len(rows))
        measured = np.array(extremes[extremes["read"] == 1])
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        files.write_atomically(folder / KEPT, lambda stream: np.save(stream, measured))
        files.write_json(folder / "store.json", {"location": dataset.location, "images": len(measured)})
    return measured


def _find_deep(dataset: Dataset) -> list[int]:
    """Rows of the images of more than 8 bits, by their content."""
    images: Any = dataset.images

    def of(chunk: range) -> list[int]:
        deep = []
        for row in chunk:
            with contextlib.suppress(Undecodable):
                if may_be_deep(images.start(row)) and holds_more_than_8_bits(images.bytes(row)):
                    deep.append(row)
        return deep

    chunks = [range(k, min(k + CHUNK, len(dataset))) for k in range(0, len(dataset), CHUNK)]
    with ThreadPoolExecutor(cores()) as pool:
        return [row for rows in pool.map(of, chunks) for row in rows]
