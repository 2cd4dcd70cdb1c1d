"""Silences the messages of decoders on damaged files, and of scikit-learn on fits: limpide reports the result
itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import re
import threading
import warnings
from pathlib import Path

# without a handler, Python prints Pillow's log on damaged files
logging.getLogger("PIL").addHandler(logging.NullHandler())


class QuietLibraries:
    """Within it, warnings of libraries are not printed: Pillow's (a large image, junk in EXIF, a truncated tag), or
    scikit-learn's (a fit that was stopped early, as many classes as images).

    `warnings.catch_warnings` restores the state that it found, which is wrong when threads overlap: here the last
    thread to leave restores it.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._filters = threading.Lock(), 0, warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


quiet_libraries = QuietLibraries()


@functools.cache
def quiet_libtiff() -> None:
    """Stops libtiff from printing messages on damaged files, which Pillow permits, if the library can be found."""
    with contextlib.suppress(Exception):
        library = re.search(r" (/\S*/libtiff[^/\s]*)$", Path("/proc/self/maps").read_text(), re.MULTILINE)
        if library:
            ctypes.CDLL(library[1]).TIFFSetErrorHandler(None)
