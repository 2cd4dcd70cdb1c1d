"""What the tests share that end trainings before their time (test_killed.py, test_killed_pretrained.py,
test_stopped.py): the trainings, the moments, and chains of kills.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limpide.workflows.train.context import PHASES
from tests.runner import DIES, PATIENCE, SOAK, essence, info_of, kill, limpide, started, wait_for

SEED = int(os.environ.get("LIMPIDE_TEST_SEED", "0")) or random.SystemRandom().randrange(10**6)
# each moment once; those by chance in a soak
KILLS = {"cnn": 340, "pretrained": 60} if SOAK else {"cnn": 19, "pretrained": 4}

SMALL = ("--model", "cnn", "--image-size", 32, "--batch", 8, "--epochs", 10, "--patience", 3, "--precision", "fp32")
PRETRAINED = ("--model", "efficientnet_lite0", "--image-size", 32, "--batch", 8, "--epochs", 2, "--flip", "auto")


@dataclass(frozen=True)
class Moment:
    """Either a phase has just begun, or a file like this is there (a short one may be over by the time it is seen)."""

    phase: str = ""
    pattern: str = ""
    said: bool = False  # not as the phase begins, but when its first events are in the file

    def reached(self, runs: Path) -> bool:
        return (
            any(runs.parent.glob(self.pattern))
            if self.pattern
            else info_of(run_in(runs)).get("phase") in PHASES[PHASES.index(self.phase) + self.said :]
        )

    def __str__(self) -> str:
        return self.pattern or f"phase {self.name}"

    @property
    def name(self) -> str:
        return self.phase + " said" * self.said


def exists(pattern: str) -> Moment:
    return Moment(pattern=pattern)


def phase(name: str) -> Moment:
    return Moment(phase=name)


SAID = {"fit": (False, True)}  # as it begins, and when it has said something

# Each in the order in which they come; what has already been is a kill at the very start of the next process.
MOMENTS: dict[str, list[list[Moment]]] = {
    "cnn": [
        [Moment(name, said=said) for name in PHASES if name != "done" for said in SAID.get(name, (False,))],
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
        [phase("first"), exists("runs/*/cache/features-*.npy"), phase("fit"), phase("judge")],
        [
            exists("runs/*/checkpoint/step-*"),
            exists("runs/*/findings/accuracy.json"),
        ],
    ],
}

# Here a fresh Python is killed, and not one that is forked: the order of sets, for one, is another in each.
FRESH = (phase("fit"), exists("runs/*/checkpoint/step-*"))


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


def uninterrupted(
    folder: Path,
    options: tuple[object, ...],
    cwd: Path,
    *,
    program: Sequence[str] = ("-m", "limpide"),
    fresh: bool = False,
) -> None:
    """What killed ones are compared with."""
    began = time.monotonic()
    limpide("train", folder, "--runs", cwd / "reference", *options, cwd=cwd, program=program, fresh=fresh)
    (cwd / "seconds").write_text(str(time.monotonic() - began))


def job_of(kind: str, folder: Path, options: tuple[object, ...], cwd: Path) -> Job:
    found = essence(cwd / "reference" / f"{folder.name}-001")
    return Job(kind, folder, options, found, float((cwd / "seconds").read_text()))


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
        program = ("-c", DIES, moment.name) if ahead else ("-m", "limpide")
        fresh = isinstance(moment, Moment) and moment in FRESH
        process = started(job.command(runs), runs.parent, program=program, fresh=fresh, **own)
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
