"""Fault 66: SIGKILL at any moment, then the same command, gives the same run bit for bit. And the gentler
ways to stop.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from limpide.workflows.train.context import PHASES
from tests.make_images import photo, photo_folder
from tests.runner import DIES, PATIENCE, essence, info_of, kill, limpide, started, wait_for

SOAK = bool(os.environ.get("LIMPIDE_SOAK"))
SEED = int(os.environ.get("LIMPIDE_TEST_SEED", "0")) or random.SystemRandom().randrange(10**6)
# each moment once; those by chance in a soak
KILLS = {"cnn": 340, "pretrained": 60} if SOAK else {"cnn": 18, "pretrained": 4}

SMALL = ("--model", "cnn", "--image-size", 32, "--batch", 8, "--epochs", 10, "--patience", 3, "--precision", "fp32")
PRETRAINED = ("--model", "efficientnet_lite0", "--image-size", 32, "--batch", 8, "--epochs", 2, "--flip", "auto")


@dataclass(frozen=True)
class Moment:
    """Either a phase has just begun, or a file like this is there (a short one may be over by the time it is seen)."""

    phase: str = ""
    pattern: str = ""

    def reached(self, runs: Path) -> bool:
        return (
            any(runs.parent.glob(self.pattern))
            if self.pattern
            else info_of(run_in(runs)).get("phase") in PHASES[PHASES.index(self.phase) :]
        )

    def __str__(self) -> str:
        return self.pattern or f"phase {self.phase}"


def exists(pattern: str) -> Moment:
    return Moment(pattern=pattern)


def phase(name: str) -> Moment:
    return Moment(phase=name)


# Each in the order in which they come; what has already been is a kill at the very start of the next process.
MOMENTS: dict[str, list[list[Moment]]] = {
    "cnn": [
        [phase(name) for name in PHASES if name != "done"],
        [
            exists("cache/limpide/pixels/*/pixels-*.npy"),
            exists("runs/*/split.csv"),
            exists("runs/*/checkpoint/step-*"),
            exists("runs/*/snapshots/best.safetensors"),
            exists("runs/*/model.onnx"),
            exists("runs/*/predictions/test.npz"),
            exists("runs/*/findings/mistakes.json"),
            exists("runs/*/findings/cost.json"),
            exists("runs/*/report.html"),
        ],
    ],
    "pretrained": [
        [phase("first"), phase("fit"), phase("judge")],
        [
            exists("runs/*/cache/features-*.npy"),
            exists("runs/*/checkpoint/step-*"),
            exists("runs/*/findings/accuracy.json"),
        ],
    ],
}


@dataclass
class Job:
    """A training that is to be killed: its folder, its options, and what an uninterrupted one came to."""

    kind: str
    folder: Path
    options: tuple[object, ...]
    reference: dict[str, Any]
    seconds: float  # of the uninterrupted one
    log: list[str] = field(default_factory=list)

    def command(self, runs: Path) -> tuple[object, ...]:
        return ("train", self.folder, "--runs", runs, *self.options)


def reference(kind: str, folder: Path, options: tuple[object, ...], cwd: Path) -> Job:
    began = time.monotonic()
    limpide("train", folder, "--runs", cwd / "reference", *options, cwd=cwd)
    return Job(kind, folder, options, essence(cwd / "reference" / f"{folder.name}-001"), time.monotonic() - began)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Job:
    cwd = tmp_path_factory.mktemp("small")
    return reference("cnn", photo_folder(cwd / "shapes", per_class=40, size=(32, 32)), SMALL, cwd)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Job:
    cwd = tmp_path_factory.mktemp("pretrained")
    return reference(
        "pretrained",
        photo_folder(cwd / "shapes", per_class=14, size=(48, 40), classes=("disc", "square")),
        PRETRAINED,
        cwd,
    )


def run_in(runs: Path) -> Path:
    """The run there is; killed between making its folder and writing run.json, a folder is empty and the next number is
    taken.
    """
    return next((file.parent for file in runs.glob("*/run.json")), runs / "none")


def chain(job: Job, moments: list[Moment | float], runs: Path) -> list[str]:
    """Kills at each moment in turn (a number: after so many seconds), lets it finish, compares. Returns the phases
    killed in.

    The cache of pixels is the chain's own, so that the reading is killed too.
    """
    hit: list[str] = []
    own = {"XDG_CACHE_HOME": str(runs.parent / "cache")}
    for moment in moments:
        if info_of(run_in(runs)).get("status") == "finished":
            break
        ahead = isinstance(moment, Moment) and moment.phase and not moment.reached(runs)
        program = ("-c", DIES, moment.phase) if ahead else ("-m", "limpide")
        process = started(job.command(runs), runs.parent, program=program, **own)
        if ahead:
            process.communicate(timeout=PATIENCE)
            assert process.returncode == -signal.SIGKILL, f"{moment} never came"
        elif isinstance(moment, float):
            until = time.monotonic() + moment
            wait_for(process, lambda until=until: time.monotonic() >= until)
        else:
            wait_for(process, lambda moment=moment: moment.reached(runs))
        alive = ahead or process.poll() is None
        kill(process)
        if not alive:
            break
        hit.append(str(info_of(run_in(runs)).get("phase")))
        job.log.append(f"{moment} → killed in {hit[-1]}")
    if info_of(run_in(runs)).get("status") != "finished":
        limpide(*job.command(runs), cwd=runs.parent, **own)
    assert len(list(runs.glob("*/run.json"))) == 1, "one run, however often it was killed"
    run = run_in(runs)
    found = essence(run)
    for name, value in job.reference.items():
        assert found[name] == value, f"{name} differs after {job.log[-len(hit) :]}"
    assert info_of(run)["status"] == "finished" and (run / "report.html").stat().st_size > 1000
    shutil.rmtree(runs)
    return hit


def plans(job: Job, dice: random.Random) -> Iterator[list[Moment | float]]:
    """All moments in order; then some picked by chance, among kills anywhere in time."""
    yield from map(list, MOMENTS[job.kind])
    every = [moment for moments in MOMENTS[job.kind] for moment in moments]
    while True:
        plan: list[Moment | float] = [every[k] for k in sorted(dice.sample(range(len(every)), 4))]
        for _ in range(6):
            plan.insert(dice.randrange(len(plan) + 1), dice.uniform(0.25, 0.9) * job.seconds)
        yield plan


def kills(job: Job, count: int, cwd: Path) -> list[str]:
    """Two chains at a time until there were `count` kills, one at least in each phase."""
    print(f"replay with LIMPIDE_TEST_SEED={SEED}")
    hit: list[str] = []
    plan = plans(job, random.Random(SEED))
    number = 0
    with ThreadPoolExecutor(2) as pool:
        while len(hit) < count:
            room = count - len(hit)
            two = [next(plan) for _ in range(2 if room > 14 else 1)]
            work = []
            for moments in two:
                number += 1
                runs = cwd / str(number) / "runs"
                runs.mkdir(parents=True)
                work.append(pool.submit(chain, job, moments[:room], runs))
            hit += [name for done in work for name in done.result()]
    print(f"{len(hit)} kills:", *job.log, sep="\n  ")
    return hit


def test_killed_at_any_moment(small: Job, tmp_path: Path) -> None:
    assert set(PHASES) - {"done"} <= set(kills(small, KILLS["cnn"], tmp_path))


def test_killed_at_any_moment_pretrained(pretrained: Job, tmp_path: Path) -> None:
    assert {"first", "fit", "judge"} <= set(kills(pretrained, KILLS["pretrained"], tmp_path))


# -- the gentler ways to stop, and what else may happen to a run between two sessions


@pytest.fixture(scope="module")
def long(small: Job, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Some seconds of fitting, so that a signal arrives in the middle."""
    return reference(
        "cnn",
        small.folder,
        (*SMALL[:-6], "--epochs", 80, "--patience", 80, "--precision", "fp32"),
        tmp_path_factory.mktemp("long"),
    )


