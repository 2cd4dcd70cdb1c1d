"""Makes computations safe in a forked process.

OpenMP assigns its helper threads to the thread that first asked for them. A fork copies that thread but not the
helpers: its next parallel loop waits for them for ever (libgomp, team.c: gomp_thread_pool; the same in the copy that
scikit-learn brings). A new thread gets new helpers. So in a forked process, computations run in a new thread, at full
speed and with the same numbers, whether the parent had computed anything or not. Processes that joblib and
multiprocessing spawn are not forked.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from limpide.system.background_thread import run_in_thread, wait_for

P = ParamSpec("P")
Result = TypeVar("Result")

FORKED_WITHOUT_EXEC = 0x40  # PF_FORKNOEXEC of linux/sched.h

_loaded_by = os.getpid()


def is_forked() -> bool:
    """Whether this process was forked from another one. Linux knows it; elsewhere only a fork after limpide was loaded
    is noticed.
    """
    try:
        return bool(int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[6]) & FORKED_WITHOUT_EXEC)
    except (OSError, ValueError, IndexError):
        return os.getpid() != _loaded_by


def in_new_thread_if_forked(work: Callable[P, Result]) -> Callable[P, Result]:
    """`work`, unchanged, but in a forked process its main thread lets another thread do it, and waits."""

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> Result:
        if threading.current_thread() is not threading.main_thread() or not is_forked():
            return work(*args, **kwargs)
        return wait_for(run_in_thread(functools.partial(work, *args, **kwargs)))

    return done
