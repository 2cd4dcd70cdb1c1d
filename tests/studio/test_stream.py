"""The events of a run as a page hears them: as they are written, thinned where there are many, and to their end."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limpide.core.run import Run
from tests.studio.serving import Server


def test_a_long_run_is_short_on_the_screen_and_keeps_its_peaks(tmp_path: Path) -> None:
    from limpide.core.events import Step
    from limpide.studio.series import POINTS, RunHistory

    run = Run.create(tmp_path, "long", {"wanted": {}, "classes": []})
    for n in range(1, 100_001):
        run.append(Step(n, 0, 50.0 if n == 77_777 else 1.0, 0.1, 0.01))
    run.sync()
    story = RunHistory(run).read()
    found = story.told()
    assert found["total"] == 100_000 and len(found["steps"][0]) <= POINTS and max(found["steps"][1]) == 50.0
    assert found["offset"] == run.events_file.stat().st_size
    run.append(Step(100_001, 0, 2.0, 0.1, 0.01))
    run.sync()
    assert story.stands() and story.read().told()["total"] == 100_001, "what is new is read, and nothing twice"
    run.update(epoch_id=1)
    assert not story.stands(), "a continued training takes events back"
    story = RunHistory(run).read()
    run.update(created="2030-01-01T00:00:00+00:00")
    assert not story.stands(), "another run has the name of one that was deleted"


def test_a_damaged_step_is_passed_over_by_whoever_reads(tmp_path: Path) -> None:
    from limpide.core.events import Step
    from limpide.studio.series import RunHistory

    run = Run.create(tmp_path, "damaged", {"wanted": {}, "classes": []})
    for n in (1, 2, 3):
        run.append(Step(n, 0, 1.5, 0.1, 0.01))
    run.sync()
    run.events_file.write_bytes(
        run.events_file.read_bytes().replace(b'"n": 2, "epoch": 0, "loss": 1.5', b'"n": 2, "epoch": 0, "loss": 1..5')
    )
    assert [step[0] for step in RunHistory(run).read().steps] == [1, 3]


@contextlib.contextmanager
def stream(server: Server, path: str, **headers: str) -> Iterator[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(
        "GET",
        path,
        None,
        {"Host": f"127.0.0.1:{server.port}", "Cookie": f"limpide-{server.port}={server.token}", **headers},
    )
    answer = connection.getresponse()
    yield answer
    answer.close()
    connection.close()


def message(answer: Any) -> tuple[str, int, Any]:
    found: dict[str, str] = {}
    while True:
        line = answer.readline().decode().rstrip("\n")
        if not line and "data" in found:
            return found["event"], int(found["id"]), json.loads(found["data"])
        name, _, value = line.partition(": ")
        if name:
            found[name] = value


def test_the_stream_goes_on_where_it_was_and_passes_over_half_a_line(server: Server) -> None:
    run = Run.create(server.runs, "stream", {"wanted": {}, "classes": [], "status": "running"})
    try:
        lines = [
            json.dumps({"kind": "step", "n": n, "epoch": 0, "loss": 1.0, "lr": 0.1, "seconds": 0.1}).encode() + b"\n"
            for n in (1, 2, 3)
        ]
        run.events_file.write_bytes(lines[0] + lines[1][:10])
        events = f"/api/runs/{run.path.name}/events"
        with stream(server, events) as answer:
            kind, at, values = message(answer)
            assert (
                kind == "events"
                and values["steps"][0] == [1]
                and values["run"]["status"] == "interrupted"
                and at == len(lines[0])
            )
            with open(run.events_file, "ab") as file:
                file.write(lines[1][10:] + b"not json at all\n" + lines[2])
            kind, at, values = message(answer)
            assert values["steps"] == [[2, 3], [1.0, 1.0], [0.1, 0.1], [0.1, 0.1]] and "run" not in values, (
                "what did not change is not said again"
            )
            with stream(server, events, **{"Last-Event-ID": str(len(lines[0]))}) as again:
                assert message(again)[2]["steps"][0] == [2, 3]
            run.update(epoch_id=1)
            assert message(answer)[0] == "again", "a continued training took events back"
        with stream(server, f"{events}?offset={at}") as other:
            kind, same, values = message(other)
            assert (kind, same) == ("events", at) and values["run"]["epoch_id"] == 1 and "steps" not in values, (
                "whoever comes is told how it stands"
            )
            shutil.rmtree(run.path)
            assert message(other)[0] == "gone"
    finally:
        shutil.rmtree(run.path, ignore_errors=True)


@pytest.mark.parametrize("protocol", ["2.3", "2.4"])  # from 2.4 on Starlette leaves it to the server to notice
def test_a_stream_ends_when_its_listener_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    from limpide.studio import stream
    from limpide.studio.server import application

    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.5)
    Run.create(tmp_path, "left", {"wanted": {}, "classes": [], "status": "running"})
    app, studio = application(tmp_path, "token", 80)
    name = Run.all_in(tmp_path)[0].path.name
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": protocol},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/api/runs/{name}/events",
        "raw_path": b"",
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1:80"), (b"cookie", b"limpide-80=token")],
    }
    sent: list[Any] = []

    async def listened() -> None:
        heard = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await heard.wait()
            return {"type": "http.disconnect"}

        async def send(part: Any) -> None:
            sent.append(part)
            if part.get("body"):
                heard.set()

        await asyncio.wait_for(app(scope, receive, send), 10)

    try:
        asyncio.run(listened())
    finally:
        studio.close()
    assert sent[0]["status"] == 200 and b"event: events" in sent[1]["body"]


def test_a_listener_that_is_behind_catches_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from limpide.core.events import Step
    from limpide.studio.series import RunHistory
    from limpide.studio.stream import tail

    run = Run.create(tmp_path, "behind", {"wanted": {}, "classes": [], "status": "finished"})
    for n in range(1, 10_001):
        run.append(Step(n, 0, 1.0, 0.1, 0.01))
    run.sync()
    told: list[list[int]] = []
    rests: list[int] = []

    async def rest(seconds: float) -> None:
        rests.append(len(told))

    async def stays() -> bool:
        return False

    async def listened() -> None:
        async for text in tail(run, 0, None, "en", lambda: RunHistory(run).read(), stays):
            values = json.loads(text.split("data: ")[1])
            assert len(values["steps"][0]) == values["total"], "nothing is thinned on the way"
            told.append(values["steps"][0])
            if sum(map(len, told)) >= 10_000:
                return

    monkeypatch.setattr(asyncio, "sleep", rest)
    asyncio.run(listened())
    assert [n for some in told for n in some] == list(range(1, 10_001)) and len(told) > 3
    assert rests == [], "it rests when nothing more lies there"
