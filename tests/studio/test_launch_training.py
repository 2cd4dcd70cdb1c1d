"""A training that is planned and started from the page."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from limpide.core.run import Run
from limpide.studio.launch_training import _on_a_page
from tests.runner import limpide
from tests.studio.serving import Server, ended, served


def test_starts_side_by_side_are_told_apart(tmp_path: Path, trained: Path) -> None:
    other = served(tmp_path)
    body = json.dumps({"data": str(trained.parent / "photos"), "time": "", "model": "cnn"}).encode()
    try:
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: other.ask("/api/start", "POST", body), range(2)))
        names = {json.loads(data)["run"] for status, _, data in answers if status == 200}
        assert len(names) == 2
        for name in names:
            os.kill(Run(tmp_path / name).info().process, signal.SIGKILL)
    finally:
        ended(other)


def test_a_training_is_started_or_says_why_not(tmp_path: Path, trained: Path) -> None:
    other = served(tmp_path)
    try:
        for body, expected in (
            (b"[]", 400),
            (b'{"data": "digits", "epochs": 3}', 400),
            (b'{"data": "digits", "seed": "1"}', 400),
            (b'{"data": "digits\\u0000"}', 400),
            (b'{"data": " ", "time": "", "model": ""}', 400),
            (b'{"data": "digits", "epochs": "few"}', 422),
            (b'{"data": "digits", "image_size": "3"}', 422),
            (b'{"data": "digits", "weights": "hf:somebody/something/x.safetensors"}', 422),
            (b'{"data": "--help", "time": "", "model": ""}', 422),
            (b'{"data": "/nowhere at all", "time": "", "model": ""}', 422),
            (b'{"data": "digits", "time": "soon", "model": ""}', 422),
            (b'{"data": "digits", "time": "", "model": "a cow"}', 422),
        ):
            status, _, data = other.ask("/api/start", "POST", body)
            assert status == expected and b"Traceback" not in data, data
            if status == 422:
                told = json.loads(data)["error"]
                assert (
                    re.match(r"[A-Z]", told)
                    and re.search(r"[.?)]$", told)
                    and " — " not in told
                    and not re.search(r"L\d{3}", told)
                ), told
        assert (
            "n’y a"
            in json.loads(
                other.ask("/api/start?lang=fr", "POST", b'{"data": "digits", "time": "", "model": "a cow"}')[2]
            )["error"]
        )
        assert other.json("/api/runs")["runs"] == []
        wish = {
            "data": str(trained.parent / "photos"),
            "model": "cnn",
            "epochs": "2",
            "image_size": "24",
            "weights": "none",
            "time": "",
        }
        body = json.dumps(wish).encode()
        plan = json.loads(other.ask("/api/plan", "POST", body)[2])
        command = shlex.split(plan["command"])
        assert command[:3] == ["limpide", "train", wish["data"]] and plan["classes"] == 2 and plan["images"] == 80
        status, _, data = other.ask("/api/start", "POST", body)
        assert status == 200
        run = Run(tmp_path / json.loads(data)["run"])
        process = psutil.Process(run.info().process)
        assert process.cmdline()[-len(command) + 1 :] == command[1:], "what was shown is what runs"
        end = time.monotonic() + 120
        while run.info().status != "finished" and time.monotonic() < end:
            time.sleep(0.2)
        recipe = run.info().recipe
        assert (recipe["model"], recipe["epochs"], recipe["image_size"], recipe["weights"]) == ("cnn", 2, 24, "none")
        assert run.info().status == "finished" and len(other.json("/api/runs")["runs"][0]["spark"]) > 5
    finally:
        ended(other)


def test_a_plan_says_what_training_would_say(server: Server, tmp_path: Path) -> None:
    def plan(**wish: str) -> Any:
        status, _, data = server.ask(
            "/api/plan?lang=fr" if wish.pop("lang", "") else "/api/plan", "POST", json.dumps(wish).encode()
        )
        return json.loads(data) | {"status": status}

    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    assert (
        "There is no such folder" in plan(data=str(tmp_path / "nowhere"))["problem"]
        and "ni dossier" in plan(data=str(tmp_path / "nowhere"), lang="fr")["problem"]
    )
    told = plan(data=str(tmp_path / "only"))["problem"]
    said = limpide("train", tmp_path / "only", cwd=tmp_path, status=3).stderr
    assert told == _on_a_page(said.strip()), "word for word what the command says"
    assert plan(data=str(tmp_path) + "/")["folders"] == [str(tmp_path / "only") + "/"] and plan(data="mni")[
        "folders"
    ] == ["mnist"]
    assert "problem" not in plan(data="mnist") and plan(data="photos; rm -rf ~")["command"].startswith(
        "limpide train 'photos; rm -rf ~' "
    )
    assert (
        "-- --help" in plan(data="--help")["command"]
        and plan(data="digits", time="soon")["status"] == 422
        and plan(data="x", cow="1")["status"] == 400
    )
