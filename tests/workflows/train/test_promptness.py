"""Ctrl-C is heard at once and the process is gone soon, whatever it is doing; after the work is done a signal is no
failure.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from limpide.core.events import Progress
from limpide.system import interrupts
from limpide.system.machine import cores
from limpide.text.messages import message
from limpide.workflows.train import training
from tests.runner import environment, info_of, started, wait_for

# A main thread in C code that hears of no signal for a minute.
DEAF = """
import hashlib, sys, threading
from limpide.system import interrupts
with interrupts.Promptness(lambda: "it was heard"):
    threading.Timer(0.2, lambda: print("here", flush=True)).start()
    if sys.argv[1] == "listening":
        with interrupts.listening() as wish:
            hashlib.pbkdf2_hmac("sha256", b"", b"", 10**8)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**8)
"""


def in_time() -> float:
    """Seconds: five, and more where others keep every core busy several times over, as nothing is on time there."""
    return 5.0 if os.getloadavg()[0] < 2 * cores() else 12.0


@contextlib.contextmanager
def python(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has printed its first line; it is killed in the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env=environment(), stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            assert process.stdout and process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("how", "number"), [("plain", signal.SIGINT), ("listening", signal.SIGINT), ("listening", signal.SIGTERM)]
)
def test_long_work_in_c_code_is_left_in_time(how: str, number: signal.Signals) -> None:
    with python(DEAF, how) as process:
        began = time.monotonic()
        process.send_signal(number)
        assert process.stderr and process.stderr.readline() == "it was heard\n"
        assert time.monotonic() - began < 2
        assert process.wait(10) == 128 + number
        assert time.monotonic() - began < in_time()


def test_a_second_ctrl_c_leaves_at_once() -> None:
    with python(DEAF, "listening") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # two of a kind that are not yet delivered are one
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - began < 2


def test_an_alarm_of_the_program_rings_inside_and_after() -> None:
    """What limits the time of a test, for one: a training in it must not take that away, whether it is
    stopped or not.
    """
    rung: list[int] = []

    def rings(times: int) -> None:
        until = time.monotonic() + 10
        while len(rung) < times and time.monotonic() < until:
            time.sleep(0.01)
        assert len(rung) == times

    before = signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
    try:
        with interrupts.listening():
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            rings(1)
        signal.setitimer(signal.ITIMER_REAL, 60, 7)
        with interrupts.listening() as wish:
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 50
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert wish.asked and signal.getitimer(signal.ITIMER_REAL)[0] < 5, "it is borrowed"
            wish.obeyed()
        left, every = signal.getitimer(signal.ITIMER_REAL)
        assert 30 < left < 60 and every == 7
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        rings(2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_that_another_language_handles_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python inside of R, for one: it cannot be put back, as nobody here can name it."""
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("it was taken away"))
    with interrupts.listening() as wish:
        assert not wish.asked


def test_threads_that_python_waits_for_at_its_end_do_not_hold_the_process() -> None:
    program = """
import threading, time
from limpide.system import interrupts
threading.Thread(target=time.sleep, args=(60,)).start()
with interrupts.Promptness(lambda: ""):
    print("here", flush=True)
    time.sleep(60)
"""
    with python(program) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - began < in_time()


# What a training is at its end: finished on the disk, and still in the loop, printing, or tidying up.
ENDING = """
import sys, time
from limpide.system import interrupts

finished = sys.argv[2] == "finished"
with interrupts.Promptness(lambda: ""), interrupts.ends_well_once(lambda: finished):
    if sys.argv[1] == "loop":
        with interrupts.listening():
            print("here", flush=True)
            time.sleep(60)
    if sys.argv[1] == "printing":
        print("here", flush=True)
        time.sleep(60)
if sys.argv[1] == "tidying":
    print("here", flush=True)
    time.sleep(1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", ["loop", "printing", "tidying"])
def test_a_signal_after_the_work_is_done_is_success(where: str, number: signal.Signals) -> None:
    with python(ENDING, where, "finished") as process:
        process.send_signal(number)
        assert process.wait(10) == 0


@pytest.mark.parametrize("where", ["loop", "printing"])
def test_a_signal_before_the_work_is_done_is_not(where: str) -> None:
    with python(ENDING, where, "unfinished") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) != 0


def test_a_scheduler_that_ends_a_finished_training_sees_no_failure(photos: Path, tmp_path: Path) -> None:
    """From the moment that run.json says so to the end of the process, which still has a report to print."""
    process = started(["train", photos, "--model", "linear", "--image-size", 8, "--epochs", 1], tmp_path)
    with process:
        assert wait_for(process, lambda: info_of(tmp_path / "runs" / "photos-001").get("status") == "finished")
        number = signal.SIGTERM
        while process.poll() is None:  # all the way to its end
            process.send_signal(number)
            number = signal.SIGINT if number == signal.SIGTERM else signal.SIGTERM
            time.sleep(0.005)
        assert process.returncode == 0


# Presses Ctrl-C some time after the training, or what is left of it, began, and says when.
PRESSES = """
import os, signal, sys, threading, time
from limpide.cli import main
from limpide.report.terminal.progress import Screen

