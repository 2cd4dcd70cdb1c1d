"""Who is let in, what a server answers to the rude, and what a run that changes under its eyes looks like. A real
server, real sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from limpide.core.run import Run
from limpide.data.decoding import decode
from limpide.inspector import upload
from limpide.inspector.data import album
from limpide.inspector.image import prediction, sanity
from limpide.inspector.image_reference import ImageReference
from limpide.inspector.unit import maximized
from limpide.report.html.page import html_of
from limpide.studio import inspector_process
from limpide.studio.inspector_routes import MAX_UPLOAD_BYTES, MAX_UPLOADS
from limpide.studio.launch_training import _on_a_page
from limpide.studio.server import Studio
from limpide.system.machine import cores
from limpide.text.language import use_language
from tests.runner import limpide
from tests.studio.serving import Server, ended, served

RUN = "/api/runs/photos-001"


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({}, False),
        ({"Host": "evil.example"}, True),
        ({"Host": "127.0.0.1"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "https://127.0.0.1:1"}, True),
        ({"Cookie": "limpide-1=x"}, False),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/runs"),
        ("POST", RUN + "/control"),
        ("GET", "/static/app.js"),
        ("POST", "/api/upload"),
    ],
)
def test_strangers_are_refused(server: Server, headers: dict[str, str], known: bool, method: str, path: str) -> None:
    status, answered, data = server.ask(
        path, method, b'{"do": "stop"}' if method == "POST" else None, known=known, **headers
    )
    assert status == 403 and b"photos" not in data and not any(name.startswith("access-control") for name in answered)


def test_the_link_lets_in_once_and_a_wrong_token_does_not(server: Server) -> None:
    status, headers, _ = server.ask(f"/?token={server.token}", known=False)
    cookie = headers["set-cookie"]
    assert status == 303 and "token" not in headers["location"] and "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert server.ask("/?token=wrong", known=False)[0] == 403
    status, headers, page = server.ask("/")
    assert status == 200 and "default-src 'self'" in headers["content-security-policy"] and b"importmap" in page


def test_it_listens_on_loopback_alone(server: Server) -> None:
    listening = [c.laddr.ip for c in psutil.Process(server.process.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize(
    "name", ["..", "../photos", "%2e%2e", "..%2f..%2fetc", "photos-001%2f..%2f..", "nothing", "photos-001%00"]
)
def test_a_name_is_never_a_path(server: Server, name: str) -> None:
    assert server.ask(f"/api/runs/{name}")[0] == 404
    assert server.ask("/static/../server.py")[0] == 404


def test_what_a_run_says(server: Server) -> None:
    (run,) = server.json("/api/runs")["runs"]
    assert (
        run["name"] == "photos-001"
        and run["status"] == "finished"
        and 0 <= run["accuracy"]["low"] <= run["accuracy"]["value"] <= 1
    )
    about = server.json(RUN)
    kept = Run.open(server.runs / "photos-001").kept()
    assert about["snapshots"] == list(kept) and about["snapshots"][:3] == [0, 1, 2] and about["probes"] >= 4
    series = server.json(RUN + "/series")
    assert (
        len(series["steps"][0]) == series["total"] == about["steps"]
        and len(series["epochs"]) == 3
        and series["diagnosis"]
    )
    assert "apprentissage" in str(server.json(RUN + "/series?lang=fr")) or "Appris" in str(
        server.json(RUN + "/series?lang=fr")
    )
    stats = server.json(RUN + "/stats")["stats"]
    assert [line["step"] for line in stats] == list(kept)
    weights = {name: values for name, values in stats[0]["parameters"].items() if name.endswith("weight")}
    assert weights and all(values["norm"] > 0 and values["update"] is None for values in weights.values())
    for line in stats[1:]:
        for name in weights:
            values = line["parameters"][name]
            assert (
                values["norm"] > 0
                and values["gradient"] > 0
                and 0 < values["update"] < 1
                and values["low"] < values["high"]
            )
            assert sum(values["counts"]) == sum(weights[name]["counts"])


def test_a_name_that_is_no_unicode_and_a_damaged_loss_hide_nothing(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained / "photos-001", tmp_path / "photos-001")
    run = Run(tmp_path / "photos-001")
    lines = run.split_file.read_bytes().splitlines()
    run.split_file.write_bytes(b"\n".join([lines[0], lines[1].replace(b".png", b"\xff.png"), *lines[2:]]) + b"\n")
    with open(run.events_file, "ab") as stream:
        stream.write(b'{"kind": "step", "n": 99, "epoch": 0, "loss": NaN, "lr": 0.1, "seconds": 0.1}\n')
    other = served(tmp_path)
    try:
        found = other.json(RUN + "/look/album")["images"][0]["file"]
        assert found.endswith("\udcff.png") and other.json("/api/runs")["runs"][0]["status"] == "finished"
        body = json.dumps({"file": found, "label": "disc", "suggested": "?"}).encode()
        assert (
            other.ask(RUN + "/marks", "POST", body)[0] == 200
            and other.json(RUN + "/marks")["marks"][0]["file"] == found
        )
        assert other.ask(RUN + "/marks", "POST", b'{"file": "a\\u0000b", "label": "disc", "suggested": "?"}')[0] == 400
    finally:
        ended(other)


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
            pool.submit(other.ask, f"{RUN}/look/{what}")
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


def test_a_mark_is_a_class_or_refused(server: Server) -> None:
    for body, expected in (
        (b"not json", 400),
        (b"[]", 400),
        (b'{"file": "disc/1.png", "label": "disc"}', 400),
        (b'{"file": "", "label": "disc", "suggested": "?"}', 400),
        (b'{"file": "disc/1.png", "label": "disc", "suggested": "a cow"}', 400),
        (b'{"file": "disc/1.png", "label": "disc", "suggested": "?"}', 200),
    ):
        assert server.ask(RUN + "/marks", "POST", body)[0] == expected
    assert server.json(RUN + "/marks")["marks"] == [{"file": "disc/1.png", "label": "disc", "suggested": "?"}]
    assert server.ask(RUN + "/marks", "POST", b'{"file": "disc/1.png", "label": "disc", "suggested": ""}')[0] == 200
    assert server.json(RUN + "/marks")["marks"] == []


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
    (tmp_path / "only" / "one.png").write_bytes(b"")
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


def test_the_report_is_read_in_the_language_of_the_page(server: Server, tmp_path: Path, trained: Path) -> None:
    run = Run(trained / "photos-001")
    before = run.report_file.read_bytes()
    assert (
        server.ask(RUN + "/report")[2]
        == server.ask(RUN + "/report?lang=en")[2]
        == server.ask(RUN + "/report?lang=zz")[2]
        == before
    )
    status, headers, french = server.ask(RUN + "/report?lang=fr")
    assert (
        status == 200
        and headers["content-security-policy"] == "sandbox allow-scripts"
        and headers["content-type"].startswith("text/html")
    )
    use_language("fr")
    assert french == html_of(run).encode() != before
    use_language("en")
    assert run.report_file.read_bytes() == before, "the file stays as it is"
    run.report_file.write_text(html_of(run, images=False))
    try:
        without = server.ask(RUN + "/report?lang=fr")[2]
        assert (
            b'name="images" content="no"' in without and b"data:image" not in without and len(without) < len(french)
        ), "what was left out stays out"
    finally:
        run.report_file.write_bytes(before)
    assert server.json(f"{RUN}/look/prediction")["top"], "and the words of the process are its own again"


def test_every_question_is_answered_or_refused_in_a_sentence(server: Server) -> None:
    ops = server.json(RUN + "/look/anatomy")["ops"]
    convolution = next(op["key"] for op in ops if op["name"] == "conv2d")
    unit = server.json(f"{RUN}/look/unit?key={convolution}&channel=1&y=3&x=4&image=probe-2&snapshot=4")
    total = sum(v * w for v, w in zip(unit["values"], unit["weights"], strict=True)) + unit["bias"]
    assert (
        unit["agrees"]
        and abs(total - unit["torch"]) <= unit["tolerance"]
        and unit["box"] == [2, 3, 5, 6]
        and unit["status"] == "EXACT"
    )
    assert (
        server.json(f"{RUN}/look/prediction?image=probe-0")["truth"]
        and not server.json(f"{RUN}/look/prediction?snapshot=2")["calibrated"]
    )
    status, headers, data = server.ask(f"{RUN}/look/maps?key={convolution}")
    assert status == 200 and data[:6] == b"\x93NUMPY" and json.loads(headers["x-about"])["shape"][1:] == [32, 32]
    for path, expected in {
        "/look/nothing": 404,
        "/look/unit?key=nothing&channel=0&y=0&x=0": 422,
        f"/look/unit?key={convolution}&channel=999&y=0&x=0": 422,
        f"/look/unit?key={convolution}&channel=x&y=0&x=0": 400,
        "/look/unit": 400,
        "/look/maps?key=zz": 422,
        "/look/effect?key=head&channel=-1": 400,
        "/look/effect?key=head&channel=99999999999999999999": 400,
        "/look/augmented?seed=99999999999999999999": 400,
        "/look/prediction?image=probe-99999": 422,
        "/look/occluded?mask=5": 400,
        f"/look/unit?key={convolution}": 200,
        "/look/maps?key=head&image=drop-gone": 422,
        "/look/occluded?mask=[[99,0]]": 400,
        "/look/saliency?method=grad_cam&label=0": 200,
        "/look/saliency?method=astrology&label=0": 422,
        "/look/saliency?method=gradient&label=9": 422,
        "/look/sanity?method=grad_cam&label=0": 200,
        "/look/sanity?method=astrology&label=0": 422,
        "/look/sanity?method=gradient": 400,
        "/look/ink": 200,
        "/look/networks": 404,
        "/look/predictions?snapshot=..%2f..": 422,
        "/look/predictions?snapshot=3": 422,
        "/look/album": 200,
        "/look/album?start=-1": 400,
        "/look/thumb?row=0": 200,
        "/look/thumb?row=80": 422,
        "/look/thumb": 400,
        "/look/prediction?image=row-3&turn=45&noise=10&mirror=1": 200,
        "/look/prediction?image=row-3&turn=1e9": 400,
        "/look/prediction?image=row-3&noise=nan": 400,
        "/look/prediction?image=row-99": 422,
        "/look/neighbors?image=row-3": 200,
        "/look/alike?distance=12": 200,
        "/look/augmented": 200,
        "/look/embedding?method=pca": 200,
        "/look/embedding?method=x": 422,
        "/look/maximized?key=head&channel=1": 200,
        "/look/maximized?key=head&channel=7": 422,
        "/look/maximized?key=nowhere&channel=0": 422,
        "/look/worst": 200,
        "/look/cell?truth=0&said=1": 200,
        "/look/cell?truth=0": 400,
        "/look/suspects": 200,
        "/look/shortcut": 200,
        "/look/groups?by=folder": 200,
        "/look/groups?by=x": 422,
        "/marks": 200,
    }.items():
        status, _, data = server.ask(RUN + path)
        assert status == expected, (path, status, data[:200])
        assert status == 200 or set(json.loads(data)) == {"error"}


def test_a_refusal_is_worded_in_the_language_of_the_page(server: Server) -> None:
    """Whoever worded it: the network's process, the files of the run, or the server."""

    def said(path: str, method: str = "GET", body: bytes | None = None) -> str:
        return str(json.loads(server.ask(path, method, body)[2])["error"])

    for path, english, french in (
        (RUN + "/look/thumb?row=80", "The rows go from 0 to 79.", "Les lignes vont de 0 à 79"),
        (
            RUN + "/look/predictions?snapshot=3",
            "The weights after step 3 were not kept",
            "Les poids d’après le pas 3 n’ont pas été gardés",
        ),
        (
            RUN + "/look/maps?key=zz",
            "The network has no layer of this name (zz). Did you mean",
            "Le réseau n’a pas de couche de ce nom (zz). Fallait-il lire",
        ),
        (
            RUN + "/look/unit?key=head&channel=999&y=0&x=0",
            "This unit cannot be opened",
            "Cette unité ne peut pas être ouverte",
        ),
        (
            RUN + "/look/effect?key=head&channel=999",
            "The channels of head go from 0 to 1",
            "Les canaux de head vont de 0 à 1",
        ),
        (
            RUN + "/look/strongest?key=head&channel=999",
            "The channels of head go from 0 to 1",
            "Les canaux de head vont de 0 à 1",
        ),
        (
            RUN + "/look/maximized?key=head&channel=999",
            "The channels of head go from 0 to 1",
            "Les canaux de head vont de 0 à 1",
        ),
        (
            RUN + "/look/maximized?key=zz&channel=0",
            "The network has no layer of this name",
            "Le réseau n’a pas de couche de ce nom",
        ),
        (
            RUN + "/look/strongest?key=zz&channel=0",
            "The network has no layer of this name",
            "Le réseau n’a pas de couche de ce nom",
        ),
        (
            RUN + "/look/effect?key=head&channel=0&place=999999&weight=1",
            "The weights of this channel go from 0 to 1,023",
            "Les poids de ce canal vont de 0 à 1\N{NARROW NO-BREAK SPACE}023",
        ),
        (RUN + "/look/nothing?", "There is nothing of this name to look at.", "Il n’y a rien de ce nom"),
        ("/api/runs/nowhere?", "This is not a run of limpide (nowhere)", "Ce n’est pas un entraînement de limpide"),
    ):
        assert said(path).startswith(english), (path, said(path))
        assert said(path + "&lang=fr").startswith(french), (path, said(path + "&lang=fr"))
    order = b'{"do": "pause"}'
    assert said(RUN + "/control", "POST", order) == "This run is not training."
    assert said(RUN + "/control?lang=fr", "POST", order) == "Cet entraînement n’est pas en cours."
    large = server.ask("/api/upload?lang=fr", "POST", b"0" * (MAX_UPLOAD_BYTES + 1))
    assert large[0] == 413 and json.loads(large[2])["error"].lower().startswith(
        "le fichier dépasse 100\N{NO-BREAK SPACE}mo"
    )
    marks = server.runs / "photos-001" / "marks.csv"
    marks.write_text("no,such,columns\n1,2,3\n")
    try:
        assert "n’a pas les colonnes file, label, suggested" in said(RUN + "/marks?lang=fr")
    finally:
        marks.unlink()


