"""Decoded pixels kept between runs, so that the second training of a folder starts at once.

The cache folder has one folder per data set and preprocessing. A file is recognised by its name, size, modification
time and inode; only changed files are decoded again. Least recently used folders are evicted to stay below the quota.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limpide.data.dataset import Dataset
from limpide.data.decoding.decode import AVIF, HEIC, UNREADABLE
from limpide.data.decoding.decoder_process import CRASHED, HANGS, NO_MEMORY, REASONS, SEEN
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import RECORD, SEEN_FILE, pixel_name
from limpide.system import files

FORMAT = 2  # version of the stored files; other versions are not read
QUOTA = 20_000_000_000  # bytes of decoded pixels, or LIMPIDE_CACHE_BYTES
MAX_SHARE_OF_DISK = 0.5  # share of the free disk space that one data set may take
STAMPS, SAME = "stamps.npy", "names.npy"
# after a power cut, pages that an unfinished reading had written may be lost
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class CachedPixels:
    """One folder of decoded pixels."""

    path: Path
    location: str
    images: int
    bytes: int
    used: float  # s since 1970


def shared_folder(dataset: Dataset, wanted: Mapping[Preprocessing, np.ndarray]) -> Path | None:
    """The folder where the pixels of these files are kept; None for images that are not in files."""
    if not hasattr(dataset.images, "stamp"):
        return None
    description = f"{FORMAT}\0{dataset.location}\0{[p.to_json() for p in wanted]}"
    return files.cache_folder() / "pixels" / files.sha256(description.encode("utf-8", "surrogateescape"))[:24]


def prepare(folder: Path, dataset: Dataset, wanted: Mapping[Preprocessing, np.ndarray], *, rehash: bool) -> bool:
    """Makes `folder` hold rows for exactly these files; returns true if all of them are already known.

    Rows of unchanged files are copied from the earlier content. `rehash` trusts none of it and has every byte read
    again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamps, names = _list_stamps(dataset), _hash_names(dataset)
    before = None if rehash else _read_before(folder)
    if before is None:
        _clear(folder)
    else:
        old_names, old_stamps = before
        if np.array_equal(old_names, names) and np.array_equal(old_stamps, stamps) and _has_rows(folder, wanted):
            os.utime(folder)
            _forget_temporary_failures(folder)
            return (folder / RECORD).exists()
        _move_over(folder, names, stamps, old_names, old_stamps, wanted)
    with contextlib.suppress(OSError):
        (folder / RECORD).unlink()
    np.save(folder / SAME, names)
    np.save(folder / STAMPS, stamps)
    for p, rows in wanted.items():
        np.save(folder / f"rows-{p.size}.npy", rows)
    files.write_json(
        folder / "store.json",
        {"format": FORMAT, "location": dataset.location, "images": len(dataset), "boot": _read_boot()},
    )
    return False


def _forget_temporary_failures(folder: Path) -> None:
    """Retries images that failed for a reason that may be gone (a busy machine, a missing package, a missing
    permission).
    """
    with contextlib.suppress(OSError, ValueError, EOFError):
        image_records = np.load(folder / SEEN_FILE, mmap_mode="r+")
        again = np.isin(
            image_records["reason"],
            [REASONS.index(reason) for reason in (HEIC, AVIF, UNREADABLE, CRASHED, HANGS, NO_MEMORY)],
        )
        if again.any():
            image_records["read"][again] = 0
            (folder / RECORD).unlink(missing_ok=True)


def room_for(wanted: Mapping[Preprocessing, np.ndarray], folder: Path) -> frozenset[Preprocessing]:
    """The preprocessings whose pixels fit on the disk, chosen from the smallest on. Evicts the least recently used
    folders.
    """
    allowed = min(quota(), int(MAX_SHARE_OF_DISK * (shutil.disk_usage(folder).free + _bytes_on_disk(folder))))
    fitting, total = set(), 0
    for p in sorted(wanted, key=lambda p: len(wanted[p]) * p.size * p.size * p.channels):
        needed = len(wanted[p]) * p.size * p.size * p.channels
        if total + needed <= allowed:
            fitting.add(p)
            total += needed
    evict(quota() - total, keep=folder)
    return frozenset(fitting)


def quota() -> int:
    with contextlib.suppress(KeyError, ValueError, OverflowError):
        return int(float(os.environ["LIMPIDE_CACHE_BYTES"]))
    return QUOTA


