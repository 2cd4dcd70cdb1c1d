"""Files of more than 8 bits a value, and what the rule makes of them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from limpide.data.dataset import Dataset
from limpide.data.decoding.decode import decode
from limpide.data.decoding.deep_values import Span
from limpide.data.layouts.scan import scan

RANDOM = np.random.default_rng(0)


def png_of(values: np.ndarray, *, key: bytes = b"", adam7: bool = False) -> bytes:
    """A PNG of 16 bits a value, written chunk by chunk: (height, width[, 2 = grey and alpha, 3 = RGB, 4 = RGB and
    alpha]).
    """

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = values.shape[:2]
    kind = {2: 4, 3: 2, 4: 6}[values.shape[2]] if values.ndim == 3 else 0
    passes = (
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        if adam7
        else [(0, 0, 1, 1)]
    )
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for y, x, dy, dx in passes for row in values[y::dy, x::dx])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, adam7))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + (chunk(b"tRNS", key) if key else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff_of(values: np.ndarray, *, white_is_zero: bool = False, big: bool = False, packed: bool = False) -> bytes:
    """A TIFF of (height, width[, 3 | 4]), written tag by tag: whole numbers with or without a sign, or floats."""
    order = ">" if big else "<"
    height, width = values.shape[:2]
    channels, bits = (values.shape[2] if values.ndim == 3 else 1), 8 * values.itemsize
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if packed else data
    place = 8
    body = data + b"\0" * (len(data) % 2)
    depth = bits
    if channels > 1:
        depth = place + len(body)
        body += struct.pack(f"{order}{channels}H", *[bits] * channels)
    photometric = 2 if channels > 1 else 0 if white_is_zero else 1
    tags = [
        (256, 1, width),
        (257, 1, height),
        (258, channels, depth),
        (259, 1, 8 if packed else 1),
        (262, 1, photometric),
        (273, 1, place),
        (277, 1, channels),
    ]
    tags += [
        (278, 1, height),
        (279, 1, len(data)),
        *([(338, 1, 2)] if channels == 4 else []),
        (339, 1, {"u": 1, "i": 2, "f": 3}[values.dtype.kind]),
    ]
    return (
        (b"MM\0*" if big else b"II*\0")
        + struct.pack(f"{order}I", place + len(body))
        + body
        + struct.pack(f"{order}H", len(tags))
        + _pack_tags(order, tags)
        + b"\0\0\0\0"
    )


def _pack_tags(order: str, tags: list[tuple[int, int, int]]) -> bytes:
    """tags: (number, count, value)."""
    entries = b""
    for tag, count, value in tags:
        short = tag in (258, 339) and count == 1
        entries += struct.pack(f"{order}HHI", tag, 3 if short or tag == 258 else 4, count)
        entries += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    return entries


def by_rule(values: np.ndarray, span: Span) -> np.ndarray:
    """The rule, written once more: low becomes 0, high becomes 255, beyond is clipped."""
    low, high = span
    return np.array([min(255, max(0, round((float(v) - low) / (high - low) * 255))) for v in values.ravel()]).reshape(
        values.shape
    )


def levels(data: bytes, span: Span | None) -> np.ndarray:
    return np.asarray(decode(data, value_range=span)).astype(int)


def folder_of(root: Path, images: dict[str, bytes]) -> Dataset:
    for name, data in images.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return scan(str(root))


def noise(bits: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**bits, (16, 16)).astype(np.uint16)


def twelve(root: Path) -> Dataset:
    return folder_of(
        root, {f"{label}/{k}.png": png_of(noise(12, 10 * k + ord(label))) for label in "ab" for k in range(3)}
    )