def test_a_link_out_of_a_run_is_neither_read_nor_written(server: Server, tmp_path: Path) -> None:
    linked, secret = server.runs / "linked-001", tmp_path / "secret.html"
    shutil.copytree(server.runs / "photos-001", linked)
    secret.write_text("SECRET")
    try:
        for name in ("report.html", "marks.csv", "findings/balance.json", "predictions/probes.npz"):
            (linked / name).unlink(missing_ok=True)
            (linked / name).symlink_to(secret)
            for path in ("", "/report", "/findings", "/series", "/marks", "/events", "/look/worst"):
                status, _, data = server.ask("/api/runs/linked-001" + path)
                assert status == 404 and b"leads out of it" in data and b"SECRET" not in data, (name, path)
            mark = json.dumps({"file": "disc/1.png", "label": "disc", "suggested": "?"}).encode()
            assert server.ask("/api/runs/linked-001/marks", "POST", mark)[0] == 404 and secret.read_text() == "SECRET"
            status = {
                run["name"]: (run["status"], "leads out of it" in run.get("said", ""))
                for run in server.json("/api/runs")["runs"]
            }
            assert status == {"photos-001": ("finished", False), "linked-001": ("unreadable", True)}
            (linked / name).unlink()
    finally:
        shutil.rmtree(linked)


