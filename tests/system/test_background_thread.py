"""Long work in a thread: heard, left, and as if it were done here."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from contextvars import ContextVar

import pytest

from limpide.system.background_thread import Abandoned, run_in_thread, wait_for

WORD: ContextVar[str] = ContextVar("WORD")


def test_what_it_returns_and_raises() -> None:
    WORD.set("mine")
    assert wait_for(run_in_thread(lambda: (WORD.get(), threading.current_thread() is threading.main_thread()))) == (
        "mine",
        False,
    )

    def fails() -> None:
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        wait_for(run_in_thread(fails))


def test_it_yields_while_c_code_works() -> None:
    steps = sum(1 for _ in run_in_thread(lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000)))
    assert steps >= 2


def test_leaving_does_not_wait_for_c_code_and_ends_python() -> None:
    seen: list[str] = []

    def work() -> None:
        try:
            while True:
                hashlib.pbkdf2_hmac("sha256", b"", b"", 1000)
        except Abandoned:
            seen.append("put away")
            raise

    steps = run_in_thread(work)
    next(steps)
    steps.close()
    assert seen == ["put away"]
    steps = run_in_thread(lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 10_000_000))
    next(steps)
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt)
    assert time.monotonic() - began < 2
