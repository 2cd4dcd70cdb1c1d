"""A studio and a training in processes of their own, for the tests of studio and pages."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limpide.core.run import Run
from tests.fork_server import Process, python

# no page is opened in a browser of the person who runs the tests
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "LIMPIDE_LANG": "en", "COLUMNS": "300", "BROWSER": "true"}


@dataclass
class Server:
    port: int
    token: str
    runs: Path
    process: Process

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, known: bool = True, **headers: str) -> Any:
        """(status, headers, body); known: with the cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        told = (
            {"Host": f"127.0.0.1:{self.port}"}
            | ({"Cookie": f"limpide-{self.port}={self.token}"} if known else {})
            | headers
        )
        connection.request(method, path, body, told)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def json(self, path: str) -> Any:
        status, _, data = self.ask(path)
        assert status == 200, data
        return json.loads(data)


def served(runs: Path, *more: str) -> Server:
    process = python(
        ["-m", "limpide", "studio", runs, "--no-browser", *more],
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "http://127.0.0.1:" in line, line
    url = line.split()[-1]
    server = Server(int(url.split(":")[2].split("/")[0]), url.split("token=")[1].split("#")[0], runs, process)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            return server
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not begin to listen")


def ended(server: Server) -> None:
    server.process.terminate()
    assert server.process.wait(10) is not None and server.process.stdout is not None
    server.process.stdout.close()


def begun(folder: Path, *more: str) -> Process:
    command = ["-m", "limpide", "train", "digits", "--runs", folder, "--new", *more]
    environment = {**os.environ, **ENVIRONMENT, "HOME": str(folder)}
    with open(folder / "said.txt", "w") as said:
        return python(command, stdout=said, stderr=subprocess.STDOUT, env=environment)


def learning(folder: Path) -> Run:
    """The run, once it has made some steps."""
    for _ in range(1200):
        for run in Run.all_in(folder):
            if run.info().phase == "fit" and len(run.kept()) > 4:
                return run
        time.sleep(0.05)
    raise AssertionError("the training did not begin")