def test_one_damaged_run_does_not_hide_the_others(server: Server) -> None:
    damaged = server.runs / "damaged-001"
    shutil.copytree(server.runs / "photos-001", damaged)
    try:
        (damaged / "findings" / "simpler.json").write_text("{}")
        about = server.json("/api/runs/damaged-001")
        assert about["status"] == "finished" and about["worth"] == [], "a damaged claim takes only the claims away"
        (damaged / "findings" / "accuracy.json").write_text("{}")
        (damaged / "snapshots" / "step-abc.safetensors").write_bytes(b"")
        (damaged / "events.jsonl").write_text('null\n5\n[]\n{"kind": "step"}\n')
        (damaged / "system.jsonl").write_text('{"step": 1}\n')
        (damaged / "predictions" / "probes.npz").write_bytes(b"no zip")
        for file in damaged.glob("snapshots/*.safetensors"):
            file.write_bytes(b"cut")
        assert {run["name"]: run["status"] for run in server.json("/api/runs")["runs"]} == {
            "photos-001": "finished",
            "damaged-001": "unreadable",
        }
        for path in ("", "/series", "/stats", "/findings", "/look/predictions", "/look/anatomy"):
            status, _, data = server.ask("/api/runs/damaged-001" + path)
            assert status in (200, 404, 422) and (status == 200 or len(json.loads(data)["error"]) > 10), (
                path,
                status,
                data[:100],
            )
    finally:
        shutil.rmtree(damaged)


