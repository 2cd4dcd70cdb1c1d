"""Signals become a stop request that the loop reads between two events: no handler ever touches the training itself.

The time until Ctrl-C takes effect is a promise, so it does not depend on the main thread alone, which receives nothing
during long work in C code:
    at once             the request is noted, or KeyboardInterrupt is raised
    NOTICE_SECONDS      a sentence says that the signal was received, if nothing else has
    INTERRUPT_SECONDS   KeyboardInterrupt is raised if no event came at which the request could be read
    EXIT_SECONDS        the process ends, whatever it is doing (only the command line: a program that uses
                        limpide is never ended)
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NOTICE_SECONDS = 1.0  # s from the signal, as the next two
INTERRUPT_SECONDS = 2.8
EXIT_SECONDS = 3.7  # a system kills 5 or 10 s after SIGTERM
SECOND_SIGNAL_SECONDS = 0.5  # s that a second Ctrl-C leaves for cleaning up
NOTHING = b"\0"  # no signal has this number


class StopRequest:
    """`asked` is true once the user or the system wants the work to stop."""

    def __init__(self) -> None:
        self.asked = False

    def obeyed(self) -> None:
        """Notes that the work is being stopped, which takes as long as a checkpoint: nothing is raised into it any
        more.
        """
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def listening(on_first: Callable[[], object] = lambda: None) -> Iterator[StopRequest]:
    """Ctrl-C once and SIGTERM ask to stop; Ctrl-C twice leaves at once; SIGHUP (a closed terminal) is ignored.

    If no event comes within INTERRUPT_SECONDS at which the request could be read, KeyboardInterrupt is raised. All
    files are written atomically, so leaving loses no more than the steps since the last checkpoint. The settings of the
    program stay: an alarm (such as the time limit of a test) rings as it would without limpide, and a signal that is
    handled outside of Python is left to that handler.
    """
    wish = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield wish  # handlers belong to the main thread, and to the program that runs it
        return
    bell = _Bell()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if wish.asked:
            raise KeyboardInterrupt
        wish.asked = True
        bell.wind()
        on_first()

    def terminate(number: int, frame: FrameType | None) -> None:
        wish.asked = True
        bell.wind()

    handlers: dict[str, Any] = {"SIGINT": interrupt, "SIGTERM": terminate, "SIGHUP": signal.SIG_IGN}
    replaced = {
        number: handler
        for name, handler in handlers.items()
        if (number := getattr(signal, name, None)) and signal.getsignal(number) is not None
    }
    before = {number: signal.signal(number, handler) for number, handler in replaced.items()}
    try:
        yield wish
    finally:
        bell.put_back()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Bell:
    """Raises KeyboardInterrupt INTERRUPT_SECONDS after `wind`. It borrows the only alarm that a process has, and gives
    it back.
    """

    def __init__(self) -> None:
        self._before: Any = None  # the previous handler of the alarm; None: not borrowed
        self._rings, self._every = 0.0, 0.0  # s on the clock of `monotonic`, 0: never; period in s

    def wind(self) -> None:
        if sys.platform == "win32" or signal.getsignal(signal.SIGALRM) is None:
            return

        def late(number: int, frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, late)
        left, every = signal.setitimer(signal.ITIMER_REAL, INTERRUPT_SECONDS)
        if self._before is None:
            self._before, self._rings, self._every = before, left and time.monotonic() + left, every

    def put_back(self) -> None:
        if sys.platform == "win32" or self._before is None:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        if self._rings:  # late rather than never
            signal.setitimer(signal.ITIMER_REAL, max(0.001, self._rings - time.monotonic()), self._every)
        self._before = None


# -- only for limpide's own process

_work_done: list[Callable[[], bool]] = []  # checked before the process is left


@contextmanager
def ends_well_once(done: Callable[[], bool]) -> Iterator[None]:
    """Inside, and from then on to the end of the process, Ctrl-C and SIGTERM end it with status 0 once `done()` is
    true.

    The result is complete then, and a scheduler must not request it again. Before that, the signals raise
    KeyboardInterrupt.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        if done():
            sys.exit(0)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    _work_done.append(done)
    try:
        yield
    except KeyboardInterrupt:
        if not done():
            raise
        sys.exit(0)
    finally:
        ended = done()
        _work_done.remove(done)
        for number, handler in before.items():
            # printing is over: the rest takes milliseconds
            signal.signal(number, signal.SIG_IGN if ended else handler)


def end() -> None:
    """From here on Ctrl-C raises nothing: the process ends, and Python would print a traceback for an exception in its
    last steps.

    `Promptness`, if a first signal came, still receives a second one.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda number, frame: None)


class Promptness:
    """While it is entered, the process ends within EXIT_SECONDS of the first Ctrl-C or SIGTERM that it handles.

    Python delivers a signal to the main thread only between two of its instructions, but writes it to the socket of
    this thread at once.
    """

    def __init__(self, sentence: Callable[[], str]) -> None:
        self.sentence = sentence  # says that the signal was received

    def __enter__(self) -> Promptness:
        self._inbox, self._outbox = socket.socketpair()
        self._outbox.setblocking(False)
        self._before = signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        self._was_signalled = False
        self._decided = threading.Event()
        threading.Thread(target=self._listen, name="promptness", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._outbox.send(NOTHING)  # arrives after the signals sent so far
        self._decided.wait()
        if not self._was_signalled:  # otherwise it stays: the end of Python itself may wait for threads, too
            signal.set_wakeup_fd(self._before)
            self._outbox.close()
            self._inbox.close()

    def _listen(self) -> None:
        number = self._next(None)
        self._was_signalled = number > 0
        self._decided.set()
        if not self._was_signalled:
            return
        began = time.monotonic()
        tell, leave = began + NOTICE_SECONDS, began + EXIT_SECONDS
        while (now := time.monotonic()) < leave:
            if self._next(min(leave, tell) - now) == signal.SIGINT:
                leave = min(leave, time.monotonic() + SECOND_SIGNAL_SECONDS)
            if time.monotonic() >= tell:
                tell = leave
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    os.write(sys.stderr.fileno(), f"{self.sentence()}\n".encode())
        _leave(number)

    def _next(self, seconds: float | None) -> int:
        """The number of the next Ctrl-C or SIGTERM; 0 if none came in this time, or after the end."""
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            self._inbox.settimeout(None if until is None else max(0.001, until - time.monotonic()))
            try:
                came = self._inbox.recv(1)
            except TimeoutError:
                break
            if came[0] in (signal.SIGINT, signal.SIGTERM):
                return came[0]
            if came == NOTHING and until is None:
                break
        return 0


def _leave(number: int) -> None:
    """Ends the process at once. Its children see the end of their pipes."""
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), b"\x1b[?25h\r\n")  # a progress bar may have hidden the cursor
    os._exit(0 if any(done() for done in _work_done) else 128 + number)
