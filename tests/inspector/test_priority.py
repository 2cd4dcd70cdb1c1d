"""A question that somebody waits for goes first; one that takes long lets a training on the same processors go first,
and the next is quick again.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from limpide.inspector import process as inspector

SESSION = Path("/proc/self/autogroup")


def measured(_session: Any, seconds: float) -> tuple[dict[str, Any], bytes]:
    """How nice the thread that answers is, and its session, at the beginning and after so many seconds."""

    def how() -> tuple[int, str]:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), SESSION.read_text().split()[
            -1
        ] if SESSION.exists() else ""

    before = how()
    time.sleep(seconds)
    return {"before": before, "after": how(), "thread": threading.get_native_id()}, b""


def serving(pipe: Any, stops: Any, parent: int) -> None:
    inspector.PROMPT = 0.3
    os.setsid()
    inspector.serve(pipe, stops, parent)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread cannot be weighed by itself")
def test_only_a_long_question_stands_back() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    heard, _stops = context.Pipe(duplex=False)
    process = context.Process(target=serving, args=(theirs, heard, os.getpid()), daemon=True)
    process.start()
    theirs.close()
    found = []
    try:
        for number, seconds in enumerate((0.0, 1.0, 0.0, 0.0), 1):
            ours.send((number, measured, {"seconds": seconds}))
            assert ours.poll(60)
            kind, answer, _ = ours.recv()
            assert kind == "ok", answer
            found.append(answer)
    finally:
        process.kill()
        process.join()
    short, long, after, last = found
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert short["before"][0] == usual and short["thread"] == long["thread"], (
        "a thread is kept while its questions are short"
    )
    assert long["before"][0] == usual and long["after"][0] == min(usual + 10, 19)
    assert after["before"][0] == last["before"][0] == usual and after["thread"] != long["thread"]
    if SESSION.exists():
        assert [one["before"][1] for one in found] == ["0"] * 4 and long["after"][1] == "10"
