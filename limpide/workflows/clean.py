"""clean: delete what limpide keeps only to be faster next time. Runs, models and downloads are never touched."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from limpide.data import pixel_cache
from limpide.system.files import cache_folder


@dataclass(frozen=True)
class FreeableFiles:
    """Files that can be made again. `kind`: pixels (decoded images), archive (an unpacked tar) or network (a published
    one as a file).
    """

    kind: str
    what: str
    path: Path
    bytes: int
    idle: float  # s since it was last used


def find_freeable() -> list[FreeableFiles]:
    """All files that can be freed, the largest first."""
    now = time.time()
    freeable = [
        FreeableFiles("pixels", item.location, item.path, item.bytes, now - item.used)
        for item in pixel_cache.list_cached()
    ]
    for kind, pattern in (("archive", "archives/*.tar"), ("network", "networks/*.onnx")):
        for file in cache_folder().glob(pattern):
            with contextlib.suppress(OSError):
                status = file.stat()
                freeable.append(FreeableFiles(kind, file.name, file, status.st_size, now - status.st_atime))
    return sorted(freeable, key=lambda item: -item.bytes)


def clean(older_than: float = 0.0) -> int:
    """Delete what was not used for `older_than` seconds; return the bytes freed. A folder that a process is reading
    into is left alone.
    """
    freed = pixel_cache.evict(-1, older_than=older_than)
    for item in find_freeable():
        if item.kind != "pixels" and item.idle >= older_than:
            with contextlib.suppress(OSError):
                item.path.unlink()
                freed += item.bytes
    return freed
