"""A temporary folder that lives as long as the objects that hold it.

A process that is killed outright removes nothing, so the next process that makes a folder removes those that such
processes left. A process is not recognised by its number, which another one may have by now: it holds a lock on a file
in its folder, which the system frees however the process ends.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

PREFIX = "limpide-"
LOCK = ".held"
MIN_ORPHAN_AGE = 60.0  # s; a folder whose process does not hold its lock yet must not be taken for an orphan


class TemporaryFolder:
    """Deleted with the last object that refers to it, at the end of the process at the latest. It stays once it was
    pickled.
    """

    def __init__(self) -> None:
        from filelock import FileLock

        clear_orphans()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self.path / LOCK)
        self._lock.acquire(timeout=0)
        self._end = weakref.finalize(self, _remove, self.path, self._lock, os.getpid())

    def __deepcopy__(self, _: Any) -> TemporaryFolder:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Keeps the folder for the process that unpickles it, even after the end of this one: without its lock file it
        is not taken for an orphan.
        """
        if self._end.detach() is not None:
            self._lock.release()
            (self.path / LOCK).unlink(missing_ok=True)
        return type(None), ()


def clear_orphans() -> None:
    """Removes the folders of this user that no process holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_ours(folder):
            _remove_orphan(folder)


def _is_ours(folder: Path) -> bool:
    """Whether the folder was made by this user's limpide, and not just now. A link is not followed."""
    try:
        place, lock = folder.lstat(), (folder / LOCK).lstat()
    except OSError:  # no lock file: another program's, one that was pickled, or one without permission to read
        return False
    owned = not hasattr(os, "getuid") or place.st_uid == lock.st_uid == os.getuid()
    return (
        owned
        and stat.S_ISDIR(place.st_mode)
        and stat.S_ISREG(lock.st_mode)
        and time.time() - lock.st_mtime > MIN_ORPHAN_AGE
    )


def _remove_orphan(folder: Path) -> None:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (OSError, Timeout):  # another process holds it, or was faster
        return
    _remove(folder, lock, os.getpid())


def _remove(folder: Path, lock: Any, process: int) -> None:
    if os.getpid() == process:  # a fork of the process that made the folder has a copy of this object, too
        if os.name == "nt":  # Windows cannot remove an open file
            lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
