"""Work that must be able to stop at any moment, in a process that can be killed: Python cannot leave C code or a disk
that does not answer.

    python -m limpide.system.child_process        reads calls on standard input, answers on standard output

Parent and child are one program and exchange pickles, through pipes that nothing else can write into. No file is ever
read in this way. The function to run is named "package.module:function" and called as function(tell, *arguments);
`tell` sends a value to the parent while it works.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from typing import IO, Any

POLL_SECONDS = 0.1  # s between two moments at which the waiting caller may leave
KILL_SECONDS = 1.0  # s that a killed process may take to end: one that waits for a dead disk is left to the system

Tell = Callable[[Any], None]


class ChildDied(Exception):
    """The child ended before it answered: killed by the system for lack of memory, or by a fault in C code."""


class Child:
    """One process that runs one call after the other. The first call starts it; it ends with this object's `close` or
    with this process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def start(self) -> None:
        """Begins to load Python, so that the first call does not wait for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._answers = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "limpide.system.child_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the parent, which ends its child itself
        )
        assert self._process.stdout is not None
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()

    def run(self, function: str, *arguments: Any) -> Generator[Any, None, Any]:
        """Yields the values that the function sends, and None every POLL_SECONDS in between; returns its result or
        raises its exception.

        Closing the generator before its end kills the process. Raises ChildDied.
        """
        self.start()
        assert self._process is not None and self._process.stdin is not None
        ended = False
        try:
            try:
                pickle.dump((sys.path, function, arguments), self._process.stdin, protocol=5)
                self._process.stdin.flush()
            except BrokenPipeError:
                raise ChildDied(function) from None
            while True:
                try:
                    kind, value = self._answers.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if kind == "told":
                    yield value
                    continue
                if kind == "died":
                    raise ChildDied(function)
                ended = True
                if kind == "raised":
                    raise value
                return value
        finally:
            if not ended:
                self.close()

    def close(self) -> None:
        """Kills the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # data that was not sent yet
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_SECONDS)


def _listen(stream: IO[bytes], answers: queue.Queue[tuple[str, Any]]) -> None:
    with stream:
        while True:
            try:
                answers.put(pickle.load(stream))
            except Exception:  # the end of the stream, within a value or not
                answers.put(("died", None))
                return


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the output of a library must not be read as an answer
    calls: queue.Queue[tuple[list[str], str, tuple[Any, ...]]] = queue.Queue()
    threading.Thread(target=_take, args=(sys.stdin.buffer, calls), daemon=True).start()

    def say(kind: str, value: Any) -> None:
        pickle.dump((kind, value), answers, protocol=5)
        answers.flush()

    while True:
        path, function, arguments = calls.get()
        sys.path[:] = path  # the child can import whatever the parent can
        try:
            module, _, name = function.partition(":")
            result = getattr(importlib.import_module(module), name)(lambda value: say("told", value), *arguments)
        except BaseException as error:
            say("raised", _sendable_error(error))
        else:
            say("returned", result)


def _sendable_error(error: BaseException) -> BaseException:
    """The error, or its text if it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _take(stream: IO[bytes], calls: queue.Queue[Any]) -> None:
    """Reads calls in a separate thread: the end of the pipe is the end of the parent, and of this process, whatever it
    is doing.
    """
    while True:
        try:
            calls.put(pickle.load(stream))
        except Exception:
            os._exit(0)


if __name__ == "__main__":
    main()
