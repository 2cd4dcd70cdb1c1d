"""The stream of a run as server-sent events, whose id is the place in events.jsonl: a reconnect goes on
where it was.
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

TAIL = 0.46  # s between two looks at events.jsonl
POLL_SECONDS = 2.0  # s between two looks whether a training still works: that stands in no file
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
    """What happens in a run after this place of its events, in the language `words`, until there is no more to say or
    nobody listens (`gone`).

    since: the epoch_id under which the listener read up to there; another one means that events were taken back
    meanwhile. events: what Events tells, {run, system} where they changed, {diagnosis} after a pass or a phase · again:
    read everything anew · gone
    """
    now, stamp, silent = summary(run), _stamp(run), 0.0
    looked = asked = time.monotonic()
    since = now.get("epoch_id") if since is None else since
    known: dict[str, Any] = {}  # as it was told last
    machine: dict[str, Any] | None = None
    while True:
        if (
            time.monotonic() - asked > HEARTBEAT_SECONDS
        ):  # seldom: a server that follows its protocol ends this by itself
            asked = time.monotonic()
            if await gone():
                return
        if (written := _stamp(run)) != stamp or time.monotonic() - looked > POLL_SECONDS:
            stamp, looked, now = written, time.monotonic(), summary(run)
        if now["status"] == "unreadable":
            yield _message("gone", {}, offset)
            return
        size = size_of(run)
        if size < offset or now["epoch_id"] != since:
            yield _message("again", {}, 0)  # a continued training took events back: read everything anew
            return
        use_language(words)
        new = Events(run, offset).read(BLOCK) if size > offset else None
        if (new and new.offset > offset) or now != known:
            told = new.told() if new else {}
            if now != known:
                told["run"] = now
            if (line := last_line(run)) != machine:
                machine = told["system"] = line
            if any(now[name] != known.get(name) for name in ("status", "phase")) or told.get("epochs"):
                with contextlib.suppress(RunError):  # it went away meanwhile, as the next look will tell
                    told["diagnosis"] = story().diagnosis()
            before, offset = offset, new.offset if new else offset
            yield _message("events", finite(told), offset)
            known, silent = now, 0.0
            if offset - before >= BLOCK:
                continue  # more lies there
        elif silent >= HEARTBEAT_SECONDS:
            yield ": alive\n\n"
            silent = 0.0
        await asyncio.sleep(TAIL)
        silent += TAIL


def _message(kind: str, values: Any, offset: int) -> str:
    return f"event: {kind}\nid: {offset}\ndata: {json.dumps(values)}\n\n"


def _stamp(run: Run) -> tuple[int, int] | None:
    """Another one whenever run.json was written."""
    try:
        state = (run.path / "run.json").stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino
