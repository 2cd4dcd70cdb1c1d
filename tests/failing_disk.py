"""A disk that fails at the k-th operation below a folder: opening for writing, write, fsync (of a file, of a folder),
rename, truncation, deletion. It crashes (a power cut: nothing that follows reaches the disk, clean-up included),
refuses once with an error of the system, or writes half of the bytes and then does either.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CRASH, TORN = "crash", "half a write, then crash"
REFUSALS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES, "half a write, then ENOSPC": errno.ENOSPC}
FAULTS = (CRASH, TORN, *REFUSALS)


class Crash(BaseException):
    """No handler swallows it, and nothing that follows reaches the disk."""


class FailingDisk:
    """calls: what was asked of the disk so far · failed: whether the k-th operation came."""

    def __init__(self, folder: Path, k: int, fault: str) -> None:
        self.folder, self.k, self.fault = os.fspath(folder), k, fault
        self.calls: list[str] = []

    @property
    def failed(self) -> bool:
        return len(self.calls) > self.k

    def ask(self, name: str, path: Any, half: Callable[[], object] | None = None) -> None:
        """Count an operation below the folder; raise if it is the k-th, or if there was a crash. half: does half of
        it.
        """
        if not os.fspath(path).startswith(self.folder):
            return
        crashes = self.fault in (CRASH, TORN)
        if self.failed and crashes:
            raise Crash
        self.calls.append(f"{name} {os.path.relpath(path, self.folder)}")
        if len(self.calls) - 1 != self.k:
            return
        if half is not None and self.fault.startswith("half"):
            half()
        if crashes:
            raise Crash
        raise OSError(REFUSALS[self.fault], os.strerror(REFUSALS[self.fault]), os.fspath(path))

    @contextmanager
    def armed(self) -> Iterator[FailingDisk]:
        with pytest.MonkeyPatch.context() as patch:
            self._patch(patch)
            yield self

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        real_open, real_fsync = open, os.fsync

        def opened(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wa+x"):
                return real_open(file, mode, *more, **named)
            self.ask("open", file)
            return _Stream(self, real_open(file, mode, *more, **named), os.fspath(file))

        def fsync(handle: int) -> None:
            self.ask("fsync", Path(f"/proc/self/fd/{handle}").readlink())
            real_fsync(handle)

        patch.setattr(builtins, "open", opened)
        patch.setattr(io, "open", opened)
        patch.setattr(os, "fsync", fsync)
        for name, place in (("replace", 1), ("rename", 1), ("unlink", 0), ("remove", 0), ("truncate", 0), ("open", 0)):
            patch.setattr(os, name, self._guarded(name, place))

    def _guarded(self, name: str, place: int) -> Callable[..., Any]:
        """place: of the path among the arguments."""
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if named.get("dir_fd") is None:  # rmtree names what it deletes by its folder's handle
                self.ask(f"os.{name}", arguments[place])
            return real(*arguments, **named)

        return call


class _Stream:
    """A file that is written to through a FailingDisk."""

    def __init__(self, disk: FailingDisk, stream: Any, path: str) -> None:
        self._disk, self._stream, self._path = disk, stream, path

    def write(self, data: Any) -> Any:
        self._disk.ask("write", self._path, lambda: self._written(data[: len(data) // 2]))
        return self._stream.write(data)

    def _written(self, half: Any) -> None:
        self._stream.write(half)
        self._stream.flush()

    def truncate(self, size: int | None = None) -> Any:
        self._disk.ask("truncate", self._path)
        return self._stream.truncate(size)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
