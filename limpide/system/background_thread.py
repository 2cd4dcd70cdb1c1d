"""Long work in C code, in a thread, so that its caller still receives Ctrl-C.

Python delivers signals to the main thread between two of its instructions, which a fit of scikit-learn may not reach
for minutes. Unlike another process (child_process.py), a thread needs no second copy of the images and no start; the
price is that abandoned work continues until its C code ends.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

Result = TypeVar("Result")

POLL_SECONDS = 0.1  # s between two moments at which the waiting caller may leave
ABANDON_SECONDS = 0.5  # s for abandoned work to clean up


class Abandoned(BaseException):
    """Raised inside abandoned work."""


def run_in_thread(work: Callable[[], Result]) -> Generator[None, None, Result]:
    """Runs `work` in a new thread; yields while it runs; returns its result or raises its exception.

    A caller that closes the generator, or raises KeyboardInterrupt in it, abandons the work, in which `Abandoned` is
    raised at its next instruction of Python.
    """
    results: list[Result] = []
    raised: list[BaseException] = []
    ended = threading.Event()  # after an interrupted join, Python treats a thread as ended
    context = contextvars.copy_context()

    def run() -> None:
        with contextlib.suppress(Abandoned):
            try:
                results.append(context.run(work))
            except BaseException as error:
                raised.append(error)
            finally:
                ended.set()

    thread = threading.Thread(target=run, name="limpide aside", daemon=True)
    thread.start()
    try:
        while not ended.wait(POLL_SECONDS):
            yield None
    finally:
        if not ended.is_set():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Abandoned))
            ended.wait(ABANDON_SECONDS)
    if raised:
        raise raised[0]
    return results[0]


def wait_for(steps: Generator[None, None, Result]) -> Result:
    """Runs a generator to its end and returns its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
