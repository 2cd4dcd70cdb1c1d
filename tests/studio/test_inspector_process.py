"""The process that answers questions: given up, left at once, asked how far it is, ended while it works."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from limpide.inspector.data import album
from limpide.inspector.image import prediction, sanity
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.unit import maximized
from limpide.studio import inspector_process
from limpide.system.machine import cores
from tests.studio.serving import ended, served


def test_a_question_that_nobody_waits_for_is_given_up_and_the_next_is_answered(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector_process, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(inspector_process, "CANCEL_SECONDS", 0.0)
    slow, looks = inspector_process.InspectorProcess(), iter([True])

    async def gone() -> bool:
        return next(looks, False)

    async def here() -> bool:
        return True

    async def both() -> Any:
        slow.warm()
        with pytest.raises(LookupError):
            await slow.ask(maximized, gone, path=str(trained / "photos-001"), snapshot="best", key="head", channel=0)
        return await slow.ask(album, here, path=str(trained / "photos-001"), snapshot="best")

    async def left() -> None:
        """It stops by itself: the process stays, with all that it keeps."""
        monkeypatch.setattr(inspector_process, "CANCEL_SECONDS", 60.0)
        await slow.ask(prediction, here, path=str(trained / "photos-001"), snapshot="best", image=ImageReference(row=1))
        nonlocal looks
        process, began, looks = slow._process.pid, time.monotonic(), iter([True])
        with pytest.raises(LookupError, match="nobody waits"):
            await slow.ask(maximized, gone, path=str(trained / "photos-001"), snapshot="best", key="head", channel=0)
        assert time.monotonic() - began < 30
        assert (
            await slow.ask(
                prediction, here, path=str(trained / "photos-001"), snapshot="best", image=ImageReference(row=1)
            )
        )[0]["top"]
        assert slow._process.pid == process

    try:
        assert asyncio.run(both())[0]["total"] == 80
        slow._turn = asyncio.Lock()  # of the next loop
        asyncio.run(left())
        began = time.monotonic()
    finally:
        slow.close()
    assert time.monotonic() - began < 5 and slow._process is None


def test_a_large_question_that_is_left_at_once_harms_nothing(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is not there yet, so the image stands in the pipe while the page goes: nothing else may be written
    into it meanwhile.
    """
    monkeypatch.setattr(inspector_process, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(inspector_process, "CANCEL_SECONDS", 60.0)
    slow, looks = inspector_process.InspectorProcess(), iter([True])

    async def gone() -> bool:
        return next(looks, False)

    async def here() -> bool:
        return True

    async def both() -> tuple[float, Any]:
        still = 0.0

        async def beat() -> None:
            nonlocal still
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.01)
                still = max(still, time.monotonic() - before)

        heart = asyncio.create_task(beat())
        with pytest.raises(LookupError):
            await slow.ask(
                prediction,
                gone,
                path=str(trained / "photos-001"),
                snapshot="best",
                image=ImageReference(data=b"0" * 8_000_000),
            )
        heart.cancel()
        return still, await slow.ask(album, here, path=str(trained / "photos-001"), snapshot="best")

    try:
        still, (told, _) = asyncio.run(both())
        assert told["total"] == 80 and still < 2, "nobody else waited for it"
        assert slow._process.exitcode is None
    finally:
        slow.close()


def test_it_is_told_whose_question_is_answered_and_how_far_it_is(trained: Path) -> None:
    told: list[inspector_process.IsBusy] = []

    class Watched(inspector_process.InspectorProcess):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "at_work":
                told.append(value)

    async def here() -> bool:
        return True

    asked = {"path": str(trained / "photos-001"), "snapshot": "best", "image": ImageReference(row=1)}
    slow = Watched()
    try:
        asyncio.run(slow.ask(sanity, here, "/api/one?label=0", **asked, method="occlusion", label=0))
        slow._turn = asyncio.Lock()  # of the next loop
        with pytest.raises(LookupError):
            asyncio.run(slow.ask(sanity, here, "/api/two?label=99", **asked, method="occlusion", label=99))
    finally:
        slow.close()
    assert [one.of for one in told if one.total == 0] == ["", "/api/one?label=0", "", "/api/two?label=99", ""]
    far = [one for one in told if one.total]
    assert far and {one.of for one in far} == {"/api/one?label=0"} and all(0 < one.done <= one.total for one in far)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_while_a_question_is_answered(trained: Path, number: signal.Signals) -> None:
    other = served(trained)
    with ThreadPoolExecutor(2) as pool, contextlib.suppress(OSError, http.client.HTTPException):
        asked = [
            pool.submit(other.ask, f"/api/runs/photos-001/look/{what}")
            for what in ("sanity?method=integrated_gradients&label=0&image=row-0", "embedding?method=tsne")
        ]
        with contextlib.suppress(TimeoutError):
            asked[0].result(1.0)
        children = psutil.Process(other.process.pid).children(recursive=True)
        began = time.monotonic()
        other.process.send_signal(number)
        other.process.wait(30)
        assert time.monotonic() - began < (5 if os.getloadavg()[0] < 2 * cores() else 12)
        assert not psutil.wait_procs(children, timeout=10)[1], "the processes that look into networks are gone, too"
    ended(other)
