"""The process that looks into networks: one thread, nice, apart from the server, so that no page waits for another's mathematics
and a network that crashes takes nothing with it."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

TIMEOUT = 120.0  # s that an answer may take before the process is replaced


class Worker:
    """Answers one question at a time. `ask` is awaited by the server; a question that nobody waits for any more is not begun."""

    def __init__(self, niceness: int = 19) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._niceness = niceness
        self._process: Any = None
        self._pipe: Any = None
        self._turn = asyncio.Lock()
        self._closing, self._starting = threading.Lock(), threading.Lock()

    async def ask(self, name: str, wanted: Callable[[], Awaitable[bool]], **values: Any) -> tuple[dict[str, Any], bytes]:
        """(JSON, bytes) of a function of looking.py. Raises LookupError with a sentence for what cannot be answered.

        wanted: whether somebody still waits for the answer, asked when its turn has come.
        """
        async with self._turn:
            if not await wanted():
                raise LookupError("nobody waits for this any more")
            question = asyncio.ensure_future(asyncio.to_thread(self._exchange, name, values))
            try:
                kind, payload, data = await asyncio.shield(question)
            except asyncio.CancelledError:
                await question  # the answer belongs to this question: it must not be taken for the next one's
                raise
        if kind == "error":
            raise LookupError(payload)
        return payload, data

    def _exchange(self, name: str, values: dict[str, Any]) -> tuple[str, Any, bytes]:
        for attempt in range(2):
            self.warm()
            try:
                self._pipe.send((name, values))
                if self._pipe.poll(TIMEOUT):
                    answer: tuple[str, Any, bytes] = self._pipe.recv()
                    return answer
            except (EOFError, OSError):
                pass
            self.close()  # it died, or it does not answer
            if attempt:
                break
        return "error", "the process that looks into networks stopped; try again", b""

    def warm(self) -> None:
        """Starts the process before anybody asks: reading torch takes a second or two, which a training should not feel later."""
        with self._starting:
            self._start()

    def _start(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        from limpide.studio.looking import serve

        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(target=serve, args=(theirs, self._niceness, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours

    def close(self) -> None:
        with self._closing:
            process, self._process = self._process, None
            if process is not None:
                with contextlib.suppress(OSError):
                    self._pipe.close()
                process.terminate()
                process.join(2)
                if process.is_alive():
                    process.kill()