def saved_step(runs: Path) -> int:
    """Steps that the newest checkpoint holds."""
    return max((int(file.name[5:13]) for file in run_in(runs).glob("checkpoint/step-*")), default=0)


def fitting(runs: Path) -> bool:
    """Several checkpoints were saved, and many steps are still to be done."""
    return saved_step(runs) > 20


def interrupted(job: Job, runs: Path, *signals: signal.Signals) -> tuple[int, str, float]:
    """Sends the signals once fitting is under way; returns exit status, everything said, and the seconds it took to
    leave.
    """
    before = saved_step(runs)
    process = started(job.command(runs), runs.parent)
    assert wait_for(process, lambda: saved_step(runs) > before + 20), process.communicate()
    began = time.monotonic()
    for number in signals:
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out + err, time.monotonic() - began


def finish(job: Job, runs: Path) -> str:
    done = limpide(*job.command(runs), cwd=runs.parent)
    found = essence(run_in(runs))
    assert [name for name, value in job.reference.items() if found[name] != value] == []
    return done.stdout + done.stderr


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def test_asked_to_stop_saves_and_goes_on_where_it_was(long: Job, runs: Path) -> None:
    status, said, seconds = interrupted(long, runs, signal.SIGTERM)
    assert status == 130 and seconds < 8  # five are promised; the machine may be busy
    assert (
        list(run_in(runs).glob("checkpoint/step-*")) and not (run_in(runs) / "snapshots" / "best.safetensors").exists()
    )
    assert info_of(run_in(runs))["status"] == "stopped" and "stopped and saved" in said
    assert said.splitlines()[-1].startswith("next: limpide train ")
    status, said, _ = interrupted(long, runs, signal.SIGINT)  # Ctrl-C once saves
    assert status == 130 and "stopped and saved" in said and "continuing after step" in said
    status, _, _ = interrupted(long, runs, signal.SIGINT, signal.SIGINT)  # twice leaves
    assert status in (130, -signal.SIGINT)  # the second may come when Python has already closed
    status, said, _ = interrupted(long, runs, signal.SIGHUP)  # a closed terminal changes nothing
    assert status == 0 and "continuing after step" in said
    assert essence(run_in(runs)) == long.reference


