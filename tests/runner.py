"""The command line in real processes, for tests that kill it: one process group each, so that nothing is
left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limpide.core.events import CLOCK_FIELDS
from tests.fork_server import Process, python

POLL = 0.002  # s
PATIENCE = 120.0  # s; nothing here takes this long
SOAK = os.environ.get("LIMPIDE_SOAK") == "1"  # every process is a fresh one


def environment(**changes: str) -> dict[str, str]:
    """One thread: two processes beside each other then do not wait for each other, and sums have one order."""
    fixed = {
        "OMP_NUM_THREADS": "1",
        "LIMPIDE_LANG": "en",
        "LIMPIDE_CHECKPOINT_SECONDS": "0",
        "COLUMNS": "300",
        "NO_COLOR": "1",
    }
    return {**os.environ, **fixed, **changes}


# A phase of some milliseconds slips through between two looks from outside: this process kills itself as it begins.
DIES = """
import os, signal, sys
from limpide.cli import main
from limpide.core.run import Run

dies_in, create, enter, flush = sys.argv.pop(1), Run.create, Run.enter, Run._flush

def die(phase):
    if phase == dies_in:
        os.kill(os.getpid(), signal.SIGKILL)

def flushed(self):
    something = bool(self._pending)
    flush(self)
    if something and dies_in.endswith(" said"):
        die(f"{self.info().phase} said")  # events lie in the file that no checkpoint knows of

def created(*arguments):
    run = create(*arguments)
    die("read")
    return run

def entered(self, phase, **values):
    enter(self, phase, **values)
    die(phase)

Run.create, Run.enter, Run._flush = created, entered, flushed
main()
"""


# The disk refuses: from the (after + 1)th fsync on of a file whose path contains `where`.
REFUSES = """
import errno, os, sys
from limpide.cli import main

name, where, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
del sys.argv[1:4]
fsync, seen = os.fsync, 0

def refused(handle):
    global seen
    seen += where in os.readlink(f"/proc/self/fd/{handle}")
    if seen > after:
        number = getattr(errno, name)
        raise OSError(number, os.strerror(number))
    fsync(handle)

os.fsync = refused
main()
"""


# The limpide of quick_judge.py: before a program, and as one.
QUICK = """
from limpide.cli import main
from limpide.judging import registry
registry.AUDITS = tuple(one for one in registry.AUDITS if not one.may_be_left_out)
"""
QUICKLY = ("-c", QUICK + "main()")


def started(
    arguments: Sequence[object],
    cwd: Path,
    *,
    program: Sequence[str] = ("-m", "limpide"),
    fresh: bool = False,
    **changes: str,
) -> Process:
    """fresh: a Python that is started cold, where that is the point; else one that is forked (fork_server.py)."""
    pipe = subprocess.PIPE
    return python(
        [*program, *arguments], cwd=cwd, env=environment(**changes), stdout=pipe, stderr=pipe, fresh=fresh or SOAK
    )


def limpide(
    *arguments: object,
    cwd: Path,
    status: int | None = 0,
    program: Sequence[str] = ("-m", "limpide"),
    fresh: bool = False,
    **changes: str,
) -> subprocess.CompletedProcess[str]:
    """Runs to the end; checks the exit status and that nobody ever sees a traceback."""
    process = started(arguments, cwd, program=program, fresh=fresh, **changes)
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in out + err, err
    assert status is None or process.returncode == status, f"{arguments} ended with {process.returncode}\n{out}\n{err}"
    return subprocess.CompletedProcess(process.args, process.wait(), out, err)


def kill(process: Process) -> None:
    """SIGKILL for the whole group: no handler runs, no buffer is flushed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)


def wait_for(process: Process, moment: Callable[[], bool]) -> bool:
    """True as soon as the moment has come, false when the process ended before it."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None:
        if moment():
            return True
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(POLL)
    return False


def info_of(run: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((run / "run.json").read_bytes()))
    except FileNotFoundError:
        return {}


def events_of(run: Path) -> list[dict[str, Any]]:
    """events.jsonl without clock readings: the fields named so, and the quote, which is made of nothing else."""
    lines = [json.loads(line) for line in (run / "events.jsonl").read_bytes().splitlines()]
    return [{k: v for k, v in line.items() if k not in CLOCK_FIELDS} for line in lines if line.get("topic") != "quote"]


def essence(run: Path) -> dict[str, Any]:
    """All that must be the same after any number of kills."""
    with np.load(run / "predictions" / "test.npz", allow_pickle=False) as stored:
        predictions = {
            name: hashlib.sha256(np.ascontiguousarray(stored[name]).tobytes()).hexdigest() for name in stored.files
        }
    exact = ("snapshots/best.safetensors", "model.onnx", "split.csv", "excluded.csv")
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in exact} | {
        "predictions": predictions,
        "events": events_of(run),
    }
