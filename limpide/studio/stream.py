"""The stream of a run as server-sent events, whose id is the place in events.jsonl: a reconnected page continues
there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from limpide.core.errors import RunError
from limpide.core.run import Run
from limpide.inspector.json_encoding import finite
from limpide.studio.series import Events, RunHistory, last_line, size_of, summary
from limpide.text.language import use_language

TAIL = 0.46  # s between two checks of events.jsonl
POLL_SECONDS = 2.0  # s between two checks whether a training still works, which no file says
# bytes of new events that are sent at once: fewer steps, as run.append writes them, than a message thins
BLOCK = 1 << 17
HEARTBEAT_SECONDS = 10.0  # s after which a silent stream says that it is alive


async def tail(
    run: Run,
    offset: int,
    since: int | None,
    words: str,
    story: Callable[[], RunHistory],
    gone: Callable[[], Awaitable[bool]],
) -> AsyncIterator[str]:
    """Yield the events of a run after this place, in the language `words`, until the stream ends or the listener leaves
    (`gone`).

    since: the epoch_id under which the listener read up to there; another one means that events were taken back
    meanwhile. The messages: events: the content of Events, {run, system} where they changed, {diagnosis} after an epoch
    or a phase · again: read everything again · gone
    """
    reader = _RunReader(run, offset, since, story)
    checked_at, silent = time.monotonic(), 0.0
    while True:
        # seldom: a server that follows its protocol ends this by itself
        if time.monotonic() - checked_at > HEARTBEAT_SECONDS:
            checked_at = time.monotonic()
            if await gone():
                return
        reader.look_again()
        if last := reader.last_message():
            yield last
            return
        use_language(words)
        if news := reader.read_news():
            yield news
            silent = 0.0
            if reader.has_more:
                continue
        elif silent >= HEARTBEAT_SECONDS:
            yield ": alive\n\n"
            silent = 0.0
        await asyncio.sleep(TAIL)
        silent += TAIL


class _RunReader:
    """How far one listener has read a run, and what was sent to it last."""

    def __init__(self, run: Run, offset: int, since: int | None, story: Callable[[], RunHistory]) -> None:
        self.run, self.offset, self.story = run, offset, story
        self.now, self.stamp, self.looked = summary(run), _stamp(run), time.monotonic()
        self.since = self.now.get("epoch_id") if since is None else since
        self.told_run: dict[str, Any] = {}
        self.told_system: dict[str, Any] | None = None
        self.has_more = False  # of its events, beyond the block read last

    def look_again(self) -> None:
        """Read run.json where it was written meanwhile, and also from time to time."""
        if (stamp := _stamp(self.run)) != self.stamp or time.monotonic() - self.looked > POLL_SECONDS:
            self.stamp, self.looked, self.now = stamp, time.monotonic(), summary(self.run)

    def last_message(self) -> str:
        """The message that ends the stream, or ""."""
        if self.now["status"] == "unreadable":
            return _message("gone", {}, self.offset)
        if size_of(self.run) < self.offset or self.now["epoch_id"] != self.since:
            return _message("again", {}, 0)  # a continued training took events back: read everything again
        return ""

    def read_news(self) -> str:
        """The next events, and what changed in the run; "" if nothing did."""
        new = Events(self.run, self.offset).read(BLOCK) if size_of(self.run) > self.offset else None
        self.has_more = False
        if (new is None or new.offset <= self.offset) and self.now == self.told_run:
            return ""
        news = new.told() if new else {}
        if self.now != self.told_run:
            news["run"] = self.now
        if (line := last_line(self.run)) != self.told_system:
            self.told_system = news["system"] = line
        if news.get("epochs") or any(self.now[name] != self.told_run.get(name) for name in ("status", "phase")):
            with contextlib.suppress(RunError):  # it was deleted meanwhile, which the next check reports
                news["diagnosis"] = self.story().diagnosis()
        before, self.offset, self.told_run = self.offset, new.offset if new else self.offset, self.now
        self.has_more = self.offset - before >= BLOCK
        return _message("events", finite(news), self.offset)


def _message(kind: str, values: Any, offset: int) -> str:
    return f"event: {kind}\nid: {offset}\ndata: {json.dumps(values)}\n\n"


def _stamp(run: Run) -> tuple[int, int] | None:
    """A stamp that changes whenever run.json is written."""
    try:
        state = (run.path / "run.json").stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino
