"""A decoder that crashes, hangs or eats memory costs one file: the child dies, the parent goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from limpide.core.errors import RunError
from limpide.data.decoding import decoder_pool
from limpide.data.decoding.decoder_process import CRASHED, HANGS
from limpide.data.layouts.scan import scan
from limpide.data.preprocessing import Preprocessing
from limpide.data.read_images import Reading, read_pixels, stored_reading
from tests.make_images import photo_folder

SMALL = Preprocessing(16, 3, jpeg_side=32)

# Stands before the real worker: files that begin like this do what no image should.
TRAPS = """
import os, signal, sys, time
from limpide.data.decoding import decoder_process as worker
examined, header = worker.decode_with_remarks, worker.header
def trap(data, *more):
    if data.startswith(b"crash"): os.kill(os.getpid(), signal.SIGSEGV)
    if data.startswith(b"exit"): os._exit(3)
    if data.startswith(b"hang"): time.sleep(3600)
    if data.startswith(b"spin"):
        while True: pass
    if data.endswith(b"slow"): time.sleep(2)
    return header(data, *more)
worker.header = trap
worker.main()
"""


@pytest.fixture
def trapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has the children run TRAPS."""
    file = tmp_path / "trap.py"
    file.write_text(TRAPS)
    real = decoder_pool.subprocess.Popen

    def started(command: list[str], **options: object) -> object:
        assert command[1:] == ["-m", "limpide.data.decoding.decoder_process"]
        return real([sys.executable, str(file)], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(decoder_pool.subprocess, "Popen", started)
    monkeypatch.setattr(decoder_pool, "PATIENCE", 1.0)
    return tmp_path


def read_all(root: Path, cache: Path) -> tuple[Reading, dict[str, str]]:
    dataset = scan(root)
    wanted = {SMALL: np.arange(len(dataset))}
    progress = list(read_pixels(dataset, wanted, cache))
    assert progress[-1].done == progress[-1].total == len(dataset)
    reading = stored_reading(dataset, wanted, cache)
    assert reading
    return reading, {dataset.images.names[i]: reason for i, reason in reading.failures().items()}


def running() -> list[int]:
    """The decoders of this process; other children of it may be ending."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            found += [child.pid] if any("trap.py" in word for word in child.cmdline()) else []
    return found


@pytest.mark.parametrize(
    ("content", "reason"), [(b"crash", CRASHED), (b"exit", CRASHED), (b"hang", HANGS), (b"spin", HANGS)]
)
def test_one_file_is_lost_and_no_other(trapped: Path, content: bytes, reason: str) -> None:
    """Cases 26 and 27."""
    root = photo_folder(trapped / "photos", per_class=20)
    for name in ("disc/0000.png", "disc/0007.png", "square/0019.png"):
        (root / name).write_bytes(content)
    reading, failures = read_all(root, trapped)
    assert failures == dict.fromkeys(("disc/0000.png", "disc/0007.png", "square/0019.png"), reason)
    good = np.flatnonzero(reading.seen["reason"] < 0)
    dataset = scan(root)
    assert len(good) == 57 and all(reading.pixels[16].array[i].any() for i in good)  # type: ignore[index]
    for i in good[::10].tolist():
        np.testing.assert_array_equal(reading.pixels[16].array[i], SMALL.pixels(dataset.images.image(i, 32)))  # type: ignore[index]


@pytest.mark.parametrize("starved", [True, False])
def test_an_image_that_waits_for_a_processor_is_waited_for(
    trapped: Path, monkeypatch: pytest.MonkeyPatch, starved: bool
) -> None:
    """A busy machine decides nothing: ready to run and not computing, twice its patience long; asleep that long, it
    hangs.
    """
    root = photo_folder(trapped / "photos", per_class=3)
    with open(root / "disc" / "0001.png", "ab") as file:
        file.write(b"slow")
    if starved:
        monkeypatch.setattr(decoder_pool.DecoderProcess, "_is_ready", lambda self: True)
        monkeypatch.setattr(decoder_pool.DecoderProcess, "_seconds_computed", lambda self: 0.0)
    _, failures = read_all(root, trapped)
    assert failures == ({} if starved else {"disc/0001.png": HANGS})


def test_children_end_with_their_parent(trapped: Path) -> None:
    dataset = scan(photo_folder(trapped / "photos", per_class=20))
    work = read_pixels(dataset, {SMALL: np.arange(len(dataset))}, trapped)
    next(work)
    children = running()
    assert children
    work.close()
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_slow_consumer_is_no_hanging_decoder(trapped: Path) -> None:
    dataset = scan(photo_folder(trapped / "photos", per_class=20))
    wanted = {SMALL: np.arange(len(dataset))}
    work = read_pixels(dataset, wanted, trapped)
    next(work)
    time.sleep(2.5)  # more than the patience with a worker
    list(work)
    reading = stored_reading(dataset, wanted, trapped)
    assert reading and reading.failures() == {}


def test_a_worker_that_is_killed_from_outside_is_started_again(trapped: Path) -> None:
    """Case 80: and the images stand in the same order."""
    dataset = scan(photo_folder(trapped / "photos", per_class=30))
    wanted = {SMALL: np.arange(len(dataset))}
    for k, _ in enumerate(read_pixels(dataset, wanted, trapped)):
        if k == 10:
            for child in running():
                os.kill(child, signal.SIGKILL)
    reading = stored_reading(dataset, wanted, trapped)
    assert reading and len(reading.failures()) <= 2 and reading.seen["read"].all()  # the image each was at is blamed
    squares = reading.pixels[SMALL.size].array
    for i in set(range(len(dataset))) - reading.failures().keys():  # each in its place, whoever decoded it
        np.testing.assert_array_equal(squares[i], SMALL.pixels(dataset.images.image(i, 32)))  # type: ignore[index]


def test_workers_that_cannot_start_are_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = decoder_pool.subprocess.Popen
    monkeypatch.setattr(
        decoder_pool.subprocess,
        "Popen",
        lambda command, **options: real([sys.executable, "-c", "raise SystemExit(1)"], **options),
    )
    dataset = scan(photo_folder(tmp_path / "photos", per_class=20))
    with pytest.raises(RunError) as told:
        list(read_pixels(dataset, {SMALL: np.arange(len(dataset))}, tmp_path))
    assert told.value.code == "L510"
