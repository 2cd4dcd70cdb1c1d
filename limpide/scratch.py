"""A temporary folder whose life is that of the objects that hold it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any


class Scratch:
    """Deleted with the last object that refers to it, at the end of the process at the latest. Once it was pickled it stays."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="limpide-"))
        self._end = weakref.finalize(self, _remove, self.path, os.getpid())

    def __deepcopy__(self, _: Any) -> Scratch:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        self._end.detach()
        return type(None), ()


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a fork of the process that made it has a copy of this object, too
        shutil.rmtree(folder, ignore_errors=True)
