"""What can be asked about the network of a run: runs in a process of its own (studio/inspector_process.py).

A question comes as the function that answers it, which a pipe carries by its name, and its values (question.py).
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

SESSION = Path("/proc/self/autogroup")  # how nice this process's session is
# s of a question during which it goes first: somebody waits for it. From then on a training on the same processors does
PROMPT = 2.0


def serve(pipe: Any, stops: Any, parent: int) -> None:
    """The process: answers until the pipe is closed. stops: brings the numbers of questions that nobody waits for any
    more.
    """
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
            worker, thread = _start_worker()  # a thread that stood back may not come forward again
            _set_niceness(None, 0)
        with contextlib.suppress(OSError):
            pipe.send(question.result())


def _start_worker() -> tuple[ThreadPoolExecutor, Callable[[], int]]:
    """A thread that answers, and the number under which the system knows it."""
    worker = ThreadPoolExecutor(1)
    return worker, worker.submit(threading.get_native_id).result


def _set_niceness(thread: int | None, niceness: int) -> None:
    """Linux weighs sessions before it weighs their threads (sched(7), autogroup), unless a desktop put the session into
    a group of its own: so both.
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
        except BlockingIOError:  # Linux takes one such wish in a tenth of a second, of the whole machine
            time.sleep(0.05)
        except OSError:
            return


def answer_question(
    session: NetworkSession, answer: Callable[..., Answer], values: dict[str, Any]
) -> tuple[str, Any, bytes]:
    """("ok", JSON, bytes), or ("error", why not: what str() words in the language of whoever reads it, nothing).

    Whatever a stranger's network does, the next question is answered.
    """
    try:
        return "ok", *answer(session, **values)
    except LimpideError as error:
        return "error", error, b""
    except Exception as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, Message):
            return "error", reason, b""
        # In the words of a library, which nobody chose for whoever reads this: so a sentence comes first.
        return (
            "error",
            message(N_("this could not be computed: {reason}"), reason=str(error) or type(error).__name__),
            b"",
        )
