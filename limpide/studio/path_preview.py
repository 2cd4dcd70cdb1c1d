"""The contents of a path while the user types it: scanned in a process that is killed when a newer question comes, when
the page leaves, or when it takes too long. A path may be the whole disk, a table of a million rows, or a share that
does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from limpide.core.errors import LimpideError
from limpide.data.layouts.hints import LOOSE, Hints
from limpide.data.layouts.scan import scan
from limpide.data.named_datasets import DATASETS
from limpide.system.child_process import Child, ChildDied, Tell

BUDGET = 2.0  # s for one path, once the process has started
START = 15.0  # s for the start, on a busy machine; and for a disk that does not answer
POLL_SECONDS = 0.25  # s between two checks whether a page still waits
SAY = 0.1  # s between two reports of a count
MAX_FOLDERS = 30  # suggested


class PathPreview:
    """Answers only the newest question."""

    def __init__(self) -> None:
        self._child = Child()
        self._newest = 0
        self._thread = ThreadPoolExecutor(1)

    async def ask(self, data: str, wanted: Callable[[], Awaitable[bool]]) -> dict[str, Any]:
        """Return {folders: how the path may go on; classes, images: what is there, or problem: why `limpide train`
        would refuse it, a LimpideError, or more_than: files that were counted before the time was over}. wanted:
        whether the page still waits.
        """
        self._newest += 1
        number = self._newest
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._look_up, data, number)
        try:
            while not (await asyncio.wait({answer}, timeout=POLL_SECONDS))[0]:
                if number == self._newest and not await wanted():
                    self._newest += 1
            return await answer
        except asyncio.CancelledError:
            self._newest = max(self._newest, number + 1)
            raise

    def _look_up(self, data: str, number: int) -> dict[str, Any]:
        preview: dict[str, Any] = {}
        end = time.monotonic() + START
        with contextlib.closing(self._child.run(f"{__name__}:look", data)) as steps:
            while number == self._newest and time.monotonic() < end:
                try:
                    piece = next(steps)
                except StopIteration as returned:
                    return _folders_of(preview) | returned.value
                except LimpideError as problem:
                    return _folders_of(preview) | {"problem": problem}
                except ChildDied:
                    break
                if piece is not None:
                    end = end if preview else time.monotonic() + BUDGET
                    preview |= piece
        return {"more_than": 0} | preview

    def close(self) -> None:
        """End the process; a request that waits for it is answered at once."""
        self._newest += 1
        self._child.close()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _folders_of(preview: dict[str, Any]) -> dict[str, Any]:
    return {"folders": preview.get("folders", [])}


def look(tell: Tell, data: str) -> dict[str, Any]:
    """Runs in the process: sends {folders} first, then {more_than} while it counts; returns {classes, images}."""
    tell({"folders": folders(data)})
    last = time.monotonic()

    def counted(files: int) -> None:
        nonlocal last
        if time.monotonic() - last > SAY:
            last = time.monotonic()
            tell({"more_than": files})

    return found(data, counted)


def found(data: str, counted: Callable[[int], object]) -> dict[str, Any]:
    """What `limpide train` would find there: {classes, images}. Raises LimpideError as it does; named data sets and
    archives are not read.
    """
    if not data or (data in DATASETS and not os.path.exists(os.path.expanduser(data))):  # noqa: PTH111
        return {}
    place = os.path.expanduser(data)  # noqa: PTH111
    if os.path.isfile(place) and not place.lower().endswith((".csv", ".tsv")):  # noqa: PTH113
        return {}
    return _counted(data, _stamp(place), counted)


def _stamp(place: str) -> int:
    try:
        return os.stat(place).st_mtime_ns
    except OSError:
        return 0


_counts: dict[tuple[str, int], dict[str, Any]] = {}  # for one folder, while the user changes only other choices


def _counted(data: str, stamp: int, counted: Callable[[int], object]) -> dict[str, Any]:
    if (data, stamp) not in _counts:
        dataset = scan(data, fewest_classes=1, hints=Hints(good=LOOSE), counted=counted)
        _counts.clear()
        _counts[data, stamp] = {"classes": len(dataset.classes), "images": len(dataset.images.names)}
    return _counts[data, stamp]


def folders(text: str) -> list[str]:
    """Folders whose path begins with this text, and data sets by name: the suggestions of an input."""
    head, tail = os.path.split(text)
    names = [name for name in DATASETS if text and name.startswith(text)]
    try:
        with os.scandir(os.path.expanduser(head) or ".") as entries:  # noqa: PTH111
            inside = sorted(
                e.name for e in entries if e.name.startswith(tail) and not e.name.startswith(".") and e.is_dir()
            )
    except (OSError, ValueError):
        inside = []
    return names + [os.path.join(head, name) + os.sep for name in inside[:MAX_FOLDERS]]
