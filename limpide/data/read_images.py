"""One pass over all images: hash, decode, and keep the squares of pixels that networks will see.

Files are decoded by worker processes (data/decoding/decoder_pool.py). The pixels go to memory-mapped `.npy` files, so
that a data set larger than memory trains too; where the disk has no room for them, images are decoded again whenever
they are needed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limpide.core.errors import DataError
from limpide.core.events import Progress
from limpide.data.dataset import ArrayImages, Dataset, Images
from limpide.data.decoding.decode import UNREADABLE, Remarks, Undecodable
from limpide.data.decoding.decoder_pool import decode_in_processes
from limpide.data.decoding.decoder_process import REASONS, SEEN, keep, spec
from limpide.data.near_duplicates import MIN_SIDE, find_pairs
from limpide.data.preprocessing import Preprocessing
from limpide.system import files
from limpide.system.machine import cores
from limpide.text.messages import N_, message

CHUNK = 256  # images a thread takes at once
AT_ONCE = 64  # chunks that wait for a thread: thousands of them would waste memory
SEEN_FILE = "seen.npy"
RECORD = "reading.json"  # written last: its presence says that the pixel files are complete
MIN_GRAY_SIDE = 96  # pixels; drawn characters look alike even when they are enlarged (data/near_duplicates.py)
MAX_LOST = 0.01  # share of the images that may vanish while they are decoded again


@dataclass
class Undecoded:
    """Squares of pixels that are not on disk: they are decoded on access. It behaves like the array it replaces."""

    images: Images
    preprocessing: Preprocessing
    rows: np.ndarray
    lost: set[int] = field(default_factory=set)  # rows that can no longer be read

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        p = self.preprocessing
        squares = np.zeros((len(places), p.size, p.size, p.channels), np.uint8)

        def work(k: int) -> None:
            row = int(self.rows[places[k]])
            try:
                squares[k] = p.pixels(self.images.image(row, p.jpeg_side))
            except Undecodable:
                self.lost.add(row)

        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(work, range(len(places))))
        if len(self.lost) > max(1, MAX_LOST * len(self.rows)):
            raise DataError("L216", where=self.images.names[min(self.lost)], n=len(self.lost))
        return squares


@dataclass(frozen=True)
class Pixels:
    """The squares of some images of a data set: uint8 (len(rows), size, size, channels)."""

    preprocessing: Preprocessing
    rows: np.ndarray  # sorted indices into the data set
    array: np.ndarray | Undecoded

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Pixels of these images (indices into the data set), in the given order."""
        return np.asarray(self.array[np.searchsorted(self.rows, indices)])

    def lost(self) -> set[int]:
        """Images that vanished since they were first read; their pixels are black and must not be learned from."""
        return self.array.lost if isinstance(self.array, Undecoded) else set()


@dataclass(frozen=True)
class Reading:
    seen: np.ndarray  # SEEN (n,), see data/decoding/decoder_process.py
    pixels: dict[int, Pixels]  # by size

    def failures(self) -> dict[int, str]:
        """index → reason (msgid) of each unusable image."""
        bad = np.flatnonzero(self.seen["reason"] >= 0)
        return {int(i): REASONS[int(self.seen["reason"][i])] for i in bad}

    def remarked(self, remark: Remarks) -> np.ndarray:
        """Indices of the usable images that have this remark."""
        return np.flatnonzero((self.seen["remarks"] & int(remark) != 0) & (self.seen["reason"] < 0))


@dataclass(frozen=True)
class ImageSample:
    """The size and colour of a sample of the images, from their headers."""

    median_side: int  # pixels, of the shorter sides
    grey: bool  # every image of the sample is grey


def sample_images(dataset: Dataset, sample: int = 500) -> ImageSample:
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(sample, len(dataset))).astype(int))
    sides, grey = [], True
    for i in indices.tolist():
        try:
            width, height, mode = dataset.images.header(i)
            sides.append(min(width, height))
            grey = grey and (
                mode in ("L", "1", "LA")
                or mode.startswith(("I", "F"))
                or (mode == "RGB" and sides[-1] <= 64 and _looks_gray(dataset.images.image(i)))
            )
        except Undecodable:
            continue
    return ImageSample(int(np.median(sides)) if sides else 0, grey and bool(sides))


def _looks_gray(image: Image.Image) -> bool:
    pixels = np.asarray(image)
    return bool((pixels == pixels[..., :1]).all())


