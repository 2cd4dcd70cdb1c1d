"""The process that inspects networks: one thread, apart from the server, so that no page waits for another page's
mathematics and a crash of a network is contained. A long question gives priority to a training (inspector/process.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from limpide.inspector.answer import Answer
from limpide.text.messages import N_, message

TIMEOUT = 120.0  # s without an answer or a report of progress, after which the process is replaced
POLL_SECONDS = 0.5  # s between two checks whether the answer is still wanted
# s within which a cancelled question has to stop by itself; then the process is ended, and what it kept is lost
CANCEL_SECONDS = 3.0


def _process(pipe: Any, stops: Any, parent: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            # before torch is loaded, which takes seconds: Linux weighs sessions first (inspector/process.py), and in
            # the session of a training it would hardly advance
            os.setsid()
    from limpide.inspector.process import serve

    serve(pipe, stops, parent)


@dataclass(frozen=True)
class IsBusy:
    """The question that is being answered, by its address, and its progress: `done` of `total` "images" or "passes"; ""
    and 0 where there is none.
    """

    of: str
    done: int = 0
    total: int = 0
    unit: str = "images"


class InspectorProcess:
    """Answers one question at a time. A question whose answer is no longer wanted is not begun, and a long one is
    cancelled.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._pipe: Any = None  # written and read by the thread that asks
        # written by the event loop: numbers of cancelled questions, so short that writing never blocks
        self._stops: Any = None
        self._number = 0  # of the question
        self._turn = asyncio.Lock()
        self._guard = threading.RLock()  # of the two above
        self._closed = self._given_up = False
        self.at_work = IsBusy("")
        self.waiting: list[str] = []  # the addresses of the questions in the queue
        self._thread = ThreadPoolExecutor(1)  # a separate thread, so that waiting here blocks nothing else

    async def ask(
        self, answer: Callable[..., Answer], wanted: Callable[[], Awaitable[bool]], of: str = "", **values: Any
    ) -> Answer:
        """Return the answer of a function of inspector/ to (session, **values). Raises LookupError with a sentence
        where there is no answer.

        wanted: whether the answer is still wanted · of: the address of the request, by which `at_work` identifies the
        question.
        """
        async with self._in_turn(of):
            if not await wanted():
                raise LookupError("nobody waits for this any more")
            self._given_up, stopped_at = False, 0.0
            self.at_work = IsBusy(of)
            self._number += 1
            question = asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, answer, values)
            try:
                while not (await asyncio.wait({question}, timeout=POLL_SECONDS))[0]:
                    if not stopped_at and not await wanted():
                        stopped_at = time.monotonic()
                        self._stop()
                    elif stopped_at and not self._given_up and time.monotonic() - stopped_at > CANCEL_SECONDS:
                        self._given_up = True
                        self._end()
            except asyncio.CancelledError:
                self._given_up = True
                self._end()
                raise
            finally:
                self.at_work = IsBusy("")
            kind, payload, data = await question
        if kind == "error":
            raise LookupError(payload)
        return payload, data

    @contextlib.asynccontextmanager
    async def _in_turn(self, of: str) -> AsyncIterator[None]:
        self.waiting.append(of)
        try:
            await self._turn.acquire()
        finally:
            self.waiting.remove(of)
        try:
            yield
        finally:
            self._turn.release()

    def _stop(self) -> None:
        """Ask the process to cancel its question: it checks before each pass through a network
        (inspector/progress.py).
        """
        with self._guard, contextlib.suppress(OSError, ValueError):
            if self._stops is not None:
                self._stops.send(self._number)

    def warm(self) -> None:
        """Start the process before the first question: loading torch takes a second or two, which a training should not
        feel later.
        """
        with self._guard:
            if self._closed or (self._process is not None and self._process.is_alive()):
                return
            parent_end, child_end = self._context.Pipe()
            heard, stops = self._context.Pipe(duplex=False)
            self._process = self._context.Process(target=_process, args=(child_end, heard, os.getpid()), daemon=True)
            self._process.start()
            child_end.close()
            heard.close()
            self._pipe, self._stops = parent_end, stops

    def _exchange(self, answer: Callable[..., Answer], values: dict[str, Any]) -> tuple[str, Any, bytes]:
        for _ in range(2):
            self.warm()
            pipe = self._pipe
            try:
                if self._closed or pipe is None:
                    break
                pipe.send((self._number, answer, values))
                while pipe.poll(TIMEOUT):
                    kind, payload, data = pipe.recv()
                    if kind != "progress":
                        return kind, payload, data
                    self.at_work = IsBusy(self.at_work.of, *payload)
            except (EOFError, OSError, ValueError):  # it crashed, or it was ended
                pass
            self._end()
            if self._given_up or self._closed:
                break
        return "error", message(N_("the process that inspects networks stopped; try again")), b""

    def _end(self) -> None:
        with self._guard:
            process, self._process = self._process, None
            if process is not None:
                process.terminate()  # a thread that waits for its answer sees the end of the pipe
                process.join(2)
                if process.is_alive():
                    process.kill()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._closed = True
        self._end()
        self._thread.shutdown(wait=False, cancel_futures=True)
