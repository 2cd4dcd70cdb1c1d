"""Who is let in, what a server answers to the rude, and what a run that changes under its eyes looks like. A real
server, real sockets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import psutil
import pytest

from limpide.core.run import Run
from limpide.report.html.page import html_of
from limpide.text.language import use_language
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
                assert status == 404 and b"points outside the run" in data and b"SECRET" not in data, (name, path)
            mark = json.dumps({"file": "disc/1.png", "label": "disc", "suggested": "?"}).encode()
            assert server.ask("/api/runs/linked-001/marks", "POST", mark)[0] == 404 and secret.read_text() == "SECRET"
            status = {
                run["name"]: (run["status"], "points outside the run" in run.get("said", ""))
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