def read_pixels(
    dataset: Dataset,
    wanted: Mapping[Preprocessing, np.ndarray],
    cache: Path,
    *,
    on_disk: frozenset[Preprocessing] | None = None,
) -> Iterator[Progress]:
    """Reads every image once and fills one pixel file for each preprocessing in `wanted` (value: indices it covers).

    A generator of Progress; `stored_reading(dataset, wanted, cache)` then opens the result. Images that `cache` already
    holds, from an interrupted reading or copied from an earlier one, are not read again. on_disk: the preprocessings
    that have room on the disk; None = all.
    """
    _check_value_range(dataset, wanted)
    (cache / RECORD).unlink(missing_ok=True)
    cached = {p for p in wanted if on_disk is None or p in on_disk}
    targets = {p: _open_pixel_file(cache, p, len(rows)) if p in cached else None for p, rows in wanted.items()}
    image_records = _open_image_records(cache, len(dataset))
    todo = np.flatnonzero(image_records["read"] == 0).astype(np.int32)
    done, total = len(dataset) - len(todo), len(dataset)
    if where := spec(dataset.images):
        steps = _read_in_processes(dataset, where, wanted, targets, image_records, todo, cache)
    else:
        steps = _read_in_threads(dataset, wanted, targets, image_records, todo)
    with contextlib.closing(steps):
        for count in steps:
            done += count
            yield Progress(message(N_("reading images")), done, total)
    _refuse_if_gone(dataset, image_records)
    for target in targets.values():
        if target is not None:
            target.flush()
    image_records.flush()
    files.write_json(
        cache / RECORD,
        {"images": len(dataset), "sizes": sorted(p.size for p in wanted), "on_disk": sorted(p.size for p in cached)},
    )


def _check_value_range(dataset: Dataset, preprocessings: Iterable[Preprocessing]) -> None:
    images: Any = dataset.images
    reason = "the images are read by another value range than the network will be told"
    assert not hasattr(images, "stamp") or all(p.value_range == images.value_range for p in preprocessings), reason


def stored_reading(dataset: Dataset, wanted: Mapping[Preprocessing, np.ndarray], cache: Path) -> Reading | None:
    """The result of an earlier `read_pixels`, or None when there is none or it is incomplete."""
    try:
        record = files.read_json(cache / RECORD)
        image_records = np.load(cache / SEEN_FILE, mmap_mode="r")
        sizes = set(record["sizes"])
        pixels = {
            p.size: _open_pixels(dataset, p, rows, cache, p.size in record["on_disk"]) for p, rows in wanted.items()
        }
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None
    if (
        not pixels.keys() <= sizes
        or len(image_records) != len(dataset)
        or image_records.dtype != SEEN
        or any(len(p.array) != len(p.rows) for p in pixels.values())
    ):
        return None
    return Reading(image_records, pixels)


def fingerprints_of(dataset: Dataset, seen: ImageSample) -> bool:
    """Whether near-duplicates among such images can be found: they are in files, and not so small that different ones
    look alike.
    """
    return hasattr(dataset.images, "stamp") and seen.median_side >= (MIN_GRAY_SIDE if seen.grey else MIN_SIDE)


def near_pairs(dataset: Dataset, reading: Reading, *, grey: bool) -> np.ndarray | None:
    """int64 (m, 2): enough pairs of nearly identical usable images to connect each set of them.

    None where images are so small, or small and grey like written characters, that different ones look alike, and for
    images that are not in files.
    """
    image_records = reading.seen
    usable = np.flatnonzero(image_records["reason"] < 0)
    sides = np.minimum(image_records["width"][usable], image_records["height"][usable])
    if not len(usable) or not fingerprints_of(dataset, ImageSample(int(np.median(sides)), grey)):
        return None
    return np.asarray(usable[find_pairs(np.ascontiguousarray(image_records["print"][usable]))])


def _open_pixels(dataset: Dataset, p: Preprocessing, rows: np.ndarray, cache: Path, on_disk: bool) -> Pixels:
    return Pixels(
        p, rows, np.load(pixel_name(cache, p), mmap_mode="r") if on_disk else Undecoded(dataset.images, p, rows)
    )


def _read_in_processes(
    dataset: Dataset,
    where: dict[str, str],
    rows_by_preprocessing: Mapping[Preprocessing, np.ndarray],
    targets: Mapping[Preprocessing, Any],
    image_records: np.ndarray,
    todo: np.ndarray,
    cache: Path,
) -> Generator[int]:
    setup = {
        "images": where,
        "seen": str(cache / SEEN_FILE),
        "targets": [
            [p.to_json(), str(pixel_name(cache, p)) if target is not None else ""] for p, target in targets.items()
        ],
    }
    reference = dataset.images.reference  # type: ignore[attr-defined]
    places = {p: _find_places(rows, todo) for p, rows in rows_by_preprocessing.items()}
    work = ((int(i), reference(int(i)), [int(places[p][k]) for p in rows_by_preprocessing]) for k, i in enumerate(todo))
    for i, reason in decode_in_processes(min(cores(), len(todo)), setup, work):
        if reason:
            image_records["reason"][i], image_records["read"][i] = REASONS.index(reason), 1
        yield 1


