"""A path that is typed, which may be the whole disk: answered in time, left for a newer one, and no hindrance to the
end of the studio.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from limpide.core.errors import DataError
from limpide.studio import path_preview
from limpide.studio.path_preview import PathPreview
from tests.studio.serving import ended, served

MANY = 5000  # files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("typed")
    for label, count in (("cat", 3), ("dog", 2)):
        (found / "few" / label).mkdir(parents=True)
        for k in range(count):
            (found / "few" / label / f"{k}.png").touch()
    for label in ("a", "b"):
        (found / "many" / label).mkdir(parents=True)
        for k in range(MANY // 2):
            (found / "many" / label / f"{k}.png").touch()
    os.mkfifo(found / "silent.csv")  # as a share that does not answer: whoever reads it waits for ever
    return found


@pytest.fixture
def planner() -> Iterator[PathPreview]:
    found = PathPreview()
    yield found
    found.close()


async def waits() -> bool:
    return True


def test_what_is_there_is_counted(planner: PathPreview, folder: Path) -> None:
    assert asyncio.run(planner.ask(str(folder / "few"), waits)) == {
        "folders": [str(folder / "few") + "/"],
        "classes": 2,
        "images": 5,
    }
    told = asyncio.run(planner.ask(str(folder / "nowhere"), waits))
    assert isinstance(told["problem"], DataError) and told["folders"] == []


def test_more_than_can_be_counted_in_time_is_said(
    planner: PathPreview, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(planner.ask(str(folder / "few"), waits))  # the process is there
    monkeypatch.setattr(path_preview, "BUDGET", 0.0)
    told = asyncio.run(planner.ask(str(folder / "many"), waits))
    assert told["folders"] == [str(folder / "many") + "/"] and told["more_than"] < MANY and "images" not in told
    monkeypatch.undo()
    assert asyncio.run(planner.ask(str(folder / "many"), waits))["images"] == MANY


def test_a_newer_question_and_a_page_that_leaves_end_the_older_one(
    planner: PathPreview, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_preview, "BUDGET", 1000.0)

    async def both() -> tuple[Any, Any]:
        older = asyncio.create_task(planner.ask(str(folder / "silent.csv"), waits))
        await asyncio.sleep(1.0)
        newer = await planner.ask(str(folder / "few"), waits)
        return await older, newer

    older, newer = asyncio.run(both())
    assert newer["images"] == 5 and "more_than" in older

    async def leaves() -> bool:
        return False

    assert "more_than" in asyncio.run(planner.ask(str(folder / "silent.csv"), leaves))


def test_the_studio_goes_on_and_ends_while_a_whole_disk_is_typed(folder: Path, tmp_path: Path) -> None:
    studio = served(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        try:
            disk = pool.submit(studio.ask, "/api/plan", "POST", b'{"data": "/"}')
            began = time.monotonic()
            assert studio.json("/api/runs")["runs"] == []
            status, _, data = studio.ask("/api/plan", "POST", ('{"data": "' + str(folder / "few") + '"}').encode())
            assert status == 200 and b'"images": 5' in data.replace(b'":5', b'": 5'), data
            assert disk.result(30)[0] == 200 and time.monotonic() - began < 20
            pool.submit(studio.ask, "/api/plan", "POST", b'{"data": "/"}')
            time.sleep(0.5)
            began = time.monotonic()
            studio.process.send_signal(signal.SIGINT)
            studio.process.wait(30)
            assert time.monotonic() - began < 5
        finally:
            ended(studio)
