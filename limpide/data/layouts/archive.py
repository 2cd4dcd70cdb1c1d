"""A zip or tar file read in place: its members are listed once and read from the archive. Nothing is unpacked beside
it.

A compressed tar cannot be read from the middle, so it is decompressed once, into the cache, as a plain tar.
"""

from __future__ import annotations

import builtins
import lzma
import os
import shutil
import stat
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from PIL import Image

from limpide.core.errors import DataError
from limpide.data.decoding.decode import UNREADABLE, Undecodable, decode, header
from limpide.data.decoding.deep_values import START, Span
from limpide.system.files import cache_folder, sha256
from limpide.text.messages import N_

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MAX_RATIO = 200  # uncompressed to compressed; photographs and drawings stay far below
SMALL = 10_000_000  # bytes; smaller members may have any ratio (a black image compresses a thousandfold)

OUTSIDE = N_("its path in the archive points outside the archive")
LINK = N_("it is a link in the archive, not a file")
BOMB = N_("unpacked, it would be far larger than any image")
ENCRYPTED = N_("it is encrypted")
DAMAGED = N_("this archive cannot be read")
AGAIN = N_("copy or download it again, or unpack it and name the folder")


@dataclass(frozen=True)
class ArchiveImages:
    """Members of a zip or of a plain tar file. Names are those in the archive; `places` is the position of each."""

    root: Path  # the archive in a form that can be read from the middle
    names: Sequence[str]
    places: np.ndarray  # int64 (n, 2): tar: offset and length in bytes · zip: number of the entry and its length
    kind: str  # zip or tar
    value_range: Span | None = None  # as in `decode`
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def bytes(self, index: int, most: int = -1) -> bytes:
        start, length = (int(v) for v in self.places[index])
        length = length if most < 0 else min(length, most)
        try:
            if self.kind == "tar":
                with open(self.root, "rb") as stream:
                    stream.seek(start)
                    data = stream.read(length)
            else:
                archive = self._zip()
                with archive.open(archive.infolist()[start]) as member:
                    data = member.read(length)
        except (
            OSError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ) as error:
            raise Undecodable(UNREADABLE) from error
        if len(data) != length:
            raise Undecodable(UNREADABLE)
        return data

    def image(self, index: int, at_least: int = 0) -> Image.Image:
        return decode(self.bytes(index), at_least, self.value_range)

    def start(self, index: int) -> builtins.bytes:
        """The first bytes, which tell most formats apart."""
        return self.bytes(index, START)

    def header(self, index: int) -> tuple[int, int, str]:
        return header(self.bytes(index))

    def reference(self, index: int) -> list[int]:
        return [int(v) for v in self.places[index]]

    def stamp(self, index: int) -> tuple[int, int, int]:
        """(length of the member, time of the archive's last change in ns, position of the member)."""
        return int(self.places[index, 1]), os.stat(self.root).st_mtime_ns, int(self.places[index, 0])

    def _zip(self) -> zipfile.ZipFile:
        """The open file of this thread. Reading the list of entries takes long, so it is kept; two threads that shared
        one would wait for each other.
        """
        if not hasattr(self._local, "zip"):
            self._local.zip = zipfile.ZipFile(self.root)
        return self._local.zip  # type: ignore[no-any-return]


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def members(path: Path) -> tuple[list[str], np.ndarray, Path, str, list[tuple[str, str]]]:
    """(names, positions, file to read, kind, the refused members with the reason). Raises DataError for a damaged
    archive.
    """
    plain = path if path.name.lower().endswith((".zip", ".tar")) else _decompress(path)
    try:
        if path.name.lower().endswith(".zip"):
            return _list_zip(path)
        return _list_tar(plain)
    except DataError:
        raise
    except (OSError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise DataError("L212", what=DAMAGED, where=f"{path}: {error}", todo=AGAIN) from error


def _list_zip(path: Path) -> tuple[list[str], np.ndarray, Path, str, list[tuple[str, str]]]:
    members: dict[str, tuple[int, int]] = {}
    refused = []
    with zipfile.ZipFile(path) as archive:
        for number, entry in enumerate(archive.infolist()):
            if entry.is_dir():
                continue
            reason = _reason_unsafe(entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                reason = LINK
            elif entry.flag_bits & 1:
                reason = ENCRYPTED
            elif entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size):
                reason = BOMB
            if reason:
                refused.append((entry.filename, reason))
            else:
                # of two members with one name the last counts, as when unpacking
                members[entry.filename.replace("\\", "/")] = (number, entry.file_size)
    names, places = list(members), list(members.values())
    return names, np.array(places, np.int64).reshape(-1, 2), path, "zip", refused


def _list_tar(path: Path) -> tuple[list[str], np.ndarray, Path, str, list[tuple[str, str]]]:
    members: dict[str, tuple[int, int]] = {}
    refused = []
    with tarfile.open(path, "r:", errorlevel=1) as archive:
        for member in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep all of them
            if member.isdir():
                continue
            reason = _reason_unsafe(member.name)
            if not member.isreg():
                reason = LINK if member.issym() or member.islnk() else UNREADABLE
            if reason:
                refused.append((member.name, reason))
            else:
                members[member.name.removeprefix("./")] = (member.offset_data, member.size)
    names, places = list(members), list(members.values())
    return names, np.array(places, np.int64).reshape(-1, 2), path, "tar", refused


def _reason_unsafe(name: str) -> str:
    """Why a member cannot be trusted; "" where it can. No member is ever written to its path, but one whose path leads
    out of the archive is refused.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    return OUTSIDE if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")) else ""


def _decompress(path: Path) -> Path:
    """The plain tar in the cache, made once for this state of the file. Raises DataError if the disk cannot hold it."""
    status = os.stat(path)
    key = sha256(
        f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}".encode("utf-8", "surrogateescape")
    )[:24]
    folder = cache_folder() / "archives"
    target = folder / f"{key}.tar"
    if target.exists():
        # mark it as used today, but keep the time of change, which runs have recorded
        os.utime(target, ns=(time.time_ns(), os.stat(target).st_mtime_ns))
        return target
    folder.mkdir(parents=True, exist_ok=True)
    room = min(shutil.disk_usage(folder).free // 2, MAX_RATIO * max(status.st_size, SMALL // MAX_RATIO))
    partial = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        with _open_compressed(path) as source, open(partial, "wb") as sink:
            while block := _read_block(source, path):
                if sink.tell() > room:
                    raise DataError("L213", where=path)
                sink.write(block)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _read_block(source: IO[bytes], path: Path) -> bytes:
    """Turns errors in reading into DataError: they are the archive's fault; errors in writing are not."""
    try:
        return source.read(1 << 20)
    except (OSError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise DataError("L212", what=DAMAGED, where=f"{path}: {error}", todo=AGAIN) from error


def _open_compressed(path: Path) -> IO[bytes]:
    import bz2
    import gzip

    name = path.name.lower()
    if name.endswith((".xz", ".txz")):
        return lzma.open(path)
    return bz2.open(path) if name.endswith(("bz2", "tbz2")) else gzip.open(path)  # type: ignore[return-value]
