"""Watching is harmless, and what a watcher asks is done: real trainings in processes of their own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limpide.core.run import Run
from limpide.core.run_summary import RunSummary
from limpide.system.files import sha256_of_file
from limpide.training.checkpoint import load_checkpoint
from tests.fork_server import python
from tests.runner import PATIENCE
from tests.studio.serving import ENVIRONMENT, begun, learning


def order(run: Run, **values: Any) -> None:
    run.add_line(run.control_file, values)


def until(moment: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not moment():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


def steps(run: Run) -> int:
    return sum(b'"kind": "step"' in line for line in run.events_file.read_bytes().splitlines())


def test_pause_rate_snapshot_and_an_early_end(tmp_path: Path) -> None:
    process = begun(tmp_path, "--epochs", "300", "--model", "cnn", "--patience", "300")
    try:
        run = learning(tmp_path)
        order(run, do="pause")
        until(lambda: run.info().paused is not None)
        before = steps(run)
        time.sleep(0.5)  # a hundred steps, if it did not wait
        assert steps(run) == before == run.info().paused and RunSummary.of(run).status == "paused", (
            "it waits, and says so"
        )
        steps_an_epoch = (run.info().steps or 0) // 300  # at its end weights are kept, too
        assert max(run.kept()) < before or before & (before - 1) == 0 or before % steps_an_epoch == 0
        order(run, do="snapshot")
        with open(run.control_file, "ab") as stream:
            # damaged, and half a line
            stream.write(b'not json\n[1]\n{"do": "rate", "by": "much"}\n{"do": "rate", "by": 0.5')
        until(lambda: max(run.kept()) == before)
        time.sleep(0.5)  # the other lines are read with that one, or right after
        assert max(run.kept()) == before and process.poll() is None
        with open(run.control_file, "ab") as stream:
            stream.write(b"}\n")
        order(run, do="go")
        until(lambda: steps(run) > before and run.info().paused is None)
        assert RunSummary.of(run).status == "running"
        order(run, do="stop")
        assert process.wait(120) == 0, (tmp_path / "said.txt").read_text()
    finally:
        process.kill()
    info = run.info()
    (plan,) = info.plans
    assert (
        info.status == "finished"
        and plan.why == "watcher"
        and plan.at == plan.steps < info.steps
        and run.model_file.exists()
        and run.report_file.exists()
    )
    lines = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    rates = [line["lr"] for line in lines if line["kind"] == "step"]
    assert any(after < 0.6 * before for before, after in itertools.pairwise(rates)), "half the rate at once"
    assert lines[-1]["kind"] != "step" and sum("watcher" in json.dumps(line) for line in lines) >= 3
    assert max(run.kept()) <= plan.at


def test_ctrl_c_while_it_waits_saves_and_leaves(tmp_path: Path) -> None:
    process = begun(tmp_path, "--epochs", "300", "--model", "cnn", "--patience", "300")
    try:
        run = learning(tmp_path)
        order(run, do="pause")
        until(lambda: run.info().paused is not None)
        before = steps(run)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
    restored = load_checkpoint(run.checkpoints)
    assert run.info().status == "stopped" and restored is not None and restored.numbers["step"] == before
    assert run.info().paused is None, "it does not wait: it is over for now"


def test_the_weights_are_the_same_to_the_last_bit_with_the_studio_open(tmp_path: Path) -> None:
    digests = set()
    for name, watch in (("alone", []), ("watched", ["--watch"])):
        folder = tmp_path / name
        folder.mkdir()
        process = begun(folder, "--epochs", "3", *watch)
        try:
            if watch:
                until(lambda: "\nnext:" in (folder / "said.txt").read_text() or process.poll() is not None)  # noqa: B023
                time.sleep(0.5)
                assert process.poll() is None, "the studio stays open"
                import psutil

                (studio,) = [
                    child
                    for child in psutil.Process(process.pid).children(recursive=True)
                    if "limpide.studio.__main__" in child.cmdline()
                ]
                process.kill()
                process.wait(30)
                studio.wait(15)  # it does not outlive the training, however that ended
            else:
                assert process.wait(180) == 0
        finally:
            process.kill()
        (run,) = Run.all_in(folder)
        assert run.info().status == "finished"
        digests.add(sha256_of_file(run.snapshots / "best.safetensors"))
    assert len(digests) == 1


@pytest.mark.parametrize("budget", [10_000, 1_000_000])
def test_snapshots_stay_within_their_budget_and_keep_the_first_and_the_last(tmp_path: Path, budget: int) -> None:
    from limpide.core.recipe import Recipe
    from limpide.models import build
    from limpide.training.snapshots import is_snapshot_due, keep_snapshot
    from limpide.training.start import start_state

    run = Run.create(tmp_path, "x", {})
    state = start_state(
        build("linear", 10, 1, 28), Recipe(model="linear", lr=0.1, device="cpu", weight_decay=0.0), 10_000
    )
    size = 4 * 7850
    for step in [0, *(step for step in range(1, 10_001) if is_snapshot_due(step)), 10_000]:
        state.step = step
        keep_snapshot(state, run, budget)
        kept = run.kept()
        assert sum(file.stat().st_size for file in kept.values()) <= budget
        assert (not kept and 2 * size > budget) or (0 in kept and step in kept)
    assert not list(run.snapshots.glob("*.tmp"))


FAILS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background has it ignored
import limpide.workflows.train.training
from limpide.cli import main
from limpide.core.errors import RunError

def train(run, dataset, **_):
    raise RunError("L601", what="it takes too long", where=str(run.path), todo="use --time")
    yield

limpide.workflows.train.training.train = train
main()
"""


def test_the_studio_stays_open_when_the_training_ends_with_an_error(tmp_path: Path) -> None:
    process = python(
        ["-c", FAILS, "train", "digits", "--runs", tmp_path, "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "HOME": str(tmp_path)},
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        url = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        assert "it takes too long" in process.stderr.readline(), (
            "the error is said at once, not after the studio was closed"
        )
        browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
        for _ in range(100):
            try:
                with browser.open(url.partition("#")[0], timeout=30) as answer:
                    assert answer.status == 200
                break
            except urllib.error.URLError:  # it is still on its way
                time.sleep(0.1)
        else:
            raise AssertionError("the studio was closed")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 5 and "Traceback" not in said
    finally:
        process.kill()
        process.communicate()
