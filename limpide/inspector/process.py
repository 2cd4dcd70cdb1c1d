"""Answers questions about the network of a run, in a separate process (studio/inspector_process.py).

A question arrives as the function that answers it, which a pipe carries by its name, and its values (question.py).
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from limpide.core.errors import LimpideError
from limpide.inspector.answer import Answer
from limpide.inspector.network_session import NetworkSession
from limpide.inspector.progress import Progress
from limpide.inspector.session import Session
from limpide.text.messages import N_, Message, message

SESSION = Path("/proc/self/autogroup")  # the niceness of this process's session
# s for which a question has priority, as its page waits for it. From then on, a training on the same processors has
# priority
PROMPT = 2.0


def serve(pipe: Any, stops: Any, parent: int) -> None:
    """The process: answers until the pipe is closed. stops: receives the numbers of cancelled questions."""
    from limpide.system.machine import keep_memory

    keep_memory()
    import torch

    torch.set_num_threads(1)
    number = stopped = 0

    def is_cancelled() -> bool:
        nonlocal stopped
        while stops.poll(0):
            stopped = stops.recv()
        return stopped >= number

    session = Session(Progress(is_cancelled, report=lambda *far: pipe.send(("progress", far, b""))))
    worker, thread = _start_worker()
    while True:
        try:
            if not pipe.poll(5):
                if os.getppid() != parent:  # the server was killed
                    return
                continue
            number, answer, values = pipe.recv()
        except (EOFError, OSError):
            return
        question = worker.submit(answer_question, session, answer, values)
        if wait([question], PROMPT).not_done:
            _set_niceness(thread(), 10)
            wait([question])
            worker.shutdown(wait=False)
            worker, thread = _start_worker()  # a thread cannot lower its niceness again
            _set_niceness(None, 0)
        with contextlib.suppress(OSError):
            pipe.send(question.result())


def _start_worker() -> tuple[ThreadPoolExecutor, Callable[[], int]]:
    """Return a thread that answers, and a function that returns its number in the system."""
    worker = ThreadPoolExecutor(1)
    return worker, worker.submit(threading.get_native_id).result


def _set_niceness(thread: int | None, niceness: int) -> None:
    """Set the niceness of the thread and of the session: Linux weighs sessions before their threads (sched(7),
    autogroup), unless a desktop put the session into a group of its own.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        if thread is not None:
            os.setpriority(os.PRIO_PROCESS, thread, niceness + os.nice(0))
    for _ in range(10):
        try:
            SESSION.write_text(str(niceness))
            return
        except BlockingIOError:  # Linux accepts one such request in a tenth of a second, for the whole machine
            time.sleep(0.05)
        except OSError:
            return


def answer_question(
    session: NetworkSession, answer: Callable[..., Answer], values: dict[str, Any]
) -> tuple[str, Any, bytes]:
    """Return ("ok", JSON, bytes), or ("error", exception or Message, b""): str() translates it into the reader's
    language.

    Whatever an external network does, the next question is answered.
    """
    try:
        return "ok", *answer(session, **values)
    except LimpideError as error:
        return "error", error, b""
    except Exception as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, Message):
            return "error", reason, b""
        # The text of a library was not written for this reader: so a sentence comes first.
        return (
            "error",
            message(N_("this could not be computed: {reason}"), reason=str(error) or type(error).__name__),
            b"",
        )