def test_what_is_dropped_is_an_image_or_refused(server: Server) -> None:
    file = next((server.runs.parent / "photos" / "disc").glob("*.png")).read_bytes()
    refused = {
        b"": "the file is empty: copy it again",
        file[:300]: "the file is cut short or damaged: copy it again",
        b"no image at all": "its content is no image format that can be read here: save the picture as PNG or JPEG",
        b"%PDF-1.7": "it is a PDF or PostScript document, not an image: save",
        b"<svg></svg>": "it is a drawing (SVG), not made of pixels: convert it to PNG",
        _png(1, 1): (
            "the image is too small or too thin: take one of at least 4 pixels a side, and at most 50 times as long"
        ),
        _png(4000, 20): "the image is too small or too thin",
    }
    for data, why in refused.items():
        status, _, told = server.ask("/api/upload", "POST", data)
        assert status == 422 and json.loads(told)["error"].lower().startswith(why.lower()), told
    assert set(upload.REMEDIES) | {reason for reason in decode.REASONS if ":" in reason} == set(decode.REASONS), (
        "every reason says what to do"
    )
    name = json.loads(server.ask("/api/upload", "POST", file)[2])["image"]
    assert server.json(f"{RUN}/look/prediction?image={name}")["top"][0]["class"] == "disc"
    large = _png(3464, 3464, noise=True)
    assert len(large) > 35_000_000
    name = json.loads(server.ask("/api/upload", "POST", large)[2])["image"]
    assert server.json(f"{RUN}/look/prediction?image={name}")["top"], "a photograph of 12 megapixels as PNG"


