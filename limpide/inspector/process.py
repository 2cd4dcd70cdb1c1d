"""What can be asked about the network of a run: runs in a process of its own (studio/inspector_process.py).

Every function: (run's path, values of the question) → (JSON, bytes of a file or nothing); `networks` and `taken` are
asked of no run. A snapshot is a number of steps or "best"; an image is {"probe": k} of those that the training set
aside, {"row": k} of split.csv, or {"bytes": …} of a file that somebody dropped; with "noise", "turn" or "mirror" it is
changed before the network sees it.
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
from limpide.inspector import data, image, model_list, network, report, strokes, test_set, upload
from limpide.inspector.session import Answer, Session
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

    def unwanted() -> bool:
        nonlocal stopped
        while stops.poll(0):
            stopped = stops.recv()
        return stopped >= number

    looker = Session(unwanted, tell=lambda *far: pipe.send(("progress", far, b"")))
    hand, thread = _hand()
    while True:
        try:
            if not pipe.poll(5):
                if os.getppid() != parent:  # the server was killed
                    return
                continue
            number, name, values = pipe.recv()
        except (EOFError, OSError):
            return
        question = hand.submit(answer_question, looker, name, values)
        if wait([question], PROMPT).not_done:
            _weigh(thread(), 10)
            wait([question])
            hand.shutdown(wait=False)
            hand, thread = _hand()  # a thread that stood back may not come forward again
            _weigh(None, 0)
        with contextlib.suppress(OSError):
            pipe.send(question.result())


def _hand() -> tuple[ThreadPoolExecutor, Callable[[], int]]:
    """A thread that answers, and the number under which the system knows it."""
    hand = ThreadPoolExecutor(1)
    return hand, hand.submit(threading.get_native_id).result


def _weigh(thread: int | None, niceness: int) -> None:
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


def answer_question(looker: Session, name: str, values: dict[str, Any]) -> tuple[str, Any, bytes]:
    """("ok", JSON, bytes), or ("error", why not: what str() words in the language of whoever reads it, nothing).

    Whatever a stranger's network does, the next question is answered.
    """
    try:
        return "ok", *ANSWERS[name](looker, **values)
    except LimpideError as error:
        return "error", error, b""
    except Exception as error:
        told = error.args[0] if error.args else ""
        if isinstance(told, Message):
            return "error", told, b""
        # In the words of a library, which nobody chose for whoever reads this: so a sentence comes first.
        return (
            "error",
            message(N_("this could not be worked out: {reason}"), reason=str(error) or type(error).__name__),
            b"",
        )


ANSWERS: dict[str, Callable[..., Answer]] = {
    f.__name__: f
    for f in (
        *(
            image.predictions,
            image.prediction,
            image.saliency,
            image.sanity,
            image.occluded,
            image.picture,
            image.neighbors,
        ),
        *(
            network.anatomy,
            network.maps,
            network.kernels,
            network.unit,
            network.effect,
            network.strongest,
            network.maximized,
        ),
        *(data.album, data.thumb, data.alike, data.augmented, data.embedding),
        *(strokes.ink, model_list.networks, report.report, upload.check_upload),
        *(test_set.worst, test_set.cell, test_set.suspects, test_set.groups, test_set.shortcut),
    )
}
