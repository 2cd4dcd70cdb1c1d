"""A process that was forked may compute, too.

OpenMP keeps its helping threads by the thread that first asked for them, and a fork takes that thread along but leaves
the helpers behind: its next parallel loop waits for them for ever (libgomp, team.c: gomp_thread_pool; the same in the
copy that scikit-learn brings). A new thread gets helpers of its own. So in a process that was forked what computes does
so in a new thread, at full speed and to the same numbers, whether its parent had computed anything or not. joblib's and
multiprocessing's spawned processes are not forked.
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
    """Whether this process goes on from the memory of another one. Linux knows it; elsewhere a fork is noticed that was
    made after limpide was loaded.
    """
    try:
        return bool(int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[6]) & FORKED_WITHOUT_EXEC)
    except (OSError, ValueError, IndexError):
        return os.getpid() != _loaded_by


def in_new_thread_if_forked(work: Callable[P, Result]) -> Callable[P, Result]:
    """`work` as it is, except that the thread that survived a fork has another thread do it, and waits."""

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> Result:
        if threading.current_thread() is not threading.main_thread() or not is_forked():
            return work(*args, **kwargs)
        return wait_for(run_in_thread(functools.partial(work, *args, **kwargs)))

    return done