def _read_in_threads(
    dataset: Dataset,
    rows_by_preprocessing: Mapping[Preprocessing, np.ndarray],
    targets: Mapping[Preprocessing, Any],
    image_records: np.ndarray,
    todo: np.ndarray,
) -> Generator[int]:
    """For images that are not in files, and so need no decoder."""
    images = dataset.images

    def work(chunk: np.ndarray) -> None:
        places = {p: _find_places(rows, chunk) for p, rows in rows_by_preprocessing.items()}
        if _copy_squares(images, chunk, targets, places, image_records):
            return
        for k, i in enumerate(chunk.tolist()):
            row = image_records[i]
            try:
                data = images.bytes(i)
                row["width"], row["height"], _ = images.header(i)
                squares = [
                    (p, target, int(places[p][k]) if target is not None else -1) for p, target in targets.items()
                ]
                reason = keep(data, lambda side, i=i: (images.image(i, side), Remarks(0)), squares, row)  # type: ignore[misc]
            except Undecodable as error:
                reason = error.reason
            row["reason"], row["read"] = REASONS.index(reason) if reason else -1, 1

    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(todo), CHUNK * AT_ONCE):
            chunks = [todo[k : k + CHUNK] for k in range(start, min(start + CHUNK * AT_ONCE, len(todo)), CHUNK)]
            for chunk, _ in zip(chunks, pool.map(work, chunks), strict=True):
                yield len(chunk)


def _copy_squares(
    images: Images,
    chunk: np.ndarray,
    targets: Mapping[Preprocessing, Any],
    places: Mapping[Preprocessing, np.ndarray],
    image_records: np.ndarray,
) -> bool:
    """Copies grey squares of the right size as they are: a resize to the same size changes nothing. False for other
    images.
    """
    if (
        not isinstance(images, ArrayImages)
        or images.array.ndim != 3
        or any(p.channels != 1 or images.array.shape[1:] != (p.size, p.size) for p in targets)
    ):
        return False
    squares = np.ascontiguousarray(images.array[chunk])
    for p, target in targets.items():
        if target is not None:
            here = places[p] >= 0
            target[places[p][here], ..., 0] = squares[here]
    image_records["hash"][chunk] = [int(files.sha256(one.data)[:16], 16) for one in squares]
    image_records["height"][chunk], image_records["width"][chunk] = squares.shape[1:]
    image_records["reason"][chunk] = -1
    image_records["read"][chunk] = 1
    return True


def _find_places(rows: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The positions of these images in a pixel file that covers `rows`; −1 for images that are not in it."""
    if not len(rows):
        return np.full(len(indices), -1)
    place = np.minimum(np.searchsorted(rows, indices), len(rows) - 1)
    return np.where(rows[place] == indices, place, -1)


def _refuse_if_gone(dataset: Dataset, image_records: np.ndarray) -> None:
    """Raises DataError if the folder is gone: a disk or a share that went away does not make all of its images
    unreadable.
    """
    root = getattr(dataset.images, "root", None)
    if root is not None and not os.path.exists(root):
        image_records["read"][image_records["reason"] == REASONS.index(UNREADABLE)] = 0
        raise DataError("L217", where=root)


def _open_image_records(cache: Path, count: int) -> np.memmap:
    file = cache / SEEN_FILE
    with contextlib.suppress(OSError, ValueError, EOFError):
        image_records = np.load(file, mmap_mode="r+")
        if image_records.dtype == SEEN and len(image_records) == count:
            return image_records  # type: ignore[no-any-return]
    return np.lib.format.open_memmap(file, mode="w+", dtype=SEEN, shape=(count,))


def pixel_name(cache: Path, p: Preprocessing) -> Path:
    return cache / f"pixels-{p.size}x{p.channels}.npy"


def _open_pixel_file(cache: Path, p: Preprocessing, count: int) -> np.memmap:
    shape, name = (count, p.size, p.size, p.channels), pixel_name(cache, p)
    with contextlib.suppress(OSError, ValueError, EOFError):
        pixels = np.load(name, mmap_mode="r+")
        if pixels.shape == shape and pixels.dtype == np.uint8:
            return pixels  # type: ignore[no-any-return]
    (cache / SEEN_FILE).unlink(missing_ok=True)  # images read before have no pixels in this file
    target = np.lib.format.open_memmap(name, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error now, not a crash when the pages are written
        with open(name, "r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, os.fstat(stream.fileno()).st_size))
    return target
