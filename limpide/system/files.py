"""Writing files so that a power cut, a full disk or a kill leaves either the old file or the new one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


def cache_folder() -> Path:
    """The folder for downloads, decoded pixels and logs between runs; LIMPIDE_CACHE sets another one."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("LIMPIDE_CACHE")
    return Path(chosen) if chosen else Path(user_cache_path("limpide", appauthor=False))


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """`write` fills a temporary file in the same folder; then fsync, rename over `path`, fsync of the directory.

    Raises OSError as the system raised it: a failed fsync is a failed save, and `path` is then the old file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a failed write or fsync does not say where
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut. Windows cannot open a folder for this and does not need it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(data))


def write_json(path: Path, value: Any) -> None:
    write_bytes(
        path,
        (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace"),
    )


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
