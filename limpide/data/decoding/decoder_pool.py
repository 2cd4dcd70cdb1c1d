"""The parent's side of `data/decoding/decoder_process.py`: it hands out images, notices a worker that died or hangs,
and continues without that file.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from limpide.core.errors import RunError
from limpide.data.decoding.decoder_process import CRASHED, HANGS

PATIENCE = 5.0  # s without a word from a worker that has work
PER_MEGAPIXEL = 0.1  # s more for each million pixels of an announced image
AHEAD = 8  # images a worker is given before it has answered
START_SECONDS = 60.0  # for a worker to load its code, on a slow disk
SILENT = 0.2  # share of the patience after which the processor time of a silent worker is watched
# share of the remaining patience that a hanging decoder computes if it has the processor to itself
COMPUTED = 0.7


Job = tuple[int, Any, list[int]]  # index, reference of the image, its positions in the pixel files


class DecoderProcess:
    """One child process and the images that it was given and has not answered, in order."""

    def __init__(self, number: int, setup: dict[str, Any], answers: queue.Queue[tuple[int, int, str]]) -> None:
        self.number, self.setup, self.answers = number, setup, answers
        self.jobs: deque[tuple[int, str]] = deque()  # (index, line)
        self.life = 0
        self.start()

    def start(self) -> None:
        """Starts the process, also again after its end: unanswered images are given to it again."""
        self.life += 1
        self.wait(START_SECONDS)
        environment = os.environ | {"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "limpide.data.decoding.decoder_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the parent, which stops its workers itself
        )
        threading.Thread(target=self._listen, args=(self.process, self.life), daemon=True).start()
        self._write(json.dumps(self.setup))
        for _, line in self.jobs:
            self._write(line)

    def _listen(self, process: subprocess.Popen[str], life: int) -> None:
        assert process.stdout
        for line in process.stdout:
            self.answers.put((self.number, life, line))
        self.answers.put((self.number, life, ""))  # the process ended

    def wait(self, patience: float) -> None:
        """Allows the worker `patience` seconds, from now on, until its next answer."""
        self.patience, self.deadline = patience, time.monotonic() + patience
        self.before: float | None = None  # s of processor time when the watch began

    def hangs(self, now: float) -> bool:
        """Whether the worker was silent for longer than its patience, and not for lack of a processor.

        Beside other work a sound image may take many times its normal time: a worker that is ready to run may go on
        until it has computed as long as a hanging one would have. A worker that sleeps waits for something that does
        not come.
        """
        if self.before is None and now > self.deadline - (1 - SILENT) * self.patience:
            self.before = self._seconds_computed()
        if now <= self.deadline or self.before is None:
            return False
        return not self._is_ready() or self._seconds_computed() - self.before >= COMPUTED * (1 - SILENT) * self.patience

    def _seconds_computed(self) -> float:
        """Seconds of processor time so far; infinite for a process that is gone."""
        import psutil

        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:
            return float("inf")
        return float(times.user + times.system)

    def _is_ready(self) -> bool:
        """Whether the process runs, or would run if a processor were free."""
        import psutil

        try:
            return psutil.Process(self.process.pid).status() == psutil.STATUS_RUNNING
        except psutil.Error:
            return False

    def give(self, index: int, line: str) -> None:
        if not self.jobs and time.monotonic() + PATIENCE > self.deadline:
            self.wait(PATIENCE)
        self.jobs.append((index, line))
        self._write(line)

    def feed(self, waiting: Iterator[Job]) -> None:
        """Gives the worker as many of the waiting images as it may hold."""
        while len(self.jobs) < AHEAD and (job := next(waiting, None)) is not None:
            self.give(job[0], json.dumps(job))

    def _write(self, line: str) -> None:
        assert self.process.stdin
        with contextlib.suppress(OSError):  # the worker died: its listener reports it
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def replace(self, waiting: Iterator[Job]) -> None:
        """Replaces the process by a new one, which continues with the images that this one had not answered."""
        self.stop()
        self.start()
        self.feed(waiting)


def decode_in_processes(count: int, setup: dict[str, Any], work: Iterable[Job]) -> Iterator[tuple[int, str]]:
    """Yields (index, reason) as images are done: "" where the worker stored the result itself, CRASHED or HANGS where
    it could not.

    Raises RunError if workers cannot work at all here.
    """
    answers: queue.Queue[tuple[int, int, str]] = queue.Queue()
    waiting = iter(work)
    workers = [DecoderProcess(k, setup, answers) for k in range(count)]
    done = deaths = 0
    try:
        for worker in workers:
            worker.feed(waiting)
        while any(worker.jobs for worker in workers):
            number, life, line = _next_answer(answers)
            now = time.monotonic()
            if number >= 0 and life == workers[number].life:
                worker = workers[number]
                if not line:
                    deaths += 1
                    if not done and deaths > 3 * count:
                        raise _end_at_once()
                    if worker.jobs:
                        yield worker.jobs.popleft()[0], CRASHED
                    worker.replace(waiting)
                elif line.startswith("…"):
                    worker.wait(PATIENCE + PER_MEGAPIXEL * int(line.split()[2]) / 1e6)
                else:
                    worker.jobs.popleft()
                    worker.wait(PATIENCE)
                    done += 1
                    yield int(line.split()[0]), ""
                    worker.feed(waiting)
            for worker in workers if answers.empty() else ():  # if answers wait, the caller was slow, not the workers
                if worker.jobs and worker.hangs(now):
                    yield worker.jobs.popleft()[0], HANGS
                    worker.replace(waiting)
    finally:
        for worker in workers:
            worker.stop()


def _next_answer(answers: queue.Queue[tuple[int, int, str]]) -> tuple[int, int, str]:
    """(number of the worker, its life, its answer); −1 as the number if none came for a while."""
    try:
        return answers.get(timeout=0.25)
    except queue.Empty:
        return -1, 0, ""


def _end_at_once() -> RunError:
    return RunError("L510", where=sys.executable)
