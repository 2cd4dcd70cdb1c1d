"""A process that is forked behaves as one that is started: else tests would be about the server and not
about limpide.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fork_server import ForkedProcess, Process, python
from tests.runner import environment

# a Python that starts may set LC_CTYPE for itself
WHO = "import json, os, sys; os.environ.pop('LC_CTYPE', ''); print(json.dumps([{}]))".format(
    "sys.argv, os.getcwd(), sorted(os.environ.items()), os.getpgid(0) == os.getpid(), __name__, sys.path[0], "
    "sys.stdout.isatty(), sys.stdin.read(), sys.stdout.encoding, sys.stderr.line_buffering"
)
PROGRAMS = {
    "says who it is": ["-c", WHO, "a", "b c", "é"],
    "runs limpide": ["-m", "limpide", "--version"],
    "is told a mistake": ["-m", "limpide", "trian"],
    "ends with a number": ["-c", "import sys; print('x'); sys.exit(7)"],
    "ends with a sentence": ["-c", "import sys; sys.exit('that was that')"],
    "prints at its end": ["-c", "import atexit; atexit.register(print, 'bye'); print('here')"],
    "has a thread at its end": ["-c", "import threading, time\nthreading.Timer(0.1, print, ['late']).start()"],
    "kills itself": ["-c", "import os; print('lost'); os.kill(os.getpid(), 9)"],
    "leaves at once": ["-c", "import os; print('lost'); os._exit(3)"],
    "asks itself to end": ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"],
}


def ended(words: list[str], cwd: Path, *, fresh: bool) -> tuple[str, str, int | None]:
    pipe = subprocess.PIPE
    process = python(words, cwd=cwd, env=environment(SOMETHING="é\n="), stdout=pipe, stderr=pipe, fresh=fresh)
    assert isinstance(process, ForkedProcess) != fresh
    out, err = process.communicate(timeout=60)
    return out, err, process.returncode


@pytest.mark.parametrize("words", PROGRAMS.values(), ids=PROGRAMS)
def test_what_it_says_and_how_it_ends_are_those_of_a_fresh_one(words: list[str], tmp_path: Path) -> None:
    assert ended(words, tmp_path, fresh=False) == ended(words, tmp_path, fresh=True)


@pytest.mark.parametrize(("program", "status"), [("1 / 0", 1), ("raise KeyboardInterrupt", -signal.SIGINT)])
def test_an_error_ends_it_with_a_traceback(program: str, status: int, tmp_path: Path) -> None:
    for fresh in (False, True):
        out, err, returncode = ended(["-c", f"print('before')\n{program}"], tmp_path, fresh=fresh)
        assert (out, returncode) == ("before\n", status) and err.startswith("Traceback")


def hangs() -> Process:
    process = python(["-c", "print('here', flush=True); import time; time.sleep(60)"], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == "here\n" and process.poll() is None
    return process


def test_it_is_waited_for_signalled_and_killed_with_its_group() -> None:
    with hangs() as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == process.returncode == -signal.SIGTERM
        process.send_signal(signal.SIGTERM)  # it is gone: no other process of this number is meant
    with hangs() as process:
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL


def test_output_goes_into_a_file_and_errors_with_it(tmp_path: Path) -> None:
    program, told = "import sys; print(1); sys.exit('two')", []
    for fresh in (False, True):
        with open(tmp_path / "said", "w") as said:
            process = python(["-c", program], stdout=said, stderr=subprocess.STDOUT, fresh=fresh)
        assert process.wait(30) == 1
        told.append((tmp_path / "said").read_text())
    assert told[0] == told[1] and sorted(told[0].split()) == ["1", "two"]


def test_no_child_draws_the_lots_of_another() -> None:
    program = "import random, numpy, torch; print(random.random(), numpy.random.random(), float(torch.rand(1)))"
    drawn = [python(["-c", program], stdout=subprocess.PIPE).communicate(timeout=30)[0].split() for _ in range(2)]
    assert all(a != b for a, b in zip(*drawn, strict=True))


def test_no_child_sees_what_another_did() -> None:
    changes = "import os, limpide.core.run as run; os.environ['A'] = 'b'; run.FORMAT = 99; print(run.FORMAT)"
    for _ in range(2):
        process = python(["-c", f"import os; print('A' in os.environ)\n{changes}"], stdout=subprocess.PIPE)
        assert process.communicate(timeout=30)[0] == "False\n99\n"


def test_what_only_a_fresh_process_obeys_is_given_to_one(tmp_path: Path) -> None:
    for words, changes in (
        (["-c", "pass"], {"OMP_NUM_THREADS": "2"}),
        (["-c", "pass"], {"PYTHONHASHSEED": "1"}),
        (["-X", "importtime", "-c", "pass"], {}),
    ):
        process = python(words, env=environment(**changes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert isinstance(process, subprocess.Popen) and process.wait(60) == 0