def _png(width: int, height: int, noise: bool = False) -> bytes:
    pixels = (
        np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        if noise
        else np.zeros((height, width, 3), np.uint8)
    )
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def test_uploads_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("limpide.studio.inspector_routes.MAX_UPLOADS_BYTES", 1000)
    studio = Studio(tmp_path)
    try:
        names = [studio.inspector.keep(b"0" * size) for size in (600, 300, 200)]
        assert list(studio.inspector._uploads) == names[1:]
        names = [studio.inspector.keep(b"0" * 5000)]
        assert list(studio.inspector._uploads) == names, "the newest stays, however large"
        names = [studio.inspector.keep(b"0") for _ in range(MAX_UPLOADS + 1)]
        assert list(studio.inspector._uploads) == names[1:]
    finally:
        studio.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"do": "explode"}', 400),
        (b'{"do": "rate", "by": 1e9}', 400),
        (b'{"do": "rate"}', 400),
        (b'{"do": "pause"}', 409),
    ],
)
def test_orders_are_checked_and_a_finished_run_takes_none(server: Server, body: bytes, status: int) -> None:
    assert server.ask(RUN + "/control", "POST", body)[0] == status
    assert not (server.runs / "photos-001" / "control.jsonl").exists()


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


def test_two_studios_beside_each_other(server: Server) -> None:
    other = served(server.runs)
    try:
        assert other.port != server.port and other.token != server.token
        assert (
            other.json("/api/runs")["runs"]
            and server.ask("/api/runs", Cookie=f"limpide-{server.port}={other.token}")[0] == 403
        )
    finally:
        ended(other)
