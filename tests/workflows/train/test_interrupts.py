"""Signals are wishes that the loop reads; nothing of ours stays installed."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from limpide.system import interrupts
from limpide.system.interrupts import listening

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.001)  # the handler runs between two instructions


def test_once_asks_and_tells_twice_leaves() -> None:
    told: list[int] = []
    with listening(lambda: told.append(1)) as wish:
        assert not wish.asked
        send(signal.SIGINT)
        assert wish.asked and told == [1]
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    assert told == [1]


def test_a_closed_terminal_changes_nothing() -> None:
    with listening() as wish:
        send(signal.SIGHUP)
        assert not wish.asked


def test_terminate_asks_and_leaves_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "INTERRUPT_SECONDS", 0.05)
    with pytest.raises(KeyboardInterrupt), listening() as wish:
        send(signal.SIGTERM)
        assert wish.asked
        for _ in range(1000):
            time.sleep(0.01)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_whoever_stops_in_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "INTERRUPT_SECONDS", 0.05)
    with listening():
        send(signal.SIGTERM)
    time.sleep(0.1)


def test_handlers_are_as_before_even_after_an_error() -> None:
    before = [signal.getsignal(number) for number in WATCHED]
    with pytest.raises(ValueError), listening():
        assert [signal.getsignal(number) for number in WATCHED] != before
        raise ValueError
    assert [signal.getsignal(number) for number in WATCHED] == before


def test_in_another_thread_the_handlers_belong_to_somebody_else() -> None:
    before, seen = [signal.getsignal(number) for number in WATCHED], []

    def work() -> None:
        with listening() as wish:
            seen.append((wish.asked, [signal.getsignal(number) for number in WATCHED] == before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, True)]
