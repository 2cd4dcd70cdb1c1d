"""Signals become a wish that the loop reads between two events: no handler ever touches the training itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

GRACE = 4.0  # s from SIGTERM to the moment we leave without waiting for the next event; a system kills after 5 or 10


class Wish:
    """`asked` is true once somebody wants the work to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def listening(on_first: Callable[[], object] = lambda: None) -> Iterator[Wish]:
    """Ctrl-C once and SIGTERM ask to stop; Ctrl-C twice leaves at once; SIGHUP (a closed terminal) is ignored.

    Everything written is written atomically, so leaving at once loses no more than the steps since the last checkpoint.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish  # handlers belong to the main thread, and to whoever runs it
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        if wish.asked:
            raise KeyboardInterrupt
        wish.asked = True
        on_first()

    def terminate(number: int, frame: FrameType | None) -> None:
        wish.asked = True
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, GRACE)

    def late(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    handlers: dict[str, Any] = {"SIGINT": interrupt, "SIGTERM": terminate, "SIGALRM": late, "SIGHUP": signal.SIG_IGN}
    before = {getattr(signal, name): signal.signal(getattr(signal, name), handler) for name, handler in handlers.items() if hasattr(signal, name)}
    try:
        yield wish
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
