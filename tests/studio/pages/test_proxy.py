"""The studio below a path of a proxy, as JupyterHub shows it: pages load, ask, stream and are let in by their link."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from limpide.core.run import Run
from tests.studio.serving import Server, ended, served

PREFIX = "/user/someone/proxy/8501/"


class Proxy(ThreadingHTTPServer):
    """Hands on what lies below PREFIX. keeps_path: with the prefix · keeps_host: with its own name as Host."""

    daemon_threads = True
    target = 0

    def __init__(self, keeps_path: bool, keeps_host: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keeps_path, self.keeps_host = keeps_path, keeps_host


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        if not self.path.startswith(PREFIX):
            self.send_error(404, "below the prefix alone")
            return
        path = self.path if self.server.keeps_path else "/" + self.path[len(PREFIX) :]
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        if not self.server.keeps_host:
            headers["Host"] = f"127.0.0.1:{self.server.target}"
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)
        with contextlib.closing(connection), contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            connection.request(self.command, path, body or None, headers)  # the studio, or the page, may leave
            with connection.getresponse() as answer:
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.end_headers()
                while part := answer.read1(65536):  # a stream is handed on as it comes
                    self.wfile.write(part)

    do_POST = do_GET

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(params=[(False, True), (True, True), (False, False)], ids=["cuts path", "whole path", "other host"])
def behind(request: pytest.FixtureRequest, trained: Path) -> Iterator[tuple[str, Server]]:
    """(its public address, the studio that a proxy shows there; its port is that of the proxy)."""
    proxy = Proxy(*request.param)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy.target = free.getsockname()[1]
    public = f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
    server = served(trained, "--port", str(proxy.target), "--public-url", public)
    yield public, server
    ended(server)
    proxy.shutdown()
    proxy.server_close()


def test_pages_work_below_a_path(behind: tuple[str, Server], browser: Any, trained: Path) -> None:
    public, server = behind
    asked, said = [], []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{public}?token={server.token}")
    run = Run.all_in(trained)[0].path.name
    page.wait_for_selector(f"a[href*='{run}']")
    assert page.url.startswith(public) and "token" not in page.url
    for hash, shows in (
        (f"page=live&run={run}", "svg, canvas"),
        (f"page=unit&run={run}", "table"),
        ("page=learn", "h1"),
    ):
        page.evaluate("hash => { location.hash = hash }", hash)
        page.wait_for_selector(f"main {shows.split(',')[0]}, main {shows.split(',')[-1]}")
    report = page.request.get(f"{public}api/runs/{run}/report")
    assert report.ok and "<html" in report.text()
    (cookie,) = context.cookies()
    assert cookie["path"] == PREFIX, "other services of the proxy do not get it"
    assert said == [] and all(url.startswith((public, "data:", "blob:")) for url in asked), asked
    context.close()


def test_a_stranger_is_refused_behind_a_proxy_too(behind: tuple[str, Server]) -> None:
    public, server = behind
    known = {"Cookie": f"limpide-{_target(server)}={server.token}"}
    ours = public.removesuffix(PREFIX)
    for headers, status in (
        (known, 200),
        (known | {"Origin": ours}, 200),
        ({}, 403),
        (known | {"Origin": "http://evil.example"}, 403),
        (known | {"Origin": ours.replace("http:", "https:")}, 403),
    ):
        answer, _, _ = server.ask(PREFIX + "api/runs", known=False, **headers)
        assert answer == status, headers


def _target(server: Server) -> str:
    words = server.process.args if isinstance(server.process.args, list) else []
    return str(words[words.index("--port") + 1])
