"""What computes does so in a forked process, too, whatever its parent computed before: fresh processes, as one that
hangs can only be killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from limpide.system import fork_safety
from tests.runner import environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

START = """
import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from limpide import Features, ImageClassifier, see

rng = np.random.default_rng(0)
y = np.arange(60) % 2
X = (rng.integers(0, 60, (60, 16, 16)) + 120 * y[:, None, None]).astype(np.uint8)

def parallel():
    (torch.randn(1 << 20) + 1).sum()
    KNeighborsClassifier(1, algorithm="brute").fit(rng.random((2000, 50)), np.arange(2000) % 2).predict(rng.random((2000, 50)))
"""

FORK = """
import multiprocessing, os, sys

def in_a_fork(work):
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(100)
    if child.is_alive():
        child.kill()
        sys.exit("it hangs")
    sys.exit(child.exitcode)
"""


def run(program: str, folder: Path, start: str = START) -> subprocess.CompletedProcess[str]:
    there = environment(OMP_NUM_THREADS="2", OMP_WAIT_POLICY="PASSIVE")  # with one thread nothing is parallel
    return subprocess.run(
        [sys.executable, "-c", FORK + start + program],
        cwd=folder,
        env=there,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_fit_in_a_fork_after_fit_in_its_parent(tmp_path: Path) -> None:
    done = run(
        """
clf = ImageClassifier(model="cnn", epochs=1, judge=False, quiet=True, runs="runs").fit(X, y)
before = clf.predict_proba(X)
parallel()

def work():
    assert (clf.predict_proba(X) == before).all()
    again = ImageClassifier(model="cnn", epochs=1, quiet=True, runs="runs").fit(X, y)
    assert again.evaluate().number("accuracy").n > 0
    print(np.abs(again.predict_proba(X[:4]).sum(1) - 1).max() < 1e-6)

in_a_fork(work)
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr


def test_looking_and_features_in_a_fork_after_other_work_with_torch_in_its_parent(tmp_path: Path) -> None:
    done = run(
        """
parallel()
before = Features().transform(X[:5].repeat(2, 1).repeat(2, 2))
net = torch.nn.Sequential(torch.nn.Conv2d(1, 64, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 3))
image = torch.rand(1, 1, 96, 96)

def work():
    assert np.allclose(Features().transform(X[:5].repeat(2, 1).repeat(2, 2)), before, atol=1e-2)
    seen = see(net, image)
    assert seen.saliency().plane is not None
    print(len(seen.layers) > 0)

in_a_fork(work)
""",
        tmp_path,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr


def test_ctrl_c_and_errors_come_through(tmp_path: Path) -> None:
    done = run(
        """
import signal, threading, time
from limpide.system.fork_safety import in_new_thread_if_forked

@in_new_thread_if_forked
def fails():
    assert threading.current_thread() is not threading.main_thread()
    raise ValueError("told")

@in_new_thread_if_forked
def endless():
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            time.sleep(0.01)
    finally:
        stopped.append("put away")

stopped = []

def work():
    try:
        fails()
    except ValueError as error:
        print(error)
    try:
        endless()
    except KeyboardInterrupt:
        print(stopped)

in_a_fork(work)
""",
        tmp_path,
        start="",  # it is about signals, and not about what was computed
    )
    assert (done.returncode, done.stdout.split()) == (0, ["told", "['put", "away']"]), done.stderr


def test_a_process_that_was_not_forked_starts_no_thread() -> None:
    program = (
        "from limpide.system import fork_safety as forked; import threading\nprint(forked.is_forked(), "
        "forked.in_new_thread_if_forked(threading.current_thread)() is threading.main_thread())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_where_the_system_cannot_tell_the_number_of_the_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert not fork_safety.is_forked()
    monkeypatch.setattr(fork_safety, "_loaded_by", 1)
    assert fork_safety.is_forked()
