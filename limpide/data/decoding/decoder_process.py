"""A process that decodes images for another one, so that a file which crashes or hangs a decoder costs only that file.

    python -m limpide.data.decoding.decoder_process

On standard input: one line of JSON that says where the images are and where their pixels, or the measurements of their
values, go; then one line per image, [index, reference, position in each pixel file or −1]. On standard output, after
each image: its index, and the number of the reason why it cannot be used, or −1. "… index pixels" announces an image so
large that it may take long.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limpide.data.dataset import FileImages
from limpide.data.decoding import decode
from limpide.data.decoding.decode import Remarks, Undecodable, decode_with_remarks, header, stored_values
from limpide.data.decoding.deep_values import measure
from limpide.data.layouts.archive import ArchiveImages
from limpide.data.near_duplicates import fingerprint
from limpide.data.preprocessing import Preprocessing
from limpide.system import files
from limpide.text.messages import N_

MEMORY = 3 << 30  # bytes a decoder may take; the largest image that is allowed needs 0.7 GB
ANNOUNCED = 30_000_000  # pixels; an image that has more is announced

CRASHED = N_("decoding it crashes the decoder")
HANGS = N_("decoding it takes too long")
NO_MEMORY = N_("decoding it takes more than 3 GB of memory")
REASONS = (*decode.REASONS, CRASHED, HANGS, NO_MEMORY)

SEEN = np.dtype(
    [
        ("hash", "<u8"),  # first 8 bytes of the sha256 of the content
        ("print", "<u8", (4,)),  # data/near_duplicates.py; zeros where it was not computed
        ("width", "<u4"),  # pixels, as stored in the file
        ("height", "<u4"),
        ("remarks", "<u2"),  # data/decoding/decode.py
        ("reason", "<i1"),  # index in REASONS, −1 = usable
        ("read", "u1"),  # 1 once all other fields are valid
    ]
)


def source(spec: dict[str, Any]) -> FileImages | ArchiveImages:
    """A source of one image, whose reference is set before it is read."""
    span = spec["value_range"]
    span = tuple(span) if span else None
    if spec["kind"] == "files":
        return FileImages(Path(spec["root"]), [""], span)
    return ArchiveImages(Path(spec["root"]), [""], np.zeros((1, 2), np.int64), spec["kind"], span)


def spec(images: Any) -> dict[str, Any] | None:
    """The facts with which a worker finds these images; None when they are not in files."""
    if isinstance(images, FileImages):
        return {"kind": "files", "root": str(images.root), "value_range": images.value_range}
    if isinstance(images, ArchiveImages):
        return {"kind": images.kind, "root": str(images.root), "value_range": images.value_range}
    return None


def keep(data: bytes, opened: Any, wanted: list[tuple[Preprocessing, Any, int]], row: Any) -> str:
    """Fills one row of SEEN and the squares of one image; returns the reason why it cannot be used, or "".

    opened: at_least → (RGB image, remarks). wanted: (preprocessing, pixel file, position in it or −1).
    """
    row["hash"] = int(files.sha256(data)[:16], 16)
    try:
        decoded: dict[int, tuple[Image.Image, Remarks]] = {}
        for preprocessing, target, place in wanted:
            if place >= 0:
                image, remarks = decoded.get(preprocessing.jpeg_side) or opened(preprocessing.jpeg_side)
                decoded[preprocessing.jpeg_side] = image, remarks
                target[place] = preprocessing.pixels(image)
                row["remarks"] = remarks
        if not decoded:
            image, row["remarks"] = opened(0)
        row["print"] = fingerprint(image)
    except Undecodable as error:
        return error.reason
    except MemoryError:
        return NO_MEMORY
    return ""


def main() -> None:
    if sys.platform != "win32":  # Windows has no such limit
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    setup = json.loads(sys.stdin.readline())
    images = source(setup["images"])
    if "extremes" in setup:
        _measure_all(images, np.load(setup["extremes"], mmap_mode="r+"))
    else:
        _keep_all(images, setup)


def _keep_all(images: FileImages | ArchiveImages, setup: dict[str, Any]) -> None:
    image_records = np.load(setup["seen"], mmap_mode="r+")
    targets = [
        (Preprocessing.from_json(p), np.load(file, mmap_mode="r+") if file else None) for p, file in setup["targets"]
    ]
    for i, places in _read_requests(images):
        row = image_records[i]
        reason = _decode_one(
            i,
            images,
            [
                (p, target, place if target is not None else -1)
                for (p, target), place in zip(targets, places, strict=True)
            ],
            row,
        )
        row["reason"] = REASONS.index(reason) if reason else -1
        row["read"] = 1
        _tell(i, row["reason"])


def _measure_all(images: FileImages | ArchiveImages, extremes: np.ndarray) -> None:
    for i, _ in _read_requests(images):
        reason = ""
        try:
            data = images.bytes(0)
            width, height, _mode = header(data)
            if width * height > ANNOUNCED:
                _tell("…", i, width * height)
            if (values := stored_values(data)) is not None:
                measure(values.colors, extremes[i])
        except Undecodable as error:
            reason = error.reason
        except MemoryError:
            reason = NO_MEMORY
        _tell(i, REASONS.index(reason) if reason else -1)


def _read_requests(images: FileImages | ArchiveImages) -> Iterator[tuple[int, list[int]]]:
    """(index, positions) of one image after the other; `images` then holds the reference of this image."""
    _tell("…", -1, 0)  # loaded: from now on a long silence means a hanging decoder
    for line in sys.stdin:
        i, reference, places = json.loads(line)
        if isinstance(images, FileImages):
            images.names[0] = reference  # type: ignore[index]
        else:
            images.places[0] = reference
        yield i, places


def _decode_one(
    i: int, images: FileImages | ArchiveImages, targets: list[tuple[Preprocessing, Any, int]], row: Any
) -> str:
    try:
        data = images.bytes(0)
        width, height, _ = header(data)
    except Undecodable as error:
        return error.reason
    row["width"], row["height"] = width, height
    if width * height > ANNOUNCED:
        _tell("…", i, width * height)
    return keep(data, lambda side: decode_with_remarks(data, side, images.value_range), targets, row)


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