after, follow = float(sys.argv.pop(1)), Screen.follow

def press():
    sys.__stderr__.write(f"pressed {time.time()}\\n")
    sys.__stderr__.flush()
    os.kill(os.getpid(), signal.SIGINT)

def followed(self, events, run):
    threading.Timer(after, press).start()
    return follow(self, events, run)

Screen.follow = followed
main()
"""


def pressed_and_ended(process: subprocess.Popen[str]) -> float:
    """Seconds from Ctrl-C to the end of the process; 0 where it was faster than the finger."""
    told, said = process.communicate(timeout=120)
    ended = time.time()
    pressed = [float(line.split()[1]) for line in said.splitlines() if line.startswith("pressed ")]
    assert "Traceback" not in told + said, said
    too_late = not pressed and process.returncode == 1  # a verdict that is not met, told before the finger came
    assert too_late or process.returncode in (0, 130), said
    return ended - pressed[0] if pressed else 0.0


def test_ctrl_c_at_any_moment_of_a_training_is_obeyed_in_time_and_loses_nothing(photos: Path, tmp_path: Path) -> None:
    """One training, stopped again and again: each time it goes on where it was."""
    command = ["train", photos, "--model", "cnn", "--image-size", 16, "--epochs", 8]
    run, phases = tmp_path / "runs" / "photos-001", []
    for after in (0, 0.3, 1, 3):
        process = started([after, *command], tmp_path, program=("-c", PRESSES))
        assert pressed_and_ended(process) < in_time()
        if finished := process.returncode == 0:
            break
        phases.append(info_of(run)["phase"])
        assert info_of(run)["status"] != "finished"
        assert phases[-1] != "judge" or (run / "model.onnx").is_file()
    assert phases
    if not finished:  # a quick machine is done before the last one
        process = started(command, tmp_path)
        process.communicate(timeout=120)
    assert process.returncode == 0 and info_of(run)["status"] == "finished"
    assert not (tmp_path / "runs" / "photos-002").exists()


def test_what_saving_meets_as_it_is_stopped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a second Ctrl-C: "stopped and saved" must not be said then."""

    def phase(job: object) -> Iterator[Progress]:
        try:
            yield Progress(message("working"))
        finally:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "read_images", phase)
    job = SimpleNamespace(meter=SimpleNamespace(tick=lambda: None))
    events = training._work(job, training._phases(True))
    next(events)
    with pytest.raises(KeyboardInterrupt):
        events.close()


VERBS = """
import os, signal, sys, threading, time
import limpide.cli
from limpide.system import interrupts

def press():
    sys.__stderr__.write(f"pressed {time.time()}\\n")
    sys.__stderr__.flush()
    os.kill(os.getpid(), signal.SIGINT)

timer = threading.Timer(float(sys.argv.pop(1)), press)
timer.daemon = True  # a quick machine is done before: the process does not wait for it
listen = interrupts.Promptness.__enter__

def listened(self):
    found = listen(self)
    timer.start()  # before, a busy machine may not have come to where limpide listens
    return found

interrupts.Promptness.__enter__ = listened
limpide.cli.main()
"""


@pytest.fixture(scope="module")
def judged(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from limpide import ImageClassifier

    folder = tmp_path_factory.mktemp("judged")
    ImageClassifier(model="cnn", image_size=16, epochs=1, judge=False, quiet=True, runs=str(folder / "runs")).fit(
        str(photos)
    )
    return folder


@pytest.mark.parametrize("moment", [0.05, 0.8])
@pytest.mark.parametrize("verb", ["check", "predict", "evaluate", "explain", "report", "export", "studio"])
def test_every_verb_hears_ctrl_c(verb: str, moment: float, photos: Path, judged: Path, tmp_path: Path) -> None:
    run, image = judged / "runs" / "photos-001", photos / "disc" / "0000.png"
    arguments = {
        "check": [photos, "--rehash"],
        "predict": [run, *[photos] * 20],
        "evaluate": [run, photos],
        "explain": [run, image, "--out", tmp_path / "inside.html"],
        "report": [run],
        "export": [run, tmp_path],
        "studio": [judged / "runs", "--no-browser"],
    }[verb]
    process = started([moment, verb, *arguments], tmp_path, program=("-c", VERBS))
    assert pressed_and_ended(process) < in_time()


LATE = """
import atexit, os, signal, sys
from limpide import cli

def press():
    os.kill(os.getpid(), signal.SIGINT)

if sys.argv.pop(1) == "at the end of Python":
    atexit.register(press)
else:
    def obey():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            press()
    cli._run_verb = obey
cli.main()
"""


@pytest.mark.parametrize(
    ("when", "command", "status"),
    [
        ("at the end of Python", ("--version",), 0),
        ("at the end of Python", ("train", "nowhere"), 3),
        ("while the first is obeyed", ("--version",), 130),
    ],
)
def test_a_late_ctrl_c_prints_no_traceback(when: str, command: tuple[str, ...], status: int, tmp_path: Path) -> None:
    process = started([when, *command], tmp_path, program=("-c", LATE))
    told, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    assert "Traceback" not in told + said and "KeyboardInterrupt" not in told + said, said
