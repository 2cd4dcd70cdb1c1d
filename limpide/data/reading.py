"""One pass over all images: hash, decode, and keep the squares of pixels that networks will see.

The pixels go to memory-mapped `.npy` files in the cache of the run, so that a data set larger than memory trains too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from limpide import files
from limpide.data.dataset import ArrayImages, Dataset
from limpide.data.decode import Undecodable, decode
from limpide.data.preprocessing import Preprocessing
from limpide.events import Progress
from limpide.language import N_, message
from limpide.machine import cores

CHUNK = 64  # images a thread takes at once
RECORD = "reading.json"  # written last: its presence says that the pixel files are complete


@dataclass(frozen=True)
class Pixels:
    """The squares of some images of a data set: uint8 (len(rows), size, size, channels)."""

    preprocessing: Preprocessing
    rows: np.ndarray  # sorted indices into the data set
    array: np.ndarray

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Pixels of these images (indices into the data set), in the order asked for."""
        return np.asarray(self.array[np.searchsorted(self.rows, indices)])


@dataclass(frozen=True)
class Reading:
    hashes: list[str]  # sha256 of the bytes of each image
    failures: dict[int, str]  # index → reason (msgid) of what could not be decoded
    pixels: dict[int, Pixels]  # by size


@dataclass(frozen=True)
class Glimpse:
    """What a sample of the images looks like, from their headers."""

    median_side: int  # pixels, of the shorter sides
    grey: bool  # every image of the sample is grey


def glimpse(dataset: Dataset, sample: int = 5000) -> Glimpse:
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(sample, len(dataset))).astype(int))
    sides, grey = [], True
    for i in indices.tolist():
        try:
            width, height, mode = dataset.images.header(i)
            sides.append(min(width, height))
            grey = grey and (mode in ("L", "1", "LA", "I;16") or (mode == "RGB" and sides[-1] <= 64 and _looks_grey(dataset.images.image(i))))
        except Undecodable:
            continue
    return Glimpse(int(np.median(sides)) if sides else 0, grey and bool(sides))


def _looks_grey(image: Image.Image) -> bool:
    pixels = np.asarray(image)
    return bool((pixels == pixels[..., :1]).all())


def read(dataset: Dataset, wanted: Mapping[Preprocessing, np.ndarray], cache: Path) -> Iterator[Progress]:
    """Decodes every image once and fills one pixel file for each preprocessing in `wanted` (value: indices it covers).

    A generator of Progress; `stored(dataset, wanted, cache)` then opens the result.
    """
    (cache / RECORD).unlink(missing_ok=True)  # until all is read again, what an earlier reading left counts for nothing
    targets = {p: _pixel_file(cache, p, len(rows)) for p, rows in wanted.items()}
    hashes = [""] * len(dataset)
    failures: dict[int, str] = {}

    def work(chunk: np.ndarray) -> None:
        for i in chunk.tolist():
            try:
                _read_one(dataset, i, hashes, wanted, targets)
            except Undecodable as error:
                failures[i] = error.reason

    chunks = np.array_split(np.arange(len(dataset)), max(1, len(dataset) // CHUNK))
    done = 0
    with ThreadPoolExecutor(cores()) as pool:
        for chunk, _ in zip(chunks, pool.map(work, chunks), strict=True):
            done += len(chunk)
            yield Progress(message(N_("reading images")), done, len(dataset))
    for target in targets.values():
        target.flush()
    files.write_json(cache / RECORD, {"hashes": hashes, "failures": {str(k): failures[k] for k in sorted(failures)}})


def stored(wanted: Mapping[Preprocessing, np.ndarray], cache: Path) -> Reading | None:
    """The result of an earlier `read`, or None when there is none or it is incomplete."""
    try:
        record = files.read_json(cache / RECORD)
        pixels = {p.size: Pixels(p, rows, np.load(_pixel_name(cache, p), mmap_mode="r")) for p, rows in wanted.items()}
    except (OSError, ValueError, EOFError):
        return None
    if any(len(p.array) != len(p.rows) for p in pixels.values()):
        return None
    return Reading(record["hashes"], {int(k): v for k, v in record["failures"].items()}, pixels)


def _read_one(
    dataset: Dataset,
    i: int,
    hashes: list[str],
    wanted: Mapping[Preprocessing, np.ndarray],
    targets: Mapping[Preprocessing, np.ndarray],
) -> None:
    images = dataset.images
    data = images.bytes(i)
    hashes[i] = files.sha256(data)
    decoded: dict[int, Image.Image] = {}
    for preprocessing, rows in wanted.items():
        place = int(np.searchsorted(rows, i))
        if place == len(rows) or rows[place] != i:
            continue
        if isinstance(images, ArrayImages):
            if images.array.shape[1:] == (preprocessing.size, preprocessing.size) and preprocessing.channels == 1:
                targets[preprocessing][place, ..., 0] = images.array[i]  # a resize to the same size changes nothing
                continue
            image = images.image(i)
        else:
            image = decoded.get(preprocessing.jpeg_side) or decode(data, preprocessing.jpeg_side)
            decoded[preprocessing.jpeg_side] = image
        targets[preprocessing][place] = preprocessing.pixels(image)
    if not isinstance(images, ArrayImages) and not decoded:
        decode(data)  # kept by no network yet, but it must be readable


def _pixel_name(cache: Path, p: Preprocessing) -> Path:
    return cache / f"pixels-{p.size}x{p.channels}.npy"


def _pixel_file(cache: Path, p: Preprocessing, count: int) -> np.memmap:
    shape = (count, p.size, p.size, p.channels)
    target = np.lib.format.open_memmap(_pixel_name(cache, p), mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error now, not a crash when the pages are written
        with open(_pixel_name(cache, p), "r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, os.fstat(stream.fileno()).st_size))
    return target