def test_two_processes_in_one_run(long: Job, runs: Path) -> None:
    first = started(long.command(runs), runs.parent)
    try:
        assert wait_for(first, lambda: fitting(runs))
        first.send_signal(signal.SIGSTOP)
        second = limpide(*long.command(runs), cwd=runs.parent, status=5)
        assert "[L504]" in second.stderr and "--new" in second.stderr and len(second.stderr.strip().splitlines()) <= 2
    finally:
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    assert essence(run_in(runs)) == long.reference


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"] if SOAK else ["flipped"])
def test_a_damaged_checkpoint_is_passed_over_and_this_is_said(long: Job, runs: Path, damage: str) -> None:
    process = started(long.command(runs), runs.parent)
    assert wait_for(process, lambda: fitting(runs) and len(list(run_in(runs).glob("checkpoint/step-*"))) == 2)
    kill(process)
    newest = max(run_in(runs).glob("checkpoint/step-*"))
    data = bytearray(newest.read_bytes())
    data[len(data) * 2 // 3] ^= 4
    newest.write_bytes({"flipped": bytes(data), "cut": bytes(data[:-100]), "empty": b""}[damage])
    said = finish(long, runs)
    assert newest.name in said and "damaged" in said


def test_both_checkpoints_damaged_starts_the_fitting_again(long: Job, runs: Path) -> None:
    process = started(long.command(runs), runs.parent)
    assert wait_for(process, lambda: fitting(runs))
    kill(process)
    for file in run_in(runs).glob("checkpoint/step-*"):
        file.write_bytes(b"gone")
    said = finish(long, runs)
    assert "damaged" in said, "what was lost is said"


def test_new_starts_afresh_and_other_wishes_do_too(small: Job, runs: Path) -> None:
    command = (*small.command(runs), "--epochs", 1)
    process = started(command, runs.parent)
    assert wait_for(process, lambda: (run_in(runs) / "split.csv").exists())
    kill(process)
    limpide(*command, "--new", cwd=runs.parent)
    assert info_of(runs / "shapes-001")["status"] != "finished" and info_of(runs / "shapes-002")["status"] == "finished"
    assert (
        "continuing" in limpide(*command, cwd=runs.parent).stdout
        and info_of(runs / "shapes-001")["status"] == "finished"
    )
    other = limpide(*command, "--seed", 5, cwd=runs.parent)
    assert "continuing" not in other.stdout and info_of(runs / "shapes-003")["status"] == "finished"
    splits = {(runs / f"shapes-00{k}" / "split.csv").read_bytes() for k in (1, 2, 3)}
    assert len(splits) == 1 and "stay in the part they had" in other.stdout


@pytest.mark.parametrize("change", ["added", "removed", "rewritten"])
def test_images_that_changed_between_stop_and_resume(tmp_path: Path, runs: Path, change: str) -> None:
    folder = photo_folder(tmp_path / "shapes", per_class=8, size=(16, 16))
    options = ("--model", "cnn", "--epochs", 1, "--image-size", 16)
    process = started(("train", folder, "--runs", runs, *options), tmp_path)
    assert wait_for(process, lambda: (run_in(runs) / "split.csv").exists())
    kill(process)
    some = folder / "disc" / "0000.png"
    if change == "added":
        photo(folder / "disc" / "new.png", size=(16, 16))
    elif change == "removed":
        some.unlink()
    else:
        photo(some, size=(17, 16), seed=7)
    before = (run_in(runs) / "events.jsonl").read_bytes()
    refused = limpide("train", folder, "--runs", runs, *options, cwd=tmp_path, status=5)
    assert (
        "[L507]" in refused.stderr
        and "--new" in refused.stderr
        and (run_in(runs) / "events.jsonl").read_bytes() == before
    )
    if change != "added":
        return
    kept = {row.split(",")[0]: row for row in (run_in(runs) / "split.csv").read_text().splitlines()}
    limpide("train", folder, "--runs", runs, *options, "--new", cwd=tmp_path)
    rows = {row.split(",")[0]: row for row in (runs / "shapes-002" / "split.csv").read_text().splitlines()}
    assert all(kept[name] == row for name, row in rows.items() if name in kept and "0000" not in name), (
        "earlier images keep their part"
    )


def test_a_finished_run_is_not_continued(small: Job, tmp_path: Path) -> None:
    parent = tmp_path / "runs"
    shutil.copytree(small.folder.parent / "reference", parent)
    before = {p: p.read_bytes() for p in (parent / "shapes-001").rglob("*") if p.is_file()}
    done = limpide(*small.command(parent), cwd=tmp_path)
    assert "continuing" not in done.stdout and "images already in shapes-001 stay in the part they had" in done.stdout
    assert {p: p.read_bytes() for p in before} == before, "what is finished is never touched again"
    found = essence(parent / "shapes-002")
    assert {k: found[k] for k in ("split.csv", "snapshots/best.safetensors", "model.onnx", "predictions")} == {
        k: small.reference[k] for k in ("split.csv", "snapshots/best.safetensors", "model.onnx", "predictions")
    }, "the same seed and split give the same network"


def test_a_copied_run_continues_elsewhere(small: Job, runs: Path, tmp_path: Path) -> None:
    process = started(small.command(runs), runs.parent)
    assert wait_for(process, lambda: any(run_in(runs).glob("checkpoint/step-*")))
    kill(process)
    elsewhere = tmp_path / "elsewhere" / "runs"
    shutil.copytree(runs, elsewhere)
    shutil.rmtree(runs)
    limpide(*small.command(elsewhere), cwd=elsewhere.parent)
    assert essence(run_in(elsewhere)) == small.reference