def list_cached() -> list[CachedPixels]:
    """All cached folders, the least recently used first."""
    entries = []
    for folder in (files.cache_folder() / "pixels").glob("*/"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = files.read_json(folder / "store.json")
            entries.append(
                CachedPixels(
                    folder, record["location"], record["images"], _bytes_on_disk(folder), folder.stat().st_mtime
                )
            )
    return sorted(entries, key=lambda item: item.used)


def evict(allowed: int, *, keep: Path | None = None, older_than: float = 0.0) -> int:
    """Deletes the least recently used folders until at most `allowed` bytes are kept besides `keep`; returns the bytes
    freed.

    older_than: s; folders used more recently are left alone. A folder that a process is reading into is left alone,
    too.
    """
    from filelock import FileLock, Timeout

    others = [item for item in list_cached() if item.path != keep]
    total, freed, now = sum(item.bytes for item in others), 0, time.time()
    for item in others:
        if total - freed <= allowed or now - item.used < older_than:
            continue
        with contextlib.suppress(Timeout, OSError), FileLock(f"{item.path}.lock", timeout=0):
            shutil.rmtree(item.path)
            freed += item.bytes
    return freed


@contextlib.contextmanager
def is_in_use(folder: Path) -> Iterator[bool]:
    """Holds `folder` for this process; yields false if another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(f"{folder}.lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _read_before(folder: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Names and stamps that `prepare` wrote, or None if they cannot be trusted."""
    try:
        record = files.read_json(folder / "store.json")
        names, stamps = np.load(folder / SAME), np.load(folder / STAMPS)
        whole = (folder / RECORD).exists() or record["boot"] == _read_boot()
        return (names, stamps) if record["format"] == FORMAT and whole and len(names) == len(stamps) > 0 else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _read_boot() -> str:
    with contextlib.suppress(OSError):
        return BOOT.read_text().strip()
    return ""


def _list_stamps(dataset: Dataset) -> np.ndarray:
    """int64 (n, 3): size, time and inode of each file."""
    stamp = dataset.images.stamp  # type: ignore[attr-defined]
    return np.array([stamp(i) for i in range(len(dataset))], np.int64).reshape(-1, 3)


def _hash_names(dataset: Dataset) -> np.ndarray:
    """uint64 (n,): a hash of each name, to recognise it."""
    return np.array(
        [int(files.sha256(name.encode("utf-8", "surrogateescape"))[:16], 16) for name in dataset.images.names],
        np.uint64,
    )


def _has_rows(folder: Path, rows_by_preprocessing: Mapping[Preprocessing, np.ndarray]) -> bool:
    try:
        return all(
            np.array_equal(np.load(folder / f"rows-{p.size}.npy"), rows) for p, rows in rows_by_preprocessing.items()
        )
    except (OSError, ValueError, EOFError):
        return False


def _move_over(
    folder: Path,
    names: np.ndarray,
    stamps: np.ndarray,
    old_names: np.ndarray,
    old_stamps: np.ndarray,
    rows_by_preprocessing: Mapping[Preprocessing, np.ndarray],
) -> None:
    """Copies the rows of unchanged files into new arrays; after any error, files are simply decoded again."""
    before = folder.with_name(folder.name + ".old")
    shutil.rmtree(before, ignore_errors=True)
    os.replace(folder, before)
    folder.mkdir()
    try:
        order = np.argsort(old_names)
        place = order[np.minimum(np.searchsorted(old_names, names, sorter=order), len(order) - 1)]
        same = (old_names[place] == names) & (old_stamps[place] == stamps).all(1)
        old_records = np.load(before / SEEN_FILE, mmap_mode="r")
        same &= old_records["read"][place] == 1
        copies = []
        for p, rows in rows_by_preprocessing.items():
            old_rows = np.load(before / f"rows-{p.size}.npy")
            old_places = np.minimum(np.searchsorted(old_rows, place[rows]), len(old_rows) - 1)
            had = old_rows[old_places] == place[rows]
            same[rows[~had]] = False  # it has to be decoded for this size anyway
            copies.append((p, rows, old_places))
        for p, rows, old_places in copies:
            _copy_pixels(pixel_name(before, p), pixel_name(folder, p), same[rows], old_places)
        image_records = np.lib.format.open_memmap(folder / SEEN_FILE, mode="w+", dtype=SEEN, shape=(len(names),))
        image_records[same] = old_records[place[same]]
        image_records.flush()
    except (OSError, ValueError, IndexError, EOFError):
        _clear(folder)
    finally:
        shutil.rmtree(before, ignore_errors=True)


def _copy_pixels(source: Path, target: Path, is_copied: np.ndarray, old_places: np.ndarray) -> None:
    """is_copied: bool (n,), the rows of the new file that are copied · old_places: int (n,), the position of each in
    the old one.
    """
    old = np.load(source, mmap_mode="r")
    new = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(is_copied), *old.shape[1:]))
    good = np.flatnonzero(is_copied)
    for k in range(0, len(good), 1024):
        part = good[k : k + 1024]
        new[part] = old[old_places[part]]
    new.flush()


def _clear(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _bytes_on_disk(folder: Path) -> int:
    """Bytes that the files in a folder take on the disk."""
    total = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            total += entry.stat().st_size
    return total
