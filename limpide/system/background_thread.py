"""Long work in C code, in a thread, so that the one that asked for it still hears Ctrl-C.

Python hands signals to the main thread between two of its instructions, which a fit of scikit-learn may not reach for
minutes. A thread costs no second copy of the images and no start, as another process would (child_process.py); the
price is that one that is left goes on until its C code ends.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable, Generator
from typing import TypeVar

Result = TypeVar("Result")

POLL_SECONDS = 0.1  # s between two moments at which the caller that waits may leave
ABANDON_SECONDS = 0.5  # s for what is left to put itself away


class Abandoned(BaseException):
    """Raised inside work that is left."""


def run_in_thread(work: Callable[[], Result]) -> Generator[None, None, Result]:
    """Runs `work` in a new thread; yields while it does; returns what it returns and raises what it raises.

    A caller that closes the generator, or raises KeyboardInterrupt in it, leaves the work, which sees `Abandoned` at
    its next instruction of Python.
    """
    results: list[Result] = []
    raised: list[BaseException] = []
    ended = threading.Event()  # Python takes a thread whose join was interrupted for one that has ended
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
    """What a generator returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
