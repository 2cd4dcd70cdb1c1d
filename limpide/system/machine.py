"""What this machine is, how much memory it has, and the one allocator call that doubles PyTorch's speed on Linux."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
import threading
import time
from pathlib import Path
from typing import Any

# Constants of glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def _mallopt() -> Any:
    """glibc's function that sets its allocator, or None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl and friends have no mallopt
        return None


def can_keep_memory() -> bool:
    """Whether keep_memory can do anything here. Asking changes nothing."""
    return _mallopt() is not None


def keep_memory() -> bool:
    """Tells glibc to keep freed pages instead of returning them to the kernel; true when it agreed.

    PyTorch frees and reallocates the memory of every large tensor in every step. glibc returns such blocks to the
    kernel and faults them in again, which costs more than the arithmetic on small networks (`benchmarks/speed.py`
    measures it). The price is that the process shrinks only where release_memory is called, so only trainers call this,
    before torch allocates.
    """
    mallopt = _mallopt()
    return bool(
        mallopt and mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1) and mallopt(M_TOP_PAD, 256 << 20)
    )


def release_memory() -> None:
    """Returns freed memory to the kernel: between two phases of a training it is of no more use."""
    if _mallopt():
        ctypes.CDLL(None).malloc_trim(0)


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_thread() -> contextlib.AbstractContextManager[Any]:
    """NumPy's and scikit-learn's matrix products in one thread while it is entered.

    OpenBLAS's threads wait for each other in a busy loop: on a busy machine two took nine times as long as one for a
    linear model, and eight times the processor's work (docs/LOG.md). With one thread, sums also have the same order on
    any number of cores.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")  # type: ignore[no-any-return]


def processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory_total() -> int:
    """Bytes of memory in this machine."""
    import psutil

    return int(psutil.virtual_memory().total)


def memory_used() -> int:
    """Resident bytes of this process."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def memory_own() -> int:
    """Bytes of this process's own memory: on Linux without the pages of files, which are the system's cache."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return memory_used()


class MemoryWatch:
    """Measures `memory_own` from a separate thread while it is entered.

    peak: the maximum so far · recent: the maximum since `mark`, bytes.
    """

    EVERY = 0.1  # s

    def __init__(self) -> None:
        self.peak = self.recent = memory_own()
        self._ended = threading.Event()

    def __enter__(self) -> MemoryWatch:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def mark(self) -> None:
        """Restarts `recent` from now: memory held before may have been released."""
        self.recent = memory_own()

    def look(self) -> None:
        now = memory_own()
        self.peak, self.recent = max(self.peak, now), max(self.recent, now)

    def _watch(self) -> None:
        while not self._ended.wait(self.EVERY):
            self.look()


def seconds_since_start() -> float:
    """Seconds since the operating system started this process, imports included."""
    import psutil

    return time.time() - psutil.Process().create_time()


def describe() -> dict[str, Any]:
    """The set-up in "exact only on the same set-up"; stored with every run."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in ("limpide", "torch", "numpy", "pillow", "onnxruntime"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = ""
    return {
        "processor": processor_name(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }
