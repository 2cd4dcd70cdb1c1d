"""Nothing leaves the machine: each verb in a fresh process with an empty home, every system call on network and files
traced.

A dependency that keeps an identifier or asks for an address of the internet fails this, whatever library it hides in.
strace (Linux) does the watching: `apt install strace`; without it these tests say that they did not run.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.deploy.test_export import twenty_lines
from tests.make_images import photo_folder

ROOT = Path(__file__).resolve().parents[2]
HOLD = 10.0  # s that each process lives after its work: ONNX Runtime 1.31 asks for its collector from the eighth on
PATIENCE = 150.0  # s
HELD = """
import sys, time
try:
    {program}
finally:
    time.sleep({hold})
"""
COMMAND = "from limpide.cli import main; main()"
ALWAYS = ("/dev/null", "/dev/shm", "/dev/tty", "/proc/self/", "/proc/thread-self/")
# an answer to connect may be the unspecified address of a socket of its own
LOOPBACK = ("127.0.0.1", "::1", "0.0.0.0", "::")


STARTED: list[subprocess.Popen[str]] = []


@dataclass
class Traced:
    """A process under strace: what it was allowed, and where its system calls are written, one file a process."""

    process: subprocess.Popen[str]
    calls: Path
    allowed: tuple[Path, ...]
    cache: Path  # the folder itself may be made, and nothing in it but limpide's

    def ended(self, *, status: tuple[int, ...] = (0,)) -> None:
        said, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode in status, said

    def lines(self) -> Iterator[str]:
        for file in sorted(self.calls.iterdir()):
            yield from file.read_text(errors="replace").splitlines()

    def faults(self, port: int = 0) -> list[str]:
        """The calls that break the promise. port: the studio's own."""
        made = f'mkdir("{self.cache}", '
        return [
            line
            for line in self.lines()
            if _reaches_out(line, port) or (_writes_elsewhere(line, self.allowed) and not line.startswith(made))
        ]


def _reaches_out(line: str, port: int) -> bool:
    """Whether a call names an address of the internet other than the studio's own port on loopback."""
    if not re.match(r"(connect|sendto|sendmsg|sendmmsg|bind)\(", line) or "AF_INET" not in line:
        return False
    ports = set(re.findall(r"sin6?_port=htons\((\d+)\)", line))
    hosts = set(re.findall(r'(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"', line))
    return not (hosts <= set(LOOPBACK) and ports <= {str(port)} and port)


def _writes_elsewhere(line: str, allowed: tuple[Path, ...]) -> bool:
    """Whether a call made, changed or removed a file outside of `allowed`. What the system refused made nothing."""
    name, _, arguments = line.partition("(")
    if name in ("open", "openat", "openat2"):
        writes = bool(re.search(r"O_WRONLY|O_RDWR|O_CREAT", arguments))
    else:
        writes = bool(
            re.match(
                r"creat|mkdir|rename|unlink|rmdir|symlink|link|chmod|fchmodat|chown|truncate|mknod|utime|setxattr", name
            )
        )
    if not writes or re.search(r"\) = -1 E", line):
        return False
    return any(not _is_allowed(path, allowed) for path in _paths(arguments))


def _paths(arguments: str) -> Iterator[str]:
    """Every path of a call, whole: strace writes the folder of a relative one before it, as <folder>."""
    for folder, path in re.findall(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"', arguments):
        yield os.path.normpath(path if path.startswith("/") else f"{folder}/{path}")


def _is_allowed(path: str, allowed: tuple[Path, ...]) -> bool:
    return (
        path.startswith(ALWAYS)
        or "/__pycache__" in path
        or any(path == str(one) or path.startswith(f"{one}/") for one in allowed)
    )


def traced(folder: Path, program: str, *arguments: object, runs: Path) -> Traced:
    """Starts a program with an empty home of its own, which it may not fill but for limpide's cache."""
    home, temporary, calls = folder / "home", folder / "tmp", folder / "calls"
    for place in (home, temporary, calls, runs):
        place.mkdir(parents=True, exist_ok=True)
    own = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "OMP_NUM_THREADS": "1",
        "LIMPIDE_LANG": "en",
        "NO_COLOR": "1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
    }
    watch = [
        "strace",
        "-f",
        "-ff",
        "-y",
        "-qq",
        "-s",
        "600",
        "--seccomp-bpf",
        "-e",
        "trace=%network,%file",
        "-o",
        str(calls / "of"),
    ]
    command = [*watch, sys.executable, "-c", HELD.format(program=program, hold=HOLD), *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=runs.parent, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    STARTED.append(process)
    return Traced(process, calls, (home / ".cache" / "limpide", temporary, runs), home / ".cache")


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    """Without a tracer the promise is not tested here, and the suite says so."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: whether anything leaves the machine was not tested")
    if subprocess.run(
        ["strace", "-qq", "-f", "--seccomp-bpf", "-e", "trace=%network", "true"], capture_output=True
    ).returncode:
        pytest.skip("strace may not trace here: whether anything leaves the machine was not tested")


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    """What a test that failed has left running would be seen by the tests after it."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):  # they would outlive their tracer
                child.kill()
            process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("leaves") / "photos", per_class=12)


def test_no_verb_asks_the_network_or_writes_elsewhere(photos: Path, tmp_path: Path) -> None:
    """They run beside each other, as each has to wait; all but the training use a run that it made."""
    choices = ("--model", "cnn", "--epochs", "1", "--image-size", "16")
    first = tmp_path / "train"
    training = traced(first, COMMAND, "train", photos, *choices, "--runs", first / "runs", runs=first / "runs")
    run = first / "runs" / "photos-001"
    deadline = time.monotonic() + PATIENCE
    while training.process.poll() is None and not _is_finished(run):
        assert time.monotonic() < deadline, "the training did not end"
        time.sleep(0.05)
    some = str(sorted(photos.glob("*/*"))[0])
    started = {"train": training}
    for verb, arguments in {
        "predict": (run, some),
        "evaluate": (run, photos),
        "explain": (run, some, "--out", "INSIDE.html"),
        "export": (run, "EXPORTED.onnx"),
    }.items():
        started[verb] = _traced_on_a_copy(tmp_path / verb, verb, run, arguments)
    lines = tmp_path / "lines"
    started["twenty lines"] = traced(
        lines, _one_line(twenty_lines(run / "model.onnx", Path(some))), runs=lines / "work"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "studio"
    shutil.copytree(run, folder / "runs" / "photos-001")
    studio = traced(folder, COMMAND, "studio", folder / "runs", "--no-browser", "--port", port, runs=folder / "runs")
    _look_around(studio, port)
    found = {}
    for name, process in started.items():
        process.ended(status=(0, 1) if name == "evaluate" else (0,))  # 1: so small a network is not trusted
        found[name] = process.faults()
    psutil.Process(studio.process.pid).children()[0].send_signal(signal.SIGINT)  # strace itself does not pass it on
    studio.ended(status=(0, 130))
    found["studio"] = studio.faults(port)
    assert not any(found.values()), found
    for name, process in (started | {"studio": studio}).items():
        opened = any("onnxruntime_pybind11_state" in line or "libtorch_cpu" in line for line in process.lines())
        assert opened, f"{name} never loaded what is watched here: the test looks at the wrong process"


def _is_finished(run: Path) -> bool:
    """Whether everything of a training is written: what it says last is in run.json, after its report."""
    file = run / "run.json"
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["status"] == "finished"


def _traced_on_a_copy(folder: Path, verb: str, run: Path, arguments: Sequence[object]) -> Traced:
    """The verb on a run of its own, writing beside it."""
    work = folder / "work"
    shutil.copytree(run, work / "photos-001")
    own: dict[object, Path] = {
        run: work / "photos-001",
        "INSIDE.html": work / "inside.html",
        "EXPORTED.onnx": work / "exported.onnx",
    }
    return traced(folder, COMMAND, verb, *(own.get(argument, argument) for argument in arguments), runs=work)


def _one_line(program: str) -> str:
    return f"exec({program!r})"


def _look_around(studio: Traced, port: int) -> None:
    """Opens the studio as a browser does, and has it look into the network and at an image."""
    assert studio.process.stdout is not None
    said = iter(studio.process.stdout.readline, "")
    token = next(match[1] for line in said if (match := re.search(r"\?token=([\w-]+)", line)))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/?token={token}")
    answer = connection.getresponse()
    answer.read()
    cookie = {"Cookie": str(answer.getheader("set-cookie")).split(";")[0]}
    for path in (
        "/",
        "/api/runs",
        "/api/runs/photos-001/findings",
        "/api/runs/photos-001/look/album",
        "/api/runs/photos-001/look/anatomy?image=probe-0",
    ):
        connection.request("GET", path, headers=cookie)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.read())
        answer.read()
    time.sleep(HOLD)
    connection.close()


PLANTED = {
    "asks an address": (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'?', ('127.0.0.1', 53))"
    ),
    "connects to a port that is not the studio's": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "asks through IPv6": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect_ex(('::1', 53))",
    "keeps an identifier": (
        "import os; os.makedirs(os.path.expanduser('~/.cache/elsewhere')); "
        "open(os.path.expanduser('~/.cache/elsewhere/id'), 'w')"
    ),
    "writes beside limpide's cache": "import os; os.makedirs(os.path.expanduser('~/.cache/limpide-2'))",
    "writes in a child": "import os; os.fork() or open(os.path.expanduser('~/id'), 'w'); os.wait()",
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_watch_sees_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Nothing here leaves the machine either: what is asked for is a port of loopback that is not the studio's."""
    monkeypatch.setattr(sys.modules[__name__], "HOLD", 0.0)
    program = f"exec({PLANTED[what]!r})"
    planted = traced(tmp_path, program, runs=tmp_path / "runs")
    planted.process.communicate(timeout=PATIENCE)
    assert planted.faults(port=1234), what
    harmless = traced(tmp_path / "other", "open('runs/file', 'w').close()", runs=tmp_path / "other" / "runs")
    harmless.ended()
    assert harmless.faults() == []


@pytest.mark.parametrize("package", ["limpide", "benchmarks", "experiments"])
def test_dependencies_are_told_before_they_are_imported(package: str) -> None:
    program = f"import {package}, os, sys; print('onnxruntime' in sys.modules, os.environ['ORT_DISABLE_TELEMETRY'])"
    env = {name: value for name, value in os.environ.items() if not name.endswith("TELEMETRY")} | {
        "ORT_DISABLE_TELEMETRY": "0"
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["False", "1"], done.stderr
